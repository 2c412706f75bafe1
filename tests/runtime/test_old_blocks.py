"""Old blocks of a stored run lie in its journal alone, and nobody can tell but by the memory of the run."""

import gc
import math
import weakref

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import WAIT, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import History, history, inline
from exmc_actors.runtime.journal import Shelf
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, observe, schools, virtual
from tests.runtime.stored_blocks import content, spoil

OPTIONS = SETTINGS | {"runner": inline, "save_warmup": True}
KEPT = [0, 3000, math.inf]


@pytest.fixture(params=KEPT)
def kept(request, monkeypatch):
    """How many bytes of blocks stay in memory."""
    monkeypatch.setattr(history, "RECENT_BYTES", request.param)
    return request.param


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
