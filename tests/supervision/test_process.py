"""Cancel or crash, kill or interrupt: how a process decides by what it ended."""

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision.testing import run_virtual


def temporary(function, *args, **options):
    return sv.ChildSpec("child", function, args, restart="temporary", **options)


async def end_of(function, *args, order=None):
    """Run a function as a child, give it the order, and return its exit reason."""
    async with sv.open_supervisor([temporary(function, *args)]) as sup:
        (child,) = sup.which_children()
        await wait_all_tasks_blocked()
        if order is not None:
            child.ref.exit(order)
        return await child.ref.wait_exited()


async def test_a_function_that_returns_ends_normally():
    assert await end_of(trio.sleep, 1) == sv.Normal()


async def test_a_function_that_is_told_to_end_is_cancelled_and_ends_for_that_reason():
    assert await end_of(trio.sleep_forever, order=sv.Shutdown("enough")) == sv.Shutdown("enough")


async def test_a_kill_skips_the_clean_up(events):
    async def careful():
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(1) as scope:
                await trio.sleep(0.5)
            events.append(scope.cancelled_caught)
            await trio.sleep(0.5)
            events.append("cleaned up")

    assert await end_of(careful, order=sv.KILL) == sv.Killed()
    assert events == []


async def test_an_error_during_clean_up_is_a_crash_even_after_an_order():
    async def clumsy():
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("while cleaning up")

    reason = await end_of(clumsy, order=sv.Shutdown())
    assert str(reason) == "crash: ValueError('while cleaning up')"


async def test_after_a_kill_even_an_error_during_clean_up_is_a_kill():
    async def clumsy():
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("while cleaning up")

    assert await end_of(clumsy, order=sv.KILL) == sv.Killed()


async def test_a_function_s_own_cancelled_scope_is_no_end():
    async def gives_up_waiting():
        with trio.move_on_after(1):
            await trio.sleep_forever()
        raise ValueError("later")

    assert str(await end_of(gives_up_waiting)) == "crash: ValueError('later')"


async def test_a_group_of_errors_is_a_crash_with_that_group():
    async def two():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one)
            await trio.sleep_forever()

    async def one():
        raise ValueError("boom")

    reason = await end_of(two)
    assert isinstance(reason.error, ExceptionGroup)
    assert [str(error) for error in reason.error.exceptions] == ["boom"]


async def test_a_group_that_mixes_a_cancellation_with_an_error_is_a_crash_by_the_error_alone():
    async def clumsy():
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("boom")

    async def mixed():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clumsy)
            nursery.start_soon(trio.sleep_forever)

    reason = await end_of(mixed, order=sv.Shutdown())
    assert isinstance(reason, sv.Crash)
    leaves = reason.error.exceptions
    assert [type(leaf) for leaf in leaves] == [ValueError]


async def test_a_second_error_is_noted_on_the_first(probe):
    async def clumsy():
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError("second")

    async def boom():
        raise ValueError("first")

    async def start_both(server):
        server.start_soon(clumsy)
        await wait_all_tasks_blocked()
        server.start_soon(boom)

    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        ref = sup.child("a").resolve().ref
        await ref.call(start_both)
        reason = await ref.wait_exited()
    assert str(reason.error) == "first"
    assert reason.error.__notes__ == ["While 'a' ended, it also raised KeyError: 'second'"]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_inside_a_child_stops_the_tree_in_order_and_passes_through(interrupt, probe, events):
    async def interrupted():
        raise interrupt

    async def main():
        inner = sv.supervisor("inner", [probe("a"), probe("b")])
        async with sv.open_supervisor([inner, probe("c")]) as sup:
            await sup.start_child(sv.ChildSpec("bad", interrupted))
            await trio.sleep_forever()

    with pytest.raises(interrupt):
        trio.run(main)
    assert events[3:] == ["stop c: shutdown", "stop b: shutdown", "stop a: shutdown"]


