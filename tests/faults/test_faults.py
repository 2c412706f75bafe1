"""Faults happen where and as often as they say, and a run heals from each."""

import errno
import random
from typing import get_args

import pytest
import trio

import exmc_actors as ex
from exmc_actors import faults as of
from exmc_actors.faults.kinds import BlockMoment, Moment
from exmc_actors.messages import ChainFailed, ChainRestarted, RunPaused, RunResumed
from exmc_actors.opening import open_run
from exmc_actors.runtime import in_thread
from exmc_actors.runtime.journal import read
from tests.runtime.conftest import (
    SETTINGS,
    FixedBlocks,
    draws_of,
    nothing_is_gathered,  # noqa: F401 - a fixture for every test of this file
    observe,
    schools,
    virtual,
)


@pytest.fixture(scope="module")
def whole(nothing_is_gathered):  # noqa: F811
    return draws_of(virtual(lambda: observe(save_warmup=True)).tree)


def disturbed(*faults, meddle=None, **options):
    injected = of.Faults(*faults)
    seen = virtual(lambda: observe(meddle, save_warmup=True, parts=injected, **options))
    return seen, injected


def reasons(seen):
    return [(m.chain, m.reason) for m in seen.messages if isinstance(m, ChainRestarted)]


ONE = [
    of.Raises(chain=1, at=33),
    of.Wrong(chain=1, at=33),
    of.Wrong(chain=1, at=0, how="chain"),
    *(of.ChainKilled(chain=1, at=33, when=when) for when in get_args(BlockMoment)),
    *(of.RecorderDies(at=20, when=when) for when in get_args(Moment)),
    of.RecorderDies(at=20, when="after", raises=True),
    *(of.ServerDies(at=20, when=when) for when in get_args(Moment)),
    of.WakeRaises(at=20),
    of.Late(chain=1, at=33, seconds=100.0),
    of.Slow(at=20, seconds=100.0),
]


@pytest.mark.parametrize("fault", ONE, ids=repr)
def test_a_run_heals_from_a_fault_to_the_same_bits(fault, whole):
    seen, injected = disturbed(fault)
    assert injected.happened == [fault]
    assert draws_of(seen.tree) == whole
    is_late = isinstance(fault, of.Late | of.Slow)
    assert bool(reasons(seen)) != is_late
    assert (seen.statistics.elapsed >= 100.0) == is_late


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (of.Raises(chain=1, at=33), "a block raised InjectedError: injected into chain 1 at transition"),
        (of.Wrong(chain=1, at=33), "a block of chain 1 has a position that is not finite"),
        (of.Wrong(chain=1, at=33, how="chain"), "a block of chain 1 is that of another chain"),
        (of.ChainKilled(chain=1, at=33), "killed"),
    ],
    ids=repr,
)
def test_only_the_chain_that_is_hit_begins_again_and_says_why(fault, reason):
    seen, _ = disturbed(fault)
    ((chain, told),) = reasons(seen)
    assert chain == 1
    assert told.startswith(reason)


def test_an_answer_that_is_always_wrong_ends_its_chain_by_name():
    seen, injected = disturbed(of.Wrong(chain=1, at=50, how="density", times=99))
    (failure,) = [m for m in seen.messages if isinstance(m, ChainFailed)]
    assert failure.chain == 1
    assert failure.reason.startswith("gave up after 3 attempts at one block: a block of chain 1 has log dens")
    assert len(injected.happened) == 3
    assert list(seen.tree.posterior.chain.values) == [0, 2]


def test_a_chain_that_hangs_goes_on_when_it_is_killed(whole):
    async def kill(run):
        await trio.sleep(3600)
        assert run.statistics().chains[1].status == "running"
        assert await run.kill_chain(1)

    seen, injected = disturbed(of.Late(chain=1, at=33), meddle=kill)
    assert injected.happened == [of.Late(chain=1, at=33)]
    assert draws_of(seen.tree) == whole


def test_faults_reach_blocks_in_worker_threads_too(whole):
    injected = of.Faults(of.Raises(chain=0, at=20), of.ChainKilled(chain=2, at=60))
    seen = trio.run(lambda: observe(save_warmup=True, parts=injected, runner=in_thread))
    assert len(injected.happened) == 2
    assert draws_of(seen.tree) == whole


DISK = [
    of.WriteFails(at=12, times=3),
    of.WriteFails(at=12, times=3, error=errno.EIO, taken=0.6),
    of.SyncFails(at=12, times=3),
    of.ShortWrite(at=2, times=30),
]


