"""A board by itself: what it takes in, estimates and hands out, without a server before it."""

import threading
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest
import trio
import trio.testing

from exmc_actors.views.dashboard import Board, Picture
from exmc_actors.views.dashboard import board as module
from exmc_actors.views.dashboard.board import AT_ONCE, ESTIMATE, FRAMES, NUMBERS_AT_ONCE, PATIENCE, SHARE
from exmc_actors.views.dashboard.selection import Selection
from tests.views.dashboard.conftest import Feed, block, run


@contextmanager
def looked_at_by(pages, board):
    with ExitStack() as stack:
        for _ in range(pages):
            stack.enter_context(board.audience.page())
        yield


def test_leaving_waits_for_a_part_of_what_has_come_and_not_for_all(monkeypatch):
    seen = []

    async def main():
        board, feed = Board(Picture(chains=1, draws=10**8, tune=0)), Feed()
        observe = board.picture.observe

        def leave(messages, now, **_):
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


def test_many_pages_put_off_neither_an_end_nor_what_there_is_much_of():
    async def main():
        board, feed = Board(Picture(chains=1, draws=10**8, tune=0), is_live=False), Feed()
        await feed(*(block(0, first, 1) for first in range(3 * AT_ONCE)))
        await feed.say.aclose()
        with looked_at_by(600, board), trio.fail_after(20):  # told once a minute
            await board.follow(feed.subscribe)
        assert board.picture.rows()[0].done == 3 * AT_ONCE

    run(main)


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
        for search in ("a", "b", ""):
            frame = await board.frame(Selection(search=search), None, None, -1)
        await board.frame(Selection(), frame.shown, frame.cursor, frame.revision)
        assert await revision_after(4 * PATIENCE - ESTIMATE) == 2
        assert await revision_after(ESTIMATE) == 3

    trio.run(main, clock=clock)


def test_draws_that_would_take_more_than_a_share_of_a_core_are_passed_over_and_counted(monkeypatch):
    seconds = count()
    monkeypatch.setattr(module, "thread_time", lambda: next(seconds))  # each block takes a second
    clock = trio.testing.MockClock()
    firsts = count(0, 10)

    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))

        async def take_in(blocks):
            for _ in range(blocks):
                board._waiting = [block(0, next(firsts), 10)]
                await board._take_in()

        await take_in(4)
        assert board.picture.rows()[0].done == 40
        board.picture.estimate()
        assert board.picture.estimates.draws.tolist() == [10]  # for as many as there are seconds at first
        clock.jump(4 * SHARE)  # three of them pay for looking at what was passed over
        await take_in(1)
        board.picture.estimate()
        return board.picture

    picture = trio.run(main, clock=clock)
    assert picture.estimates.draws.tolist() == [20]
    assert picture.estimates.missed == 30
    assert picture.traces[0].end == picture.rows()[0].done


def test_a_stored_run_is_taken_in_as_a_whole(monkeypatch):
    seconds = count()
    monkeypatch.setattr(module, "thread_time", lambda: next(seconds))

    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0), is_live=False)
        for first in range(0, 100, 10):
            board._waiting = [block(0, first, 10)]
            await board._take_in()
        board.picture.estimate()
        return board.picture.estimates

    estimates = run(main)
    assert estimates.draws.tolist() == [100]
    assert estimates.missed == 0


def test_pages_that_show_the_same_and_have_seen_the_same_share_a_frame():
    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))
        board.picture.observe([block(0, 0, 10)], 0.0)
        first = await board.frame(Selection(), None, None, -1)
        assert await board.frame(Selection(), None, None, -1) is first
        assert await board.frame(Selection(), None, first.cursor, -1) is not first
        board.picture.observe([block(0, 10, 10)], 0.0)
        later = await board.frame(Selection(), None, None, -1)
        assert later.id != first.id
        board.picture.estimate()
        assert (await board.frame(Selection(), None, None, -1)).revision == 1

    run(main)


def test_what_is_kept_of_frames_does_not_grow_while_nothing_happens():
    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))
        for number in range(3 * FRAMES):
            await board.frame(Selection(search=str(number)), None, None, -1)
        assert len(board._frames) <= FRAMES

    run(main)


def test_pages_are_told_at_one_moment_ten_times_a_second_and_many_less_often():
    clock = trio.testing.MockClock()

    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))
        assert board.pause == pytest.approx(0.1)
        clock.jump(0.03)
        assert board.pause == pytest.approx(0.07)
        with looked_at_by(20, board):
            assert board.pause == pytest.approx(1.97)
            clock.jump(1.9699999999)
            assert board.pause == pytest.approx(2.0)  # the moment that is as good as there is this one

    trio.run(main, clock=clock)
