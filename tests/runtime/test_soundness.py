"""An answer that cannot follow from what a chain asked is refused, by name, before it becomes the truth."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from exmc_actors import compile
from exmc_actors.chain import chain_key
from exmc_actors.faults.garbling import garbled
from exmc_actors.faults.kinds import Wrongness
from exmc_actors.runtime import Settings, executables_for
from exmc_actors.runtime.protocol import Advance, Advanced, Start
from exmc_actors.runtime.soundness import UnsoundAnswer, sound_block, sound_start
from exmc_actors.runtime.start_position import start_positions
from tests.runtime.conftest import schools

SETTINGS = Settings(draws=60, tune=40, chains=3, random_seed=11)
HOW = get_args(Wrongness)


@pytest.fixture(scope="module")
def answers():
    """Return the start of a chain, and a block behind it."""
    target = compile(schools())
    made = executables_for(target, SETTINGS.max_treedepth)
    arguments = made.put(target.arguments)
    place = chain_key(SETTINGS.random_seed, 1), start_positions(target, SETTINGS)[1]
    state = made.start([place], arguments, 0.8)[0].state
    return target, state, made.advance([(state, 7)], arguments, SETTINGS.schedule, 0.8, 0.0)[0]


def test_a_sound_answer_is_passed_on(answers):
    target, state, block = answers
    assert sound_start(state, 1, target, SETTINGS) is state
    assert sound_block(block, 1, state, 7, target, SETTINGS) is block


@pytest.mark.parametrize("how", HOW)
def test_a_garbled_block_is_refused(answers, how):
    target, state, block = answers
    with pytest.raises(UnsoundAnswer, match="a block of chain 1"):
        sound_block(garbled(block, Advance(1, state, 7), how), 1, state, 7, target, SETTINGS)


@pytest.mark.parametrize("how", HOW)
def test_a_garbled_start_is_refused(answers, how):
    target, state, _ = answers
    with pytest.raises(UnsoundAnswer, match="the start of chain 1"):
        sound_start(garbled(state, Start(1), how), 1, target, SETTINGS)


def test_the_block_of_another_chain_and_one_that_is_too_long_are_refused(answers):
    target, state, block = answers
    other = state._replace(key=chain_key(SETTINGS.random_seed, 2))
    with pytest.raises(UnsoundAnswer, match="is that of another chain"):
        sound_block(block, 1, other, 7, target, SETTINGS)
    with pytest.raises(UnsoundAnswer, match="has 7 transitions, and 1 to 6 were asked for"):
        sound_block(block, 1, state, 6, target, SETTINGS)


def test_only_a_whole_warmup_may_go_through_lessons(answers):
    target, state, block = answers
    lessons = {lesson: {} for lesson in SETTINGS.schedule.lessons}
    made, first = SETTINGS.tune, SETTINGS.schedule.lessons[0]
    rows = np.zeros((made, block.values.shape[1])), np.repeat(block.stats[-1:], made, axis=0)
    end = block.state._replace(transitions=np.int64(made))
    whole = Advanced(end, *rows, lessons=lessons)
    assert sound_block(whole, 1, state, first, target, SETTINGS) is whole
    cut = replace(whole, lessons={first: {}})
    with pytest.raises(
        UnsoundAnswer, match=rf"has {made} transitions from 0 on with the lessons \[{first}\]"
    ):
        sound_block(cut, 1, state, first, target, SETTINGS)
    with pytest.raises(UnsoundAnswer, match=f"has {made} transitions, and 1 to {first} were asked for"):
        sound_block(replace(whole, lessons=None), 1, state, first, target, SETTINGS)
    later = state._replace(transitions=np.int64(1))
    with pytest.raises(UnsoundAnswer, match=f"has {made} transitions from 1 on"):
        sound_block(whole, 1, later, first, target, SETTINGS)