@pytest.mark.parametrize("fault", DISK, ids=repr)
def test_a_run_heals_from_a_disk_that_fails(fault, whole, tmp_path):
    injected = of.Faults(fault)
    store = ex.Store(tmp_path, 0.0, disk=injected.disk)
    seen = virtual(lambda: observe(save_warmup=True, store=store))
    assert injected.happened == [fault] * fault.times
    assert draws_of(seen.tree) == whole
    told = [m for m in seen.messages if isinstance(m, RunPaused | RunResumed)]
    assert [type(m) for m in told] == ([] if isinstance(fault, of.ShortWrite) else [RunPaused, RunResumed])
    assert read(tmp_path).damages == ()


def test_a_disk_that_is_full_from_the_start_is_told_in_a_sentence(tmp_path):
    store = ex.Store(tmp_path, disk=of.Faults(of.WriteFails(at=0)).disk)
    with pytest.raises(ex.StoreError, match="No space left on device"):
        virtual(lambda: observe(store=store))


def test_a_byte_that_changes_between_two_sittings_costs_no_draw(whole, tmp_path):
    virtual(lambda: observe(store=tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    name, byte = of.damage(tmp_path, seed=4).split(", byte ")
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    changed = [at for at, (a, b) in enumerate(zip(before[name], after[name], strict=True)) if a != b]
    assert changed == [int(byte)]

    async def go_on():
        async with open_run(resume=tmp_path, save_warmup=True) as run:
            return await run.result()

    with pytest.warns(ex.StoreWarning, match="damaged"):
        assert draws_of(trio.run(go_on)) == whole


@pytest.mark.parametrize(
    "reader",
    [
        of.Reader(overflow=ex.WAIT, capacity=1, from_start=True, stalls_after=5, stall=600.0),
        of.Reader(overflow=ex.WAIT, from_start=True, raises_after=7),
        of.Reader(capacity=4, from_start=True, seconds=60.0),
        of.Reader(overflow=ex.LATEST, from_start=True, seconds=60.0, leaves_after=1),
    ],
    ids=["stalls", "raises", "slow", "leaves"],
)
def test_a_hostile_reader_changes_no_bit(reader, whole):
    seen, _ = disturbed(views=[reader])
    assert draws_of(seen.tree) == whole
    assert reader.statistics.delivered == len(reader.seen)
    if reader.overflow is ex.WAIT:
        assert reader.statistics.dropped == 0
        assert len(reader.seen) == (reader.raises_after or len(seen.messages))
        assert reader.is_done == (reader.raises_after is None)


def test_a_fault_happens_as_often_as_it_says_and_not_before():
    faults = of.Faults(of.Raises(chain=1, at=10, times=2), of.SyncFails(at=1))
    assert faults.due(of.Raises, at=9, chain=1) is None
    assert faults.due(of.Raises, at=10, chain=0) is None
    assert [faults.due(of.Raises, at=at, chain=1) is None for at in (10, 12, 14)] == [False, False, True]
    assert [faults.due(of.SyncFails) is None for _ in range(3)] == [True, False, True]


def test_drawn_faults_are_those_of_their_seed_and_give_no_chain_up():
    options = {"chains": 3, "transitions": 100, "number": 12, "is_stored": True}
    assert of.drawn(5, **options) == of.drawn(random.Random(5), **options)
    assert of.drawn(5, **options) != of.drawn(6, **options)
    assert {type(fault) for seed in range(40) for fault in of.drawn(seed, **options)} == {
        *(of.Raises, of.Wrong, of.Late, of.ChainKilled, of.RecorderDies, of.ServerDies, of.WakeRaises),
        *(of.Slow, of.WriteFails, of.ShortWrite, of.SyncFails),
    }
    seen, injected = disturbed(*of.drawn(5, chains=3, transitions=100))
    assert injected.happened
    assert [chain.status for chain in seen.statistics.chains] == ["finished"] * 3


def test_faults_are_given_to_a_run_by_one_argument():
    async def main():
        injected = of.Faults(of.Raises(chain=0, at=5))
        options = SETTINGS | {"block_size": FixedBlocks(), "parts": injected}
        async with open_run(schools(), **options) as run:
            tree = await run.result()
        return tree.attrs["chain_restarts"]

    assert trio.run(main) == [1, 0, 0]
