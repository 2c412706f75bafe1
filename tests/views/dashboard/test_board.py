"""A board by itself: what it takes in, estimates and hands out, without a server before it."""

import threading
from itertools import count

import pytest
import trio
import trio.testing

from exmc_actors.views.dashboard import Board, Picture
from exmc_actors.views.dashboard import board as module
from exmc_actors.views.dashboard.board import ESTIMATE, NUMBERS_AT_ONCE, PATIENCE
from exmc_actors.views.dashboard.selection import Selection
from tests.views.dashboard.conftest import Feed, block, run


def test_leaving_waits_for_a_part_of_what_has_come_and_not_for_all(monkeypatch):
    seen = []

    async def main():
        board, feed = Board(Picture(chains=1, draws=10**8, tune=0)), Feed()
        observe = board.picture.observe

        def leave(messages, now):
            seen.extend(messages)
            if len(messages) > 1:
                trio.from_thread.run_sync(scope.cancel)
            observe(messages, now)

        monkeypatch.setattr(board.picture, "observe", leave)
        await feed(*(block(0, first, 5000) for first in range(0, 10**6, 5000)))
        with trio.CancelScope() as scope:
            await board.follow(feed.subscribe)
        assert scope.cancelled_caught

    run(main)
    assert len(seen) > 1
    assert sum(3 * len(one) for one in seen[1:]) < NUMBERS_AT_ONCE + 2 * 3 * 5000


@pytest.mark.parametrize("work", ["news", "charts", "estimates", "standing", "_encoded"])
def test_frames_are_made_where_they_hold_up_no_loop(monkeypatch, work):
    real, threads = getattr(module, work), []

    def noted(*args):
        threads.append(threading.current_thread())
        return real(*args)

    monkeypatch.setattr(module, work, noted)

    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))
        board.picture.observe([block(0, 0, 100)], 0.0)
        board.picture.estimate()
        await board.frame(Selection(), None, None, -1)

    run(main)
    assert threads
    assert threading.main_thread() not in threads


def test_what_frames_cost_puts_off_the_next_estimates(monkeypatch):
    seconds = count()
    monkeypatch.setattr(module, "thread_time", lambda: next(seconds))  # all that is measured takes a second
    clock = trio.testing.MockClock()

    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))

        async def revision_after(pause):
            clock.jump(pause)
            board._waiting = [block(0, board.picture.sequence, 1)]
            await board._take_in()
            return board.picture.revision

        assert await revision_after(0) == 1
        assert await revision_after(PATIENCE - ESTIMATE) == 1
        assert await revision_after(ESTIMATE) == 2
        for _ in range(3):
            frame = await board.frame(Selection(), None, None, -1)
        await board.frame(Selection(), frame.shown, frame.cursor, frame.revision)
        assert await revision_after(4 * PATIENCE - ESTIMATE) == 2
        assert await revision_after(ESTIMATE) == 3

    trio.run(main, clock=clock)
