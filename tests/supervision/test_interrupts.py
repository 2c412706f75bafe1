"""Ctrl-C at any point ends everything: nothing hangs, no task and no name is left."""

import signal
import sys
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import supervision as sv

PACKAGE = str(Path(sv.__file__).parent)


@pytest.fixture(autouse=True, scope="module")
def heed_ctrl_c():
    """A shell's background job ignores SIGINT, and so does what it starts unless it says otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


LAST_POINT = 1500
"""Less than the number of points, which differs a little from run to run."""


class Worker(sv.Server):
    """Does a little of everything."""

    async def init(self, friend=None):
        self.n = 0
        if friend is not None:
            self.link(friend)
            self.monitor(friend)
        self.start_soon(trio.sleep, 1)
        self.send_after(2, "ring")

    async def handle_call(self, message):
        self.n += 1
        return self.n

    async def handle_cast(self, message):
        if message == "crash":
            raise ValueError("boom")
        await trio.lowlevel.checkpoint()

    async def terminate(self, reason):
        await trio.lowlevel.checkpoint()


async def reader():
    while True:
        await sv.receive()


async def everything(names):
    """Start, talk, crash, heal and stop, at several depths."""
    inner = sv.supervisor("inner", [sv.ChildSpec("b", Worker), sv.ChildSpec("r", reader)])
    a, b = sv.ChildSpec("a", Worker, name=names.via("a")), sv.ChildSpec("b", Worker, (names.via("a"),))
    async with sv.open_supervisor(
        [a, b, inner, sv.dynamic_supervisor("pool")], strategy="one_for_all", max_restarts=10
    ) as sup:
        pool = sup.dynamic_supervisor("pool")
        await pool.start_child(sv.ChildSpec("x", Worker, name=names.via("x")))
        await names.via("a").call("next")
        sup.child("inner", "r").cast("hello")
        sup.child("inner", "b").cast("crash")
        await wait_all_tasks_blocked()
        await sup.terminate_child("inner")
        await sup.restart_child("inner")
        await sup.child("b").get_state()
        names.via("a").cast("crash")
        await wait_all_tasks_blocked()
        await trio.sleep(3)


class Interrupter:
    """Presses Ctrl-C when the library has been entered so many times."""

    def __init__(self, at):
        self.left = at

    def __call__(self, frame, event, _arg):
        code = frame.f_code
        # A coroutine that goes on is no such point: there, Python itself puts a signal off.
        is_entered = event == "call" and frame.f_lineno == code.co_firstlineno
        if is_entered and code.co_filename.startswith(PACKAGE):
            self.left -= 1
            if self.left == 0:
                sys.setprofile(None)
                signal.raise_signal(signal.SIGINT)


def run_interrupted(at):
    """Return whether there was an interrupt before the end."""
    names, interrupter = sv.Registry(), Interrupter(at)

    async def main():
        tasks = trio.lowlevel.current_root_task().child_nurseries
        before = sum(len(nursery.child_tasks) for nursery in tasks)
        sys.setprofile(interrupter)
        try:
            await everything(names)
        finally:
            sys.setprofile(None)
            assert sum(len(nursery.child_tasks) for nursery in tasks) == before
            assert names.whereis("a") is names.whereis("x") is None

    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    except KeyboardInterrupt:
        return True
    return False


def test_without_an_interrupt_the_whole_story_is_told():
    assert not run_interrupted(10**9)


@pytest.mark.timeout(60)
@settings(max_examples=60, deadline=None)
@given(st.integers(1, LAST_POINT))
def test_an_interrupt_at_any_point_ends_everything(at):
    assert run_interrupted(at)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # minutes, and several times as many where others compute too
def test_an_interrupt_at_every_point_ends_everything():
    for at in range(1, LAST_POINT):
        assert run_interrupted(at)


def test_a_child_that_is_interrupted_in_the_moment_of_another_end_is_not_started_again():
    async def main():
        async def temporary():
            await go.wait()

        async def victim():
            started.append(1)
            await go.wait()
            raise SystemExit

        go, started = trio.Event(), []
        children = [sv.ChildSpec("temporary", temporary, restart="temporary"), sv.ChildSpec("victim", victim)]
        try:
            async with sv.open_supervisor(children):
                go.set()
                await trio.sleep(5)
        finally:
            runs.append(len(started))

    runs = []
    for _ in range(40):  # trio runs tasks that wake together in any order
        with pytest.raises(SystemExit):
            trio.run(main, clock=MockClock(autojump_threshold=0))
    assert set(runs) == {1}


@pytest.mark.parametrize("is_grouped", [False, True])
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), SystemExit(3)])
def test_an_interrupted_tree_is_shut_down_and_who_raised_names_the_interrupt(interrupt, is_grouped, caplog):
    async def raising():
        await trio.sleep(1)
        raise BaseExceptionGroup("both", [interrupt]) if is_grouped else interrupt

    def note(event, measurements, metadata):
        ends[metadata["process"]] = metadata["reason"]

    async def main():
        inner = sv.supervisor("inner", [sv.ChildSpec("raising", raising), sv.ChildSpec("b", Worker)])
        async with sv.open_supervisor([inner, sv.ChildSpec("a", Worker)]):
            await trio.sleep(9)

    ends = {}
    sv.telemetry.attach("test", ("supervision", "process", "end"), note)
    try:
        with pytest.raises(type(interrupt)):
            trio.run(main, clock=MockClock(autojump_threshold=0))
    finally:
        sv.telemetry.detach("test")
    assert ends.pop("inner/raising") == sv.Shutdown(f"interrupted by {interrupt!r}")
    assert ends == dict.fromkeys(["inner/b", "inner", "a", "supervisor"], sv.Shutdown())
    assert caplog.records == []


@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("where", ["handler", "background", "terminate"])
@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_a_child_that_is_interrupted_starts_nobody_again_at_any_depth(depth, where, interrupt):
    started = []

    async def raising():
        raise interrupt

    class Victim(sv.Server):
        async def init(self):
            started.append("victim")
            self.is_over = False

        async def handle_cast(self, message):
            match where:
                case "handler":
                    raise interrupt
                case "background":
                    self.start_soon(raising)
                case "terminate":
                    self.stop()

        async def terminate(self, reason):
            if where == "terminate":
                raise interrupt

    async def other():
        started.append("other")
        await trio.sleep_forever()

    def tree(depth):
        below = [tree(depth - 1)] if depth else [sv.ChildSpec("victim", Victim, name=names.via("victim"))]
        return sv.supervisor("nested", [*below, sv.ChildSpec("other", other)])

    async def main():
        async with sv.open_supervisor([tree(depth)]):
            names.via("victim").cast("end")
            await trio.sleep(9)

    names = sv.Registry()
    with pytest.raises(interrupt):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert started == ["victim", *["other"] * (depth + 1)]
