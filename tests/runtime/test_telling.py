"""A stored run tells what it told, each thing once, whoever wrote the records."""

import pytest
import trio

from exmc_actors.messages import ChainAdded, ChainFailed, ChainFinished, ChainStopped
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.journal import (
    BlockRecord,
    ChainsRecord,
    FailedRecord,
    LengthRecord,
    StoppedRecord,
    StopRecord,
    Tail,
)
from exmc_actors.runtime.telling import Teller
from tests.runtime.conftest import SETTINGS, FixedBlocks, schools

CHAINS, DRAWS, TUNE = SETTINGS["chains"], SETTINGS["draws"], SETTINGS["tune"]


@pytest.fixture(scope="module")
def tail(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told") / "run"

    async def main():
        async with open_run(
            schools(), store=folder, runner=inline, block_size=FixedBlocks(), **SETTINGS
        ) as run:
            await run.result()

    trio.run(main)
    return Tail(folder)


@pytest.fixture(scope="module")
def records(tail):
    return tail.more()


@pytest.fixture
def teller(tail):
    return Teller(tail.head)


def blocks_of(records, chain):
    return [one for one in records if isinstance(one, BlockRecord) and one.block.chain == chain]


def test_all_records_tell_all_blocks_and_the_end_of_every_chain(teller, records):
    told = [message for record in records for message in teller.told(record)]
    assert told.count(ChainFinished(1)) == 1
    finished = [message for message in told if isinstance(message, ChainFinished)]
    assert len(told) - len(finished) == sum(isinstance(one, BlockRecord) for one in records)
    assert [one for record in records for one in teller.told(record)] == []


def test_what_follows_a_gap_or_was_told_or_is_of_another_run_tells_nothing(teller, records):
    first, second = blocks_of(records, 0)[:2]
    assert teller.told(second) == []
    assert teller.told(first) == [first.block]
    assert teller.told(first) == []
    assert teller.told(FailedRecord(99, 5, "boom", False)) == []
    assert teller.told(FailedRecord(2, TUNE + 5, "boom", False)) == [ChainFailed(2, "sample", 5, "boom")]
    assert teller.told(StoppedRecord(1, 3)) == [ChainStopped(1, "warmup", 3)]


def test_a_longer_run_is_told_of_unless_no_chain_could_be_so_long(teller):
    assert teller.told(LengthRecord(DRAWS + 10)) == []
    assert teller.draws == DRAWS + 10
    for draws in (2**62, 5, -1):
        assert teller.told(LengthRecord(draws)) == []
        assert teller.draws == DRAWS + 10


def test_where_a_rule_found_enough_all_chains_are_finished_until_more_is_asked_for(teller):
    assert teller.told(ChainsRecord(CHAINS + 1)) == [ChainAdded(CHAINS)]
    teller.told(FailedRecord(0, TUNE + 5, "boom", False))
    assert teller.told(StopRecord(20, "converged")) == [
        ChainFinished(chain) for chain in range(1, CHAINS + 1)
    ]
    assert teller.draws == 20
    assert teller.told(StopRecord(DRAWS + 1, "of another run")) == []
    assert teller.draws == 20
    teller.told(LengthRecord(DRAWS + 10))
    assert teller.draws == DRAWS + 10
