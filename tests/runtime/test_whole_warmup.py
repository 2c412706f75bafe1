"""Chains that make their whole warmup in one go make the same draws, and learn the same, as leg by leg."""

import math
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
    warmup_requests,
    whole_warmup,
)
from exmc_actors.runtime.block_size import MOST_AT_ONCE, ByWallTime
from exmc_actors.runtime.crew import Crew
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.protocol import Commit
from exmc_actors.runtime.recorder import Recorder
from exmc_actors.runtime.start_position import start_positions
from exmc_actors.runtime.whole_warmup import warm_up
from exmc_actors.runtime.window import pairs_that_count
from exmc_actors.warmup import Learner, teach
from tests.runtime.conftest import SETTINGS, FixedBlocks, added_after, draws_of, observe, schools, virtual

HOW = Settings(**SETTINGS)
SCHEDULE = HOW.schedule


@pytest.fixture(scope="module")
def begun():
    """Return what makes a leg, and where three chains start."""
    target = compile(schools())
    made = executables_for(target, HOW.max_treedepth)
    arguments = made.put(target.arguments)
    places = start_positions(target, HOW)
    keys = [chain_key(HOW.random_seed, chain) for chain in range(HOW.chains)]
    started = made.start(list(zip(keys, places, strict=True)), arguments, HOW.target_accept)
    states = {chain: one.state for chain, one in enumerate(started)}

    def leg(states, transitions):
        asked = [(state, transitions) for state in states]
        return made.advance(asked, arguments, SCHEDULE, HOW.target_accept, 0.0)

    return leg, states


def leg_by_leg(leg, states):
    """Return each chain's last state, its values and statistics, and all lessons; one chain a call."""
    done, told, rows, held = 0, {chain: [] for chain in states}, {chain: [] for chain in states}, {}
    for lesson in SCHEDULE.lessons:
        learners, start = {}, SCHEDULE.window_start(lesson)
        for chain, before in states.items():
            (made,) = leg([before], lesson - done)
            pairs = pairs_that_count(before, made)
            told[chain].append((done, np.zeros((0, 2, 10)) if pairs is None else pairs))
            rows[chain].append((made.values, made.stats))
            window = np.concatenate([pairs for first, pairs in told[chain] if first >= start])
            learners[chain] = Learner(window, made.state.metric, float(made.state.step_size.log_average))
            states = states | {chain: made.state}
        held[lesson] = teach(SCHEDULE, lesson, learners)
        ends, done = states, lesson
        states = {chain: state.with_lesson(held[lesson][chain]) for chain, state in states.items()}
    arrays = {
        chain: [np.concatenate(parts) for parts in zip(*legs, strict=True)] for chain, legs in rows.items()
    }
    return ends, arrays, held


def test_a_whole_warmup_is_its_legs_and_lessons(begun):
    leg, states = begun
    ends, arrays, held = leg_by_leg(leg, states)
    made = warm_up(leg, {chain: states[chain] for chain in (2, 0, 1)}, SCHEDULE)
    assert sorted(made) == [0, 1, 2]
    for chain, whole in made.items():
        assert bits(whole.state) == bits(ends[chain])
        np.testing.assert_array_equal(whole.values, arrays[chain][0])
        np.testing.assert_array_equal(whole.stats, arrays[chain][1])
        assert whole.pairs is None
        assert not whole.values.flags.writeable
        assert not whole.stats.flags.writeable
        assert bits(dict(whole.lessons)) == bits(held)


def bits(value):
    """Return a nested value with the bytes of each number and array."""
    if isinstance(value, dict):
        return {key: bits(one) for key, one in value.items()}
    if hasattr(value, "metric") and not hasattr(value, "_fields"):
        return bits(value.metric), value.log_step_size
    if isinstance(value, tuple):
        return tuple(map(bits, value))
    return np.asarray(value).tobytes()


def test_a_warmup_that_takes_long_ends_with_its_first_leg(begun, monkeypatch):
    leg, states = begun
    monkeypatch.setattr(whole_warmup, "LONGEST", 0.0)
    calls = []

    def noted(states, transitions):
        calls.append(transitions)
        return leg(states, transitions)

    made = warm_up(noted, states, SCHEDULE)
    first = SCHEDULE.lessons[0]
    assert [len(one.stats) for one in made.values()] == [first] * 3
    assert all(one.lessons is None and len(one.pairs) == first for one in made.values())
    assert len(calls) == 2


class Together(list):
    """Who made a whole warmup together, each time; ``on_the_way`` is done once, when the next one is made."""

    on_the_way = None


@pytest.fixture
def together(monkeypatch):
    """Let chains that ask together make their warmup in one go, and note who did."""
    monkeypatch.setattr(model_server, "GATHERED", math.inf)
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
    options = {"random_seed": 1, "cores": 2, "save_warmup": True, "progressbar": False}
    program = ex.compile(schools())
    ex.sample(program, **options)
    together.clear()
    monkeypatch.setattr(Crew, "help", help_others)
    monkeypatch.setattr(call_sizes, "WORTH_A_THREAD", 0.0)
    monkeypatch.setattr(block_size, "MOST_AT_ONCE", math.inf)
    whole = draws_of(ex.sample(program, **options))
    assert together == [[0, 1, 2, 3]]
    monkeypatch.setattr(block_size, "MOST_AT_ONCE", 0.0)
    assert draws_of(ex.sample(program, **options)) == whole
    assert together == [[0, 1, 2, 3]]
