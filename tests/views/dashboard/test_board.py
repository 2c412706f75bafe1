"""A board by itself: what it takes in, estimates and hands out, without a server before it."""

import trio

from exmc_actors.views.dashboard import Board, Picture
from exmc_actors.views.dashboard.board import NUMBERS_AT_ONCE
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
