"""What a process ran with is gone once it has ended, and waits for no collection of garbage."""

import contextlib
import gc
import logging
import weakref

from trio.testing import wait_all_tasks_blocked

import supervision as sv


@contextlib.contextmanager
def no_garbage_collection():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_what_a_process_ran_with_goes_with_it_though_somebody_keeps_its_ref(probe):
    class Large:
        pass

    async def use(large, *, task_status):
        task_status.started()

    with no_garbage_collection():
        large = Large()
        seen = [weakref.ref(large)]
        specs = [probe("a"), sv.ChildSpec("b", use, args=(large,), restart="temporary")]
        async with sv.open_supervisor(specs) as sup:
            kept = [child.ref for child in sup.which_children()]
            seen.append(weakref.ref(await sup.child("a").call(lambda server: server)))
            del large, specs
        del sup
        assert [ref() for ref in seen] == [None, None]
        assert not any(ref.is_alive for ref in kept)


async def test_a_crashed_incarnation_leaves_nothing_behind_once_it_is_replaced(probe, monkeypatch):
    monkeypatch.setattr(logging.getLogger("supervision"), "disabled", True)
    async with sv.open_supervisor([probe("a")]) as sup:
        state = weakref.ref(await sup.child("a").call(lambda server: server))
        sup.child("a").cast(lambda _: 1 / 0)
        await wait_all_tasks_blocked()
        gc.collect()
        assert state() is None
        assert await sup.child("a").call(lambda _: "healed") == "healed"
