"""Blocks are read from the journal for those who see them, and told where they are not what they were."""

import numpy as np
import pytest
import trio

import exmc_actors as ex
from exmc_actors.chain import empty_state
from exmc_actors.messages import DROP_OLDEST, LATEST, STAT_TYPES, STATS, WAIT, DrawBlock
from exmc_actors.runtime import Feed, History, Log, Settings, inline
from exmc_actors.runtime.journal import BlockRecord, Head, Shelf, create, segments
from tests.runtime.conftest import virtual
from tests.runtime.stored_blocks import content, spoil


def block(first, n=1):
    stats = {name: np.full(n, first, STAT_TYPES.get(name, np.float64)) for name in STATS}
    return DrawBlock(0, "sample", first, {"x": np.full((n, 2), float(first))}, stats)


@pytest.fixture
def journal(tmp_path):
    with create(tmp_path, Head(SMALL, None, 1, {})) as opened:
        yield opened


SMALL = Settings(draws=1000, tune=0, chains=1)


def filled(journal, folder, blocks, runner=inline):
    """Return a feed whose log has so many blocks, in a journal."""
    feed = Feed(Log(SMALL, History(Shelf(folder))), ("x",), runner)
    for at in range(blocks):
        record = BlockRecord(
            block(at), at, empty_state(1)._replace(transitions=np.asarray(at + 1, "<i8")), None
        )
        feed.log.commit(record.block, at, record.state, None, journal.append(record))
    return feed


def test_blocks_lie_in_every_segment(journal, tmp_path, nothing_kept, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 1500)
    log = filled(journal, tmp_path, 10).log
    assert len(segments.segments_of(tmp_path)) > 2
    assert [content(message) for message in log.messages] == [content(unwritable(at)) for at in range(10)]
    assert [message.first for message in log.messages[-3:]] == [7, 8, 9]
    with pytest.raises(IndexError):
        log.messages[10]


def unwritable(at):
    made = block(at)
    for values in (*made.draws.values(), *made.stats.values()):
        values.flags.writeable = False
    return made


async def slowly(function, **_):
    await trio.sleep(1)
    return function()


def test_a_subscriber_that_is_cancelled_while_the_journal_is_read_loses_nothing(
    journal, tmp_path, nothing_kept
):
    async def main():
        feed = filled(journal, tmp_path, 3, slowly)
        async with feed.subscribe(overflow=WAIT, from_start=True) as subscription:
            with trio.move_on_after(0.5):
                await anext(subscription)
            return [(await anext(subscription)).first for _ in range(3)]

    assert virtual(main) == [0, 1, 2]


def test_tasks_that_share_a_subscription_see_each_message_once(journal, tmp_path, nothing_kept):
    seen = []

    async def main():
        feed = filled(journal, tmp_path, 6, slowly)

        async def some():
            for _ in range(3):
                message = await anext(subscription)
                seen.append(message.first)

        async with (
            feed.subscribe(overflow=WAIT, from_start=True) as subscription,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(some)
            nursery.start_soon(some)

    virtual(main)
    assert seen == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"overflow": LATEST}, [9]),
        ({"overflow": DROP_OLDEST, "capacity": 3}, [7, 8, 9]),
        ({"overflow": WAIT, "chains": []}, []),
    ],
)
def test_nothing_is_read_that_nobody_sees(journal, tmp_path, nothing_kept, monkeypatch, options, expected):
    read, ask = [], Shelf.block

    def note(self, place):
        read.append(place)
        return ask(self, place)

    monkeypatch.setattr(Shelf, "block", note)

    async def main():
        feed = filled(journal, tmp_path, 10)
        async with feed.subscribe(from_start=True, **options) as subscription:
            feed.close()
            return [message.first async for message in subscription]

    assert virtual(main) == expected
    assert len(read) == len(expected)


def test_who_reads_a_block_that_was_damaged_meanwhile_is_told_and_may_go_on_behind_it(
    journal, tmp_path, nothing_kept
):
    async def main():
        feed = filled(journal, tmp_path, 3)
        spoil(tmp_path, feed.log.messages.position(1).place)
        async with feed.subscribe(overflow=WAIT, capacity=2, from_start=True) as subscription:
            assert (await anext(subscription)).first == 0
            with pytest.raises(ex.StoreError, match=r"000001.journal, bytes .* have changed since"):
                await anext(subscription)
            await feed.wait_for_room()
            assert (await anext(subscription)).first == 2

    virtual(main)


def test_a_block_in_the_place_of_another_is_not_taken_for_it(journal, tmp_path, nothing_kept):
    log = filled(journal, tmp_path, 3).log
    first, second = (log.messages.position(at).place for at in (0, 1))
    path = tmp_path / "000001.journal"
    data = bytearray(path.read_bytes())
    assert first.length == second.length
    data[second.first : second.first + second.length] = data[first.first : first.first + first.length]
    path.write_bytes(data)
    with pytest.raises(ex.StoreError, match="holds another block than it did"):
        log.messages[1]


def test_a_journal_that_was_taken_away_is_told(journal, tmp_path, nothing_kept):
    log = filled(journal, tmp_path, 1).log
    (tmp_path / "000001.journal").unlink()
    with pytest.raises(ex.StoreError, match="can no longer be read: No such file"):
        log.messages[0]