def test_an_interrupt_in_a_group_with_an_error_is_never_a_crash(probe, events):
    async def mixed():
        raise BaseExceptionGroup("mixed", [ValueError("boom"), KeyboardInterrupt()])

    async def main():
        async with sv.open_supervisor([probe("a"), sv.ChildSpec("mixed", mixed)]):
            await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert events == ["start a", "stop a: shutdown"]


async def test_everybody_is_told_of_an_end_though_the_name_cannot_be_given_back(probe, crash, events, caplog):
    class Stuck:
        def register(self, holder):
            pass

        def release(self, holder):
            raise KeyError("stuck")

    async with sv.open_supervisor([probe("a", name=Stuck()), probe("watcher")]) as sup:
        await sup.child("watcher").call(lambda server: server.monitor(sup.child("a")))
        await crash(sup.child("a"))
        assert events.count("start a") == 2
        assert "watcher saw crash: ValueError('boom')" in events
    assert [record.getMessage() for record in caplog.records if "'a' raised" in record.getMessage()] == [
        "the name of 'a' raised"
    ] * 2


async def test_who_links_to_a_process_and_cannot_be_told_of_its_end_keeps_nobody_from_being_told(
    probe, crash, events, caplog
):
    class Clumsy(sv.Server):
        async def init(self, friend):
            self.link(friend)

        @property
        def trap_exit(self):
            raise KeyError("oops")

    children = [probe("a"), probe("b", restart="temporary")]
    async with sv.open_supervisor(children) as sup:
        await sup.start_child(sv.ChildSpec("clumsy", Clumsy, (sup.child("a"),)))
        await sup.child("b").call(lambda server: server.link(sup.child("a")))
        await crash(sup.child("a"))
        assert [child.id for child in sup.which_children()] == ["a", "clumsy"]
    assert "somebody who was told of the end of 'a' raised" in caplog.text


def test_a_child_that_waits_for_a_thread_is_waited_for_even_when_it_is_killed(events):
    release = threading.Event()

    def work():
        release.wait(10)
        events.append("thread is done")

    async def main():
        async with sv.open_supervisor([temporary(trio.to_thread.run_sync, work)]) as sup:
            (child,) = sup.which_children()
            await wait_all_tasks_blocked()
            child.ref.exit(sv.KILL)
            await wait_all_tasks_blocked()
            events.append("killed" if child.ref.is_alive else "gone")
            release.set()
            assert await child.ref.wait_exited() == sv.Killed()

    trio.run(main)
    assert events == ["killed", "thread is done"]


async def test_children_of_a_killed_supervisor_are_killed_with_it(probe, events):
    async with sv.open_supervisor([sv.supervisor("inner", [probe("a")], restart="temporary")]) as sup:
        inner, a = sup.child("inner").resolve().ref, sup.child("inner", "a").resolve().ref
        inner.exit(sv.KILL)
        assert await inner.wait_exited() == sv.Killed()
        assert not a.is_alive
    assert events == ["start a"]


def test_the_current_process_is_known_everywhere_inside_and_nowhere_outside():
    seen = []

    async def note():
        seen.append(sv.current())
        seen.append(await trio.to_thread.run_sync(sv.current))

    async def main():
        assert sv.current() is None
        async with sv.open_supervisor([temporary(note)]) as sup:
            (child,) = sup.which_children()
            await child.ref.wait_exited()
        assert seen == [child.ref, child.ref]

    trio.run(main)


def test_a_tree_heals_as_ever_while_its_host_handles_an_exception(caplog):
    async def main():
        async with sv.open_supervisor(
            [sv.ChildSpec("a", boom), sv.ChildSpec("b", trio.sleep_forever)]
        ) as sup:
            await trio.sleep(5)
            return [child.status for child in sup.which_children()]

    async def boom():
        if not crashed:
            crashed.append(1)
            raise ValueError("boom")
        await trio.sleep_forever()

    crashed = []
    try:
        raise KeyError("of the host")
    except KeyError:
        assert run_virtual(main) == ["running", "running"]
