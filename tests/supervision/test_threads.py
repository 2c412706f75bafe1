"""What belongs to trio's thread refuses to be used in another one, and has not changed then."""

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv

REFUSAL = r"this is another one\. Write trio\.from_thread\.run_sync\("


class Doubling(sv.Server):
    """Doubles numbers in a worker thread, and notes what it is cast."""

    async def init(self, *, is_careful=True):
        self.is_careful, self.seen = is_careful, []

    async def handle_call(self, number):
        self.start_soon(trio.to_thread.run_sync, self.work, number, self.defer())
        return sv.NO_REPLY

    async def handle_cast(self, message):
        self.seen.append(message)

    def work(self, number, reply):
        if self.is_careful:
            trio.from_thread.run_sync(reply.send, 2 * number)
        else:
            reply.send(2 * number)


def run_with(body, **kwargs):
    async def main():
        async with sv.open_supervisor([sv.ChildSpec("doubling", Doubling, kwargs=kwargs)]) as sup:
            with trio.fail_after(10):
                await body(sup.child("doubling"))

    trio.run(main)


def test_a_reply_from_a_worker_thread_is_refused_there_and_the_caller_is_told():
    async def body(doubling):
        with pytest.raises(sv.ProcessExited) as raised:
            await doubling.call(21)
        assert "Write trio.from_thread.run_sync(reply.send, value)." in str(raised.value.__cause__)

    run_with(body, is_careful=False)


def test_a_reply_that_a_worker_thread_has_trio_s_thread_send_arrives():
    async def body(doubling):
        assert await doubling.call(21) == 42

    run_with(body)


@pytest.mark.parametrize(
    ("use", "instead"),
    [
        (lambda ref: ref.cast("lost"), r"ref\.cast, message"),
        (lambda ref: ref.exit(sv.KILL), r"ref\.exit, reason"),
        (lambda ref: ref.exit(sv.Normal()), r"ref\.exit, reason"),
    ],
)
def test_a_ref_is_refused_in_another_thread_and_nothing_has_happened(use, instead):
    async def body(doubling):
        await wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match=REFUSAL + instead):
            await trio.to_thread.run_sync(use, doubling)
        assert doubling.statistics().waiting == 0
        await trio.to_thread.run_sync(trio.from_thread.run_sync, doubling.cast, "found")
        assert (await doubling.get_state())["seen"] == ["found"]

    run_with(body)


def test_a_thread_that_runs_trio_for_itself_is_another_one_too():
    async def body(doubling):
        refusals = []

        async def elsewhere():
            with pytest.raises(RuntimeError, match=REFUSAL) as raised:
                await doubling.call(1)
            refusals.append(raised.value)

        await wait_all_tasks_blocked()
        thread = threading.Thread(target=trio.run, args=(elsewhere,))
        thread.start()
        await trio.to_thread.run_sync(thread.join)
        assert len(refusals) == 1
        assert await doubling.call(21) == 42

    run_with(body)


def test_a_server_that_its_own_thread_tells_to_stop_refuses_and_goes_on():
    class Worker(sv.Server):
        async def handle_call(self, message):
            await trio.to_thread.run_sync(getattr(self, message))

        async def handle_cast(self, message):
            with pytest.raises(RuntimeError, match=REFUSAL):
                await self.handle_call(message)

    async def main():
        async with sv.open_supervisor([sv.ChildSpec("worker", Worker)]) as sup:
            for method in ("stop", "continue_with", "unstash_all"):
                sup.child("worker").cast(method)
            while sup.child("worker").statistics().handled < 3:
                await trio.lowlevel.checkpoint()
            await sup.child("worker").get_state()
            assert sup.statistics().restarts == 0

    trio.run(main)
