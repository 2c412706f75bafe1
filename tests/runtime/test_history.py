"""Old blocks of a stored run lie in its journal alone, and nobody can tell but by the memory of the run."""

import gc
import math
import weakref

import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.chain import empty_state
from exmc_actors.messages import DROP_OLDEST, LATEST, STAT_TYPES, STATS, WAIT, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import Feed, History, Log, Settings, history, inline
from exmc_actors.runtime.journal import BlockRecord, Head, Shelf, create, segments
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, observe, schools, virtual

OPTIONS = SETTINGS | {"runner": inline, "save_warmup": True}
KEPT = [0, 3000, math.inf]


@pytest.fixture(params=KEPT)
def kept(request, monkeypatch):
    """How many bytes of blocks stay in memory."""
    monkeypatch.setattr(history, "RECENT_BYTES", request.param)
    return request.param


@pytest.fixture
def nothing_kept(monkeypatch):
    monkeypatch.setattr(history, "RECENT_BYTES", 0)


def content(message):
    """Return all that a message says, so that two can be compared."""
    if not isinstance(message, DrawBlock):
        return message
    columns = {**message.draws, **{f"{name} of stats": values for name, values in message.stats.items()}}
    arrays = {name: (a.dtype, a.shape, a.tobytes(), a.flags.writeable) for name, a in columns.items()}
    return message.chain, message.phase, message.first, arrays


@pytest.fixture
def taken(monkeypatch):
    """Return what every message said when the log took it."""
    told, append = [], History.append

    def note(self, message, *place):
        told.append(content(message))
        append(self, message, *place)

    monkeypatch.setattr(History, "append", note)
    return told


async def disturb(run):
    await run.pause()
    await trio.sleep(5)
    run.supervisor.child("engine", "recorder").exit(sv.KILL)
    await trio.sleep(5)
    await run.resume()
    await run.kill_chain(2)


def test_messages_and_result_are_the_same_wherever_they_lie(kept, taken, tmp_path, undisturbed):
    seen = virtual(
        lambda: observe(after_commits(1, 4, disturb), save_warmup=True, store=tmp_path, runner=inline)
    )
    assert draws_of(seen.tree) == undisturbed
    assert [content(message) for message in seen.messages] == taken


def test_a_run_that_goes_on_shows_what_was_there_before(kept, taken, tmp_path, undisturbed):
    class Cut(Exception):
        pass

    async def stop(run):
        raise Cut

    with pytest.raises(BaseExceptionGroup):
        virtual(lambda: observe(after_commits(0, 6, stop), store=tmp_path))
    blocks_before = [one for one in taken if isinstance(one, tuple)]
    taken.clear()

    async def main():
        async with open_run(resume=tmp_path, runner=inline, save_warmup=True) as run:
            tree = await run.result()
            async with run.subscribe(overflow=WAIT, from_start=True) as feed:
                return [content(message) async for message in feed], tree

    told, tree = virtual(main)
    assert draws_of(tree) == undisturbed
    since = len(told) - len(taken)
    assert sorted(told[:since], key=by_place) == sorted(blocks_before, key=by_place)
    assert told[since:] == taken


def by_place(told):
    return told[:3]


def test_a_rule_stops_a_run_at_the_same_draw(kept, tmp_path):
    options = OPTIONS | {"draws": 300, "stop": ex.Converged(rhat=50.0, ess=1.0), "block_size": FixedBlocks()}

    async def main(**store):
        async with open_run(schools(), **options, **store) as run:
            return await run.result()

    stored, plain = virtual(lambda: main(store=tmp_path)), virtual(main)
    assert stored.posterior.sizes["draw"] == 100
    assert (draws_of(stored), stored.attrs["stopped"]) == (draws_of(plain), plain.attrs["stopped"])


