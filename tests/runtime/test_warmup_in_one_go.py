"""Runs whose chains make their warmup in one go draw the same bits, whatever dies or fails on the way."""

import gc
import math
import weakref
from dataclasses import replace

import numpy as np
import pytest

import exmc_actors as ex
import supervision as sv
from exmc_actors.chain import chain_key
from exmc_actors.compiler import compile
from exmc_actors.messages import DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import (
    Settings,
    block_size,
    call_sizes,
    executables_for,
    inline,
    model_server,
    request,
    warmup_requests,
)
from exmc_actors.runtime.block_size import MOST_AT_ONCE, ByWallTime
from exmc_actors.runtime.crew import Crew
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.protocol import Commit
from exmc_actors.runtime.recorder import Recorder
from exmc_actors.runtime.whole_warmup import warm_up
from tests.runtime.conftest import SETTINGS, FixedBlocks, added_after, draws_of, observe, schools, virtual

HOW = Settings(**SETTINGS)
SCHEDULE = HOW.schedule


class Together(list):
    """Who made a whole warmup together, each time; ``on_the_way`` is done once, when the next one is made."""

    on_the_way = None


@pytest.fixture
def together(monkeypatch):
    """Let chains that ask together make their warmup in one go, and note who did."""
    monkeypatch.setattr(request, "GATHERED", math.inf)
    noted = Together()

    def warmed(leg, states, schedule):
        made = warm_up(leg, states, schedule)
        noted.append(sorted(made))
        act, noted.on_the_way = noted.on_the_way, None
        if act is not None:
            act()
        return made

    monkeypatch.setattr(warmup_requests, "warm_up", warmed)
    virtual(observe)  # nothing is gathered before the pace is known
    return noted


def in_one_go(meddle=None, **options):
    return virtual(lambda: observe(meddle, save_warmup=True, block_size=FixedBlocks(at_once=True), **options))


def test_each_chain_commits_one_block_of_its_warmup(together, undisturbed):
    seen = in_one_go()
    assert together == [[0, 1, 2]]
    warmup = [one for one in seen.messages if isinstance(one, DrawBlock) and one.phase == "warmup"]
    assert sorted((block.chain, block.first, len(block)) for block in warmup) == [
        (chain, 0, HOW.tune) for chain in range(3)
    ]
    assert draws_of(seen.tree) == undisturbed


def test_one_chain_alone_goes_through_its_lessons_too(together):
    alone = draws_of(virtual(lambda: observe(save_warmup=True, chains=1)).tree)
    assert draws_of(in_one_go(chains=1).tree) == alone
    assert together == [[0]]


def test_a_whole_warmup_foretells_the_pace_of_what_follows(together):
    foretold = {}

    class Told(FixedBlocks):
        def foresee(self, chain, seconds, at_most):
            foretold[chain] = seconds, at_most

    virtual(lambda: observe(block_size=Told(at_once=True)))
    assert together == [[0, 1, 2]]
    assert sorted(foretold) == [0, 1, 2]
    assert all(0.0 < seconds < math.inf for seconds, _ in foretold.values())
    assert all(at_most == 0.0 for _, at_most in foretold.values())  # time is virtual


@pytest.mark.parametrize("victim", ["chain 1", "recorder", "model server"])
def test_killing_an_actor_on_the_way_changes_no_bit(together, victim, undisturbed):
    def exchange(parts):
        together.on_the_way = lambda: parts.names.via(victim).exit(sv.KILL)
        return parts

    seen = in_one_go(parts=exchange)
    assert together[0] == [0, 1, 2]
    assert together.on_the_way is None
    assert draws_of(seen.tree) == undisturbed


@pytest.mark.parametrize("chain", range(3))
def test_a_recorder_that_dies_at_a_whole_warmup_has_its_lessons_or_holds_them_again(
    together, chain, undisturbed
):
    deaths = [RuntimeError("the recorder dies")]

    class Dying(Recorder):
        async def handle_call(self, message):
            answer = await super().handle_call(message)
            if isinstance(message, Commit) and message.block.chain == chain and deaths:
                assert message.lessons is not None
                raise deaths.pop()
            return answer

    def exchange(parts):
        return replace(parts, program=lambda program: Dying if program is Recorder else program)

    assert draws_of(in_one_go(parts=exchange).tree) == undisturbed
    assert not deaths


def poison(monkeypatch, chain, at):
    """Let every call raise that takes a chain on from some transition or a later one."""
    advance, key = Executables.advance, chain_key(SETTINGS["random_seed"], chain)

    def poisoned(self, chains, *rest):
        if any(np.array_equal(state.key, key) and state.transitions >= at for state, _ in chains):
            raise FloatingPointError("the poison of this test")
        return advance(self, chains, *rest)

    monkeypatch.setattr(Executables, "advance", poisoned)


