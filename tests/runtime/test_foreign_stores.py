"""A folder that somebody sends may hold any record: what cannot be of its run is left out, or refused."""

from dataclasses import replace
from types import MappingProxyType

import pytest

import exmc_actors as ex
from exmc_actors.runtime.journal import (
    MOST_ADDED,
    BlockEntry,
    BlockRecord,
    ChainsRecord,
    Shelf,
    encode_head,
    read,
)
from exmc_actors.runtime.journal.records import encode_record
from exmc_actors.runtime.rebuilding import number_of_chains
from exmc_actors.wire.frames import framed
from tests.runtime.conftest import SETTINGS, draws_of
from tests.runtime.stored import lay_out, went_on

JOURNAL = "000001.journal"


def blocks(folder):
    """Return the records of all blocks of a folder."""
    entries = [one for one in read(folder).records if isinstance(one, BlockEntry)]
    return [Shelf(folder).record(entry.place) for entry in entries]


def exchanged(files, pairs):
    """Return files in whose journal some records stand in the place of others."""
    data = files[JOURNAL]
    for before, after in pairs:
        assert framed(encode_record(before)) in data
        data = data.replace(framed(encode_record(before)), framed(encode_record(after)))
    return files | {JOURNAL: data}


def with_draws(record: BlockRecord, draws):
    return replace(record, block=replace(record.block, draws=MappingProxyType(draws)))


def renamed(record):
    draws = {"nu" if name == "mu" else name: values for name, values in record.block.draws.items()}
    return with_draws(record, draws)


def shortened(record):
    draws = dict(record.block.draws)
    return with_draws(record, draws | {"theta": draws["theta"][:, :3]})


def emptied(record):
    return with_draws(record, {})


@pytest.mark.parametrize("change", [renamed, shortened, emptied])
@pytest.mark.parametrize("which", [0, -1])
def test_a_block_of_other_variables_is_left_out_and_made_again(change, which, whole, undisturbed, tmp_path):
    lay_out(tmp_path, whole)
    record = blocks(tmp_path)[which]
    lay_out(tmp_path, exchanged(whole, [(record, change(record))]))
    with pytest.warns(ex.StoreWarning, match=r"is damaged \(record \d+\)"):
        assert draws_of(went_on(tmp_path)) == undisturbed


def test_draws_of_another_model_than_the_stored_one_are_refused(whole, tmp_path):
    lay_out(tmp_path, whole)
    lay_out(tmp_path, exchanged(whole, [(record, renamed(record)) for record in blocks(tmp_path)]))
    for look in (ex.load, went_on):
        with pytest.raises(ex.StoreError, match="holds draws of another model than its own"):
            look(tmp_path)


def test_a_model_that_is_none_is_a_matter_of_the_store(whole, tmp_path):
    lay_out(tmp_path, whole)
    head = read(tmp_path).head
    before, after = (framed(encode_head(one)) for one in (head, replace(head, model=b"no model")))
    journal = whole[JOURNAL].replace(before, after)
    assert journal != whole[JOURNAL]
    lay_out(tmp_path, whole | {JOURNAL: journal, "head": after})
    for look in (ex.load, went_on):
        with pytest.raises(ex.StoreError, match="holds no model that can be read"):
            look(tmp_path)


@pytest.mark.parametrize("chains", [1 << 40, -1, SETTINGS["chains"] + MOST_ADDED + 1])
def test_a_record_of_more_chains_than_a_run_can_have_counts_for_nothing(chains, whole, undisturbed, tmp_path):
    lay_out(tmp_path, whole)
    last = blocks(tmp_path)[-1]
    elsewhere = replace(last, block=replace(last.block, chain=max(0, chains)))
    foreign = [ChainsRecord(chains), *([elsewhere] if chains > 0 else [])]
    data = b"".join(framed(encode_record(record)) for record in foreign)
    lay_out(tmp_path, whole | {JOURNAL: whole[JOURNAL] + data})
    assert number_of_chains(read(tmp_path).head, read(tmp_path).records) == SETTINGS["chains"]
    loaded = draws_of(ex.load(tmp_path))
    assert loaded == {name: bits for name, bits in undisturbed.items() if name in loaded}
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_nobody_may_ask_for_more_chains_than_can_be_kept(whole, tmp_path):
    lay_out(tmp_path, whole)
    most = SETTINGS["chains"] + MOST_ADDED
    with pytest.raises(ex.SettingsError, match=f"chains={most + 1} is more than the {most} that the run in"):
        went_on(tmp_path, chains=most + 1)