@pytest.mark.parametrize("most", [0, 4000, math.inf])
def test_the_arrays_of_old_blocks_are_let_go_of(most, tmp_path, monkeypatch):
    monkeypatch.setattr(history, "RECENT_BYTES", most)
    bases, append = [], History.append

    def note(self, message, *place):
        if isinstance(message, DrawBlock):
            base = message.stats["lp"].base
            bases.append((weakref.ref(base), base.nbytes))
        append(self, message, *place)

    monkeypatch.setattr(History, "append", note)

    async def main():
        async with open_run(schools(), **OPTIONS, store=tmp_path, block_size=FixedBlocks()) as run:
            async with run.subscribe(overflow=WAIT) as feed:
                async for _ in feed:
                    pass
            gc.collect()
            return sum(nbytes for base, nbytes in bases if base() is not None)

    alive = virtual(main)
    everything = sum(nbytes for _, nbytes in bases)
    # What the actors have answered last may hold a block of each chain.
    largest = OPTIONS["chains"] * max(nbytes for _, nbytes in bases)
    assert most + largest < everything / 2 or most == math.inf
    assert alive <= most + largest
    if most == math.inf:
        assert alive == everything


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


def spoil(folder, place):
    path = folder / f"{place.segment:06d}.journal"
    data = bytearray(path.read_bytes())
    data[place.first + place.length // 2] ^= 1
    path.write_bytes(data)


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


def test_damage_while_a_run_goes_on_costs_its_readers_and_not_the_run(tmp_path, nothing_kept, undisturbed):
    async def main():
        async def harm(run):
            log = run._log
            at = next(at for at in range(len(log.messages)) if log.messages.position(at).phase == 1)
            spoil(tmp_path, log.messages.position(at).place)

        async with open_run(schools(), **OPTIONS, store=tmp_path, block_size=FixedBlocks()) as run:
            await after_commits(0, 8, harm)(run)
            with pytest.raises(ex.StoreError, match="have changed since they were written"):
                await run.result()
            statistics = run.statistics()
            assert [chain.status for chain in statistics.chains] == ["finished"] * 3
            assert [chain.restarts for chain in statistics.chains] == [0] * 3

    async def again():
        async with open_run(resume=tmp_path, runner=inline, save_warmup=True) as run:
            return await run.result()

    virtual(main)
    with pytest.warns(ex.StoreWarning, match="is damaged"):
        assert draws_of(virtual(again)) == undisturbed


def test_a_rule_that_cannot_be_judged_any_more_costs_no_draw(tmp_path, nothing_kept):
    options = OPTIONS | {"draws": 220, "stop": ex.MaxDivergences(10**6), "block_size": FixedBlocks()}

    async def main():
        async def harm(run):
            spoil(tmp_path, run._log.messages.position(0).place)
            at = next(at for at, row in enumerate(run._log.messages.positions()) if row[1] == 1)
            spoil(tmp_path, run._log.messages.position(at).place)

        async with open_run(schools(), **options, store=tmp_path) as run:
            await after_commits(0, 8, harm)(run)
            await run.wait_over()
            return run.statistics()

    with pytest.warns(ex.StoreWarning, match="the stopping rule can no longer be judged"):
        statistics = virtual(main)
    assert [chain.index for chain in statistics.chains] == [220] * 3


def test_a_run_that_goes_on_has_read_no_block_but_the_last_of_each_chain(tmp_path, monkeypatch):
    async def main(**options):
        async with open_run(**options, runner=inline, block_size=FixedBlocks()) as run:
            await run.wait_over()
            return run._log

    virtual(lambda: main(model=schools(), **SETTINGS, store=tmp_path))
    read, ask = [], Shelf.record
    monkeypatch.setattr(Shelf, "record", lambda self, place: (read.append(place), ask(self, place))[1])
    log = virtual(lambda: main(resume=tmp_path))
    assert len(read) == SETTINGS["chains"]
    blocks = [at for at in range(len(log.messages)) if log.messages.position(at).phase >= 0]
    assert all(log.messages.in_memory(at) is None for at in blocks)
    assert len(blocks) > 20
