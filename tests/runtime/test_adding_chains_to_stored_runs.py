"""A stored run goes on with the chains that were added, and with more, also where a rule had ended it."""

import contextlib

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.chain import empty_state
from exmc_actors.messages import STATS, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import Log, Settings, inline
from exmc_actors.runtime.journal import BlockEntry, ChainsRecord, read
from exmc_actors.runtime.journal.records import encode_record
from exmc_actors.wire.frames import framed
from tests.runtime.conftest import (
    SETTINGS,
    FixedBlocks,
    added_after,
    after_commits,
    draws_of,
    schools,
    virtual,
)

FIRST = SETTINGS["chains"]


async def resumed(folder, **options):
    async with open_run(
        resume=folder, runner=inline, block_size=FixedBlocks((5,)), save_warmup=True, **options
    ) as run:
        return await run.result()


@pytest.mark.parametrize("commits", [0, 3, 5, 12])
def test_a_stored_run_goes_on_with_its_added_chains(commits, with_five, tmp_path):
    async def cut_off():
        async with open_run(
            schools(), **SETTINGS, store=tmp_path, runner=inline, block_size=FixedBlocks()
        ) as run:
            await run.pause()
            await run.add_chains(2)
            await run.resume()
            await after_commits(3, commits, lambda run: run.abort())(run)

    virtual(cut_off)
    assert draws_of(virtual(lambda: resumed(tmp_path))) == draws_of(with_five.tree)
    assert len(ex.load(tmp_path).posterior.chain) == 5


@pytest.mark.parametrize("commits", [5, None])
def test_a_stored_run_is_given_more_chains_when_it_goes_on(commits, with_five, tmp_path):
    async def begin():
        async with open_run(
            schools(), **SETTINGS, store=tmp_path, runner=inline, block_size=FixedBlocks()
        ) as run:
            if commits is None:
                await run.result()
            else:
                await after_commits(1, commits, lambda run: run.abort())(run)

    virtual(begin)
    with pytest.raises(ex.SettingsError, match="chains=2 is fewer than the 3 that the run in"):
        virtual(lambda: resumed(tmp_path, chains=2))
    assert draws_of(virtual(lambda: resumed(tmp_path, chains=5))) == draws_of(with_five.tree)
    assert draws_of(virtual(lambda: resumed(tmp_path))) == draws_of(with_five.tree)
    with pytest.raises(ex.SettingsError, match="chains=4 is fewer than the 5 that"):
        virtual(lambda: resumed(tmp_path, chains=4))


def test_added_chains_are_there_although_what_said_so_is_lost(with_five, tmp_path):
    added_after(4, store=tmp_path)
    (journal,) = tmp_path.glob("*.journal")
    records = [record for record in read(tmp_path).records if isinstance(record, ChainsRecord)]
    assert records == [ChainsRecord(4), ChainsRecord(5)]
    data = journal.read_bytes()
    for record in records:
        data = data.replace(framed(encode_record(record)), b"")
    journal.write_bytes(data)
    assert draws_of(virtual(lambda: resumed(tmp_path))) == draws_of(with_five.tree)


def spoil_a_block_of(chain, folder):
    """Damage a block of the chain's kept draws, behind which there are others."""
    blocks = [one for one in read(folder).records if isinstance(one, BlockEntry)]
    lost = next(one for one in blocks if one.chain == chain and one.phase == "sample")
    journal = folder / "000001.journal"
    data = bytearray(journal.read_bytes())
    data[lost.place.first + 40] ^= 1
    journal.write_bytes(data)


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_run_that_a_rule_has_ended_stays_so_although_an_added_chain_was_behind(tmp_path, is_damaged):
    async def main():
        options = SETTINGS | {"draws": 300, "store": tmp_path, "stop": ex.MaxGradients(1)}
        blocks = FixedBlocks((10,))
        async with open_run(schools(), **options, save_warmup=True, runner=inline, block_size=blocks) as run:
            await after_commits(1, 4, lambda run: run.add_chains())(run)
            return await run.result()

    def said(tree):
        told = {name: tree.attrs[name] for name in ("stopped", "draws", "chains", "added_chains")}
        # What a chain had made beyond the end is not wanted, and not made again where it is lost.
        return draws_of(tree), told, [min(length, 100) for length in tree.attrs["chain_lengths"]]

    tree = virtual(main)
    assert tree.attrs["draws"] == 300
    assert (tree.posterior.sizes["chain"], tree.posterior.sizes["draw"]) == (FIRST, 100)
    assert 0 < tree.attrs["chain_lengths"][FIRST] < 100
    if is_damaged:
        spoil_a_block_of(1, tmp_path)
    with pytest.warns(ex.StoreWarning, match="damaged") if is_damaged else contextlib.nullcontext():
        assert said(virtual(lambda: resumed(tmp_path))) == said(tree)
        assert said(ex.load(tmp_path, save_warmup=True)) == said(tree)


def test_an_added_chain_makes_again_what_it_has_lost_of_what_a_rule_found_to_be_enough():
    log = Log(Settings(draws=100, tune=0, chains=1))
    log.add_chain()
    log.add_chain()
    for chain, there in enumerate((100, 10, 20)):
        stats = {name: np.zeros(there) for name in STATS}
        log.commit(DrawBlock(chain, "sample", 0, {}, stats), 0, empty_state(1))
    log.stop_again(50, "enough", had=[100, 20, 90])
    assert [record.status for record in log.chains] == ["stopped", "stopped", "running"]
    assert not log.is_over
    log.commit(DrawBlock(2, "sample", 20, {}, {name: np.zeros(30) for name in STATS}), 20, empty_state(1))
    assert log.is_over
    assert (log.enough, log.settings.draws) == (50, 100)


def test_a_stored_run_that_was_long_enough_takes_more_chains_with_a_number_of_draws(tmp_path):
    async def main():
        options = SETTINGS | {"draws": 200, "store": tmp_path, "stop": ex.MaxGradients(1)}
        async with open_run(schools(), **options, runner=inline) as run:
            return await run.result()

    assert virtual(main).posterior.sizes["draw"] == 100
    with pytest.raises(ex.SettingsError, match="was found to be long enough: beside chains=4 say draws="):
        virtual(lambda: resumed(tmp_path, chains=4))
    longer = virtual(lambda: resumed(tmp_path, chains=4, draws=200))
    assert (longer.posterior.sizes["chain"], longer.posterior.sizes["draw"]) == (4, 200)
