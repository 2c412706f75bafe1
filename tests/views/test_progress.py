import io
import sys
import threading
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from exmc_actors.messages import (
    DROP_OLDEST,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStopped,
    RunPaused,
    RunResumed,
)
from exmc_actors.views.progress import plain_progress, progress, progress_view

SIZE = {"chains": 2, "draws": 100, "tune": 100}


def run(view, *args, **settings) -> None:
    trio.run(partial(view, *args, **settings), clock=MockClock(autojump_threshold=0))


@pytest.fixture
def script(block):
    """A run of ten seconds whose second chain is restarted once."""
    steps = [(0.0, block(c, "warmup", 0, 100)) for c in range(2)]
    steps += [(1.0, block(c, "sample", 20 * i, 20, diverged=c)) for i in range(5) for c in range(2)]
    restart = ChainRestarted(1, "sample", 100, 1, "killed")
    return [*steps, (0.0, restart), (0.0, ChainFinished(0)), (0.0, ChainFinished(1))]


def frames(console) -> list[str]:
    """Split what was written to a terminal into the drawings of the table."""
    return console.file.getvalue().split("2 chains of")[1:]


def test_leaves_the_final_table_on_the_terminal(script, subscription, terminal):
    console = terminal()
    run(progress, subscription(script), console=console, **SIZE)
    final = frames(console)[-1]
    assert final.count("100/100") == 2
    assert final.count("finished") == 2
    assert "chain 1 restarted 1x, last at draw 100: killed" in final
    assert " 5 " in final


def test_draws_at_most_ten_times_a_second(block, subscription, terminal):
    script = [(0.001, block(0, "sample", i, 1)) for i in range(2000)]
    console = terminal()
    run(progress, subscription(script), console=console, **SIZE)
    assert 1 < len(frames(console)) <= 2.0 / 0.1 + 2


def test_asks_to_be_left_behind_rather_than_waited_for(subscription, terminal):
    asked = []
    run(progress, subscription([], asked), console=terminal(), **SIZE)
    run(plain_progress, subscription([], asked), write=str, **SIZE)
    assert [overflow for overflow, _ in asked] == [DROP_OLDEST, DROP_OLDEST]


def test_a_cancelled_view_leaves_its_last_state_and_the_streams_as_they_were(block, subscription, terminal):
    console, streams = terminal(), (sys.stdout, sys.stderr)

    async def main():
        forever = [(1.0, block(0, "sample", 0, 42)), (1e9, ChainFinished(0))]
        with trio.move_on_after(1.0001):
            await progress(subscription(forever), console=console, **SIZE)

    run(main)
    assert "42/100" in frames(console)[-1]
    assert (sys.stdout, sys.stderr) == streams


class StoppedTerminal(io.StringIO):
    """A terminal at which somebody pressed Ctrl-S."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False
        self.blocked = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        if self.stopped:
            self.blocked.set()
            assert self.go_on.wait(30)
        return super().write(text)


def test_a_terminal_that_is_stopped_does_not_stop_the_loop(block, terminal):
    stopped = StoppedTerminal()

    @asynccontextmanager
    async def subscribe(*, overflow, capacity, from_start):
        async def feed():
            stopped.stopped = True
            # Waiting in a thread leaves the loop to the view, whose next drawing now begins and cannot end.
            assert await trio.to_thread.run_sync(stopped.blocked.wait, 30)
            for i in range(100):
                await trio.sleep(0.01)
                yield block(0, "sample", i, 1)
            stopped.stopped = False
            stopped.go_on.set()

        yield feed()

    console = terminal(stopped)
    run(progress, subscribe, console=console, **SIZE)
    assert "100/100" in frames(console)[-1]


def test_without_a_terminal_a_line_is_written_now_and_then(script, subscription):
    lines = []
    run(
        plain_progress, subscription(script), write=lines.append, every=4.6, **SIZE
    )  # 9.2 s: between two messages
    assert lines == [
        "sampling: 80/200 draws, 2 chains, 2 divergences",
        "sampling: 180/200 draws, 2 chains, 4 divergences",
        "finished: 200/200 draws, 2 chains, 5 divergences, 1 restart, 10.0 s",
    ]


def test_a_short_run_gets_the_last_line_only(script, subscription):
    lines = []
    run(plain_progress, subscription(script), write=lines.append, every=60.0, **SIZE)
    assert len(lines) == 1


def test_lines_say_what_is_still_in_warmup_and_what_was_missed(block, subscription):
    lines = []
    script = [
        (0.0, block(0, "warmup", 0, 10)),
        (6.0, block(0, "sample", 50, 10, diverged=1)),
        (6.0, ChainFailed(0, "sample", 60, "boom")),
    ]
    run(plain_progress, subscription(script), write=lines.append, **SIZE)
    assert lines == [
        "warmup: 10/200 draws, 2 chains, 0 divergences",
        "sampling: 60/200 draws, 2 chains (1 in warmup), at least 1 divergence",
        "stopped: 60/200 draws, 2 chains, at least 1 divergence, 1 chain gave up, 12.0 s",
    ]


def test_a_run_that_was_stopped_in_warmup_says_so(block, subscription):
    lines = []
    run(plain_progress, subscription([(0.5, block(0, "warmup", 0, 10))]), write=lines.append, **SIZE)
    assert lines == ["stopped: 10/200 draws of warmup, 2 chains, 0 divergences, 0.5 s"]


def test_a_run_whose_every_chain_gave_up_has_failed(subscription):
    lines = []
    script = [(0.0, ChainFailed(c, "sample", 0, "boom")) for c in range(2)]
    run(plain_progress, subscription(script), write=lines.append, **SIZE)
    assert lines == ["failed: 0/200 draws, 2 chains, 0 divergences, 2 chains gave up, 0.0 s"]


def test_a_run_of_which_one_chain_was_stopped_has_finished_and_one_of_which_all_were_has_not(subscription):
    for script, verb, number in (
        ([(0.0, ChainFinished(0)), (0.0, ChainStopped(1, "sample", 0))], "finished", "1 chain"),
        ([(0.0, ChainStopped(c, "sample", 0)) for c in range(2)], "stopped", "2 chains"),
    ):
        lines = []
        run(plain_progress, subscription(script), write=lines.append, **SIZE)
        (last,) = lines
        assert last.startswith(f"{verb}: ")
        assert f"{number} stopped by the user" in last


def test_a_terminal_gets_the_table_and_anything_else_gets_lines(script, subscription, terminal):
    class Screen(io.StringIO):
        def isatty(self):
            return True

    coloured_file = terminal()
    for console in (coloured_file, terminal(Screen(), is_terminal=False), terminal(Screen(), term="dumb")):
        run(progress_view(console), subscription(script), **SIZE)
        assert console.file.getvalue().splitlines()[-1].startswith("finished: 200/200 draws")
        assert not frames(console)
    console = terminal(Screen())
    run(progress_view(console), subscription(script), **SIZE)
    assert frames(console)


def test_lines_say_why_a_run_is_paused_until_it_goes_on(block, subscription):
    script = [
        (0.0, block(0, "sample", 0, 10)),
        (1.0, RunPaused("the disk is full")),
        (10.0, RunResumed()),
        (2.0, ChainFinished(0)),
    ]
    lines = []
    run(plain_progress, subscription(script), write=lines.append, every=6.0, **SIZE)
    assert [line.startswith("paused (the disk is full), sampling: 10/200") for line in lines] == [
        True,
        False,
        False,
    ]
