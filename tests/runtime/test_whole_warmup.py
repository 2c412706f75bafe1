"""Chains that make their whole warmup in one go make the same draws, and learn the same, as leg by leg."""

import numpy as np
import pytest

from exmc_actors.chain import chain_key
from exmc_actors.compiler import compile
from exmc_actors.runtime import (
    Settings,
    executables_for,
    whole_warmup,
)
from exmc_actors.runtime.start_position import start_positions
from exmc_actors.runtime.whole_warmup import warm_up
from exmc_actors.runtime.window import pairs_that_count
from exmc_actors.warmup import Learner, teach
from tests.runtime.conftest import SETTINGS, schools

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