def test_a_fault_on_the_way_is_that_of_one_chain(together, monkeypatch):
    poison(monkeypatch, chain=1, at=10)
    leg_by_leg_of_two = virtual(lambda: observe(save_warmup=True)).tree
    seen = in_one_go()
    assert list(seen.tree.posterior.chain.values) == [0, 2]
    assert draws_of(seen.tree) == draws_of(leg_by_leg_of_two)


def test_what_one_chain_alone_has_made_before_its_fault_is_kept(together, monkeypatch):
    poison(monkeypatch, chain=0, at=SCHEDULE.lessons[1])

    async def main():
        options = SETTINGS | {"chains": 1, "runner": inline, "block_size": FixedBlocks(at_once=True)}
        async with open_run(schools(), **options) as run:
            with pytest.raises(ex.RunFailed, match="the poison of this test"):
                await run.result()
            return run.statistics().chains[0]

    chain = virtual(main)
    assert (chain.phase, chain.index) == ("warmup", SCHEDULE.lessons[1])


def test_a_chain_that_is_added_meanwhile_starts_beside_a_whole_warmup(together, with_five):
    async def add(run):
        assert await run.add_chains(2) == range(3, 5)

    seen = in_one_go(add)
    assert draws_of(seen.tree) == draws_of(with_five.tree)


def test_added_chains_follow_lessons_that_were_held_on_the_way(together, with_five):
    seen = added_after(0, block_size=FixedBlocks(at_once=True))
    assert together == [[0, 1, 2]]
    assert draws_of(seen.tree) == draws_of(with_five.tree)


def test_what_a_whole_warmup_has_left_does_not_wait_for_a_garbage_collection(together):
    async def main():
        options = SETTINGS | {"runner": inline, "block_size": FixedBlocks(at_once=True)}
        async with open_run(schools(), **options) as run:
            await run.result()
            log = weakref.ref(run._log)
        del run
        return log

    gc.collect()
    gc.disable()
    try:
        log = virtual(main)
        assert together == [[0, 1, 2]]
        assert log() is None
    finally:
        gc.enable()


def test_a_stored_run_goes_leg_by_leg(together, tmp_path, undisturbed):
    assert draws_of(in_one_go(store=tmp_path / "run").tree) == undisturbed
    assert together == []


def test_a_run_without_lessons_has_nothing_to_go_through(together):
    in_one_go(tune=9)
    assert together == []


@pytest.mark.parametrize(("rows", "is_whole"), [(0, True), (-1, False)])
def test_a_leg_of_more_transitions_than_a_call_has_rows_is_made_in_blocks(
    together, monkeypatch, undisturbed, rows, is_whole
):
    capacity = SCHEDULE.longest_leg + rows
    monkeypatch.setattr(executables_for(compile(schools()), HOW.max_treedepth), "capacity", capacity)
    assert draws_of(in_one_go().tree) == undisturbed
    assert together == [[0, 1, 2]] * is_whole


def test_what_is_expected_to_take_long_goes_leg_by_leg():
    assert ByWallTime().fits_at_once(0.9 * MOST_AT_ONCE)
    assert not ByWallTime().fits_at_once(MOST_AT_ONCE)


def fail(crew):
    raise RuntimeError("a helper that is of no help")


@pytest.mark.parametrize("help_others", [Crew.help, fail], ids=["with helpers", "without"])
def test_a_warm_program_warms_up_in_one_go_to_the_same_bits(together, monkeypatch, help_others):
    options = {"random_seed": 1, "cores": 2, "target_accept": 0.95, "save_warmup": True, "progressbar": False}
    program = ex.compile(schools())
    ex.sample(program, **options)
    together.clear()
    # However busy the machine is, the starts of all chains are gathered, so that all go on together.
    monkeypatch.setattr(model_server, "PATIENCE", 60.0)
    monkeypatch.setattr(Crew, "help", help_others)
    monkeypatch.setattr(call_sizes, "WORTH_A_THREAD", 0.0)
    monkeypatch.setattr(block_size, "MOST_AT_ONCE", math.inf)
    whole = draws_of(ex.sample(program, **options))
    assert together == [[0, 1, 2, 3]]
    monkeypatch.setattr(block_size, "MOST_AT_ONCE", 0.0)
    assert draws_of(ex.sample(program, **options)) == whole
    assert together == [[0, 1, 2, 3]]
