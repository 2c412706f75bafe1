"""A portal into trio from an asyncio program: what ends on one side ends on the other, and says why."""

import asyncio
import contextlib
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import trio

from exmc_actors import portal as portals
from exmc_actors.portal import NoLongerOpen, open_portal

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_a_portal_ends_what_is_under_way_in_it():
    async def main():
        ended = []

        async def for_ever():
            try:
                await trio.sleep_forever()
            finally:
                ended.append(True)

        async with open_portal() as portal:
            waiting = asyncio.create_task(portal.call(for_ever))
            await portal.call(trio.lowlevel.checkpoint)
        with pytest.raises(NoLongerOpen, match="no longer open: ask it within the block"):
            await waiting
        with pytest.raises(NoLongerOpen):
            await portal.call(trio.lowlevel.checkpoint)
        return ended

    assert asyncio.run(main()) == [True]


def test_a_portal_that_finds_no_file_descriptor_says_so():
    async def main():
        before, files = resource.getrlimit(resource.RLIMIT_NOFILE), []
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, before[1]))
        try:
            with contextlib.suppress(OSError):
                while True:
                    files.append(os.open(os.devnull, os.O_RDONLY))
            async with open_portal():
                pass
        finally:
            for file in files:
                os.close(file)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    with pytest.raises(OSError, match="Too many open files"):
        asyncio.run(main())


def test_a_portal_ends_although_the_host_holds_all_threads_of_asyncio():
    async def main():
        with ThreadPoolExecutor(1) as executor:
            asyncio.get_running_loop().set_default_executor(executor)
            is_left = threading.Event()
            busy = asyncio.create_task(asyncio.to_thread(is_left.wait, 60))
            async with open_portal() as portal:
                await portal.call(trio.lowlevel.checkpoint)
            is_left.set()
            return await busy

    async def limited():
        async with asyncio.timeout(30):
            return await main()

    assert asyncio.run(limited())


def test_what_ends_trio_is_raised_where_the_portal_is_held():
    async def exit_():
        raise SystemExit(3)

    async def main():
        async with open_portal() as portal:
            await portal.call(exit_)

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.group_contains(SystemExit)


def test_what_ends_trio_is_raised_where_the_portal_is_asked_before_its_holder_has_heard(monkeypatch):
    async def exit_():
        raise SystemExit(3)

    async def main():
        async with open_portal() as portal:
            first, set_ = asyncio.Event(), portals._set

            def set_behind(future, value):
                if future is portal._ended:
                    first.set()  # who waits for this goes on before those who are told of the end
                set_(future, value)

            monkeypatch.setattr(portals, "_set", set_behind)
            portal._start(exit_, asyncio.get_running_loop().create_future())
            await first.wait()
            assert portal._ended.done()
            await portal.call(exit_)

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.group_contains(SystemExit)


def test_a_block_that_is_cancelled_by_its_run_leaves_no_cancellation_behind():
    @contextlib.asynccontextmanager
    async def breaking():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(breaks)
            yield

    async def breaks():
        await trio.lowlevel.checkpoint()
        raise KeyError("broken")

    async def hold(portal):
        async with portal.held(breaking):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)

    async def main():
        async with open_portal() as portal:
            with pytest.raises(ExceptionGroup):
                await hold(portal)
            return asyncio.current_task().cancelling()

    assert asyncio.run(main()) == 0
