"""An audience by itself: who counts, and when all have heard."""

from functools import partial

import pytest
import trio
import trio.testing

from exmc_actors.views.dashboard import Board, Picture
from exmc_actors.views.dashboard.audience import Audience
from exmc_actors.views.dashboard.selection import Selection
from exmc_actors.views.dashboard.stream import stream


def virtual(main):
    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_an_audience_of_nobody_has_heard():
    virtual(Audience().all_have_heard)


def test_who_looks_is_counted_until_they_leave():
    audience = Audience()
    with audience.page():
        with audience.page():
            assert len(audience) == 2
        assert len(audience) == 1
    assert len(audience) == 0


def test_a_page_counts_from_its_request_on_before_it_has_been_sent_anything():
    async def send(_):
        await trio.sleep_forever()

    async def main():
        board = Board(Picture(chains=1, draws=1000, tune=0))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream, board, Selection(), "", send, {})
            await trio.testing.wait_all_tasks_blocked()
            assert len(board.audience) == 1
            nursery.cancel_scope.cancel()
        assert len(board.audience) == 0

    virtual(main)


async def hears(audience, comes, after):
    await trio.sleep(comes)
    with audience.page() as note_heard:
        await trio.sleep(after)
        note_heard()
        await trio.sleep(100)


async def leaves(audience, after):
    with audience.page():
        await trio.sleep(after)


async def waited_for(audience, *pages):
    """Return how long all pages were waited for, in virtual seconds."""
    async with trio.open_nursery() as nursery:
        for page, *times in pages:
            nursery.start_soon(page, audience, *times)
        await trio.testing.wait_all_tasks_blocked()
        await audience.all_have_heard()
        nursery.cancel_scope.cancel()
        return trio.current_time()


@pytest.mark.parametrize("last", [(hears, 0, 3), (leaves, 3)])
def test_all_have_heard_when_the_last_one_has_heard_or_left(last):
    audience = Audience()
    assert virtual(partial(waited_for, audience, (hears, 0, 1), (leaves, 2), last)) == 3


def test_who_comes_while_others_are_waited_for_is_waited_for_too():
    assert virtual(partial(waited_for, Audience(), (hears, 0, 2), (hears, 1, 4))) == 5
