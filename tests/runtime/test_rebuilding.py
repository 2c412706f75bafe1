"""Which blocks of a journal can be of its run: no block crosses a lesson, where the lessons are known."""

import pytest

from exmc_actors.runtime import Settings
from exmc_actors.runtime.journal import DRAWS_OF_A_SEED, BlockEntry, Head, Place
from exmc_actors.runtime.journal.entries import Counts
from exmc_actors.runtime.rebuilding import fits

SETTINGS = Settings(draws=200, tune=150, chains=2)
OURS = {"exmc_actors": "0.1.0", "draws of a seed": DRAWS_OF_A_SEED}
OF_BEFORE = {"exmc_actors": "0.1.0"}


def block(done, length):
    phase, first = SETTINGS.place(done)
    return BlockEntry(Place(0, 0, 0), 0, phase, first, done, length, Counts(0.1, length, 0), 3)


@pytest.mark.parametrize(("done", "length"), [(48, 36), (60, 24), (84, 41), (150, 200), (349, 1)])
@pytest.mark.parametrize("written_by", [OURS, OF_BEFORE])
def test_a_block_up_to_the_next_lesson_or_to_the_end_fits(done, length, written_by):
    assert fits(block(done, length), Head(SETTINGS, None, 3, written_by), 2)


@pytest.mark.parametrize(("done", "length"), [(48, 37), (48, 77), (60, 65)])
def test_one_that_crosses_a_lesson_fits_a_run_of_before_alone_which_may_have_had_others(done, length):
    assert not fits(block(done, length), Head(SETTINGS, None, 3, OURS), 2)
    assert fits(block(done, length), Head(SETTINGS, None, 3, OF_BEFORE), 2)


@pytest.mark.parametrize(("done", "length"), [(48, 103), (125, 26), (150, 201), (349, 2)])
@pytest.mark.parametrize("written_by", [OURS, OF_BEFORE])
def test_none_goes_from_the_warmup_into_what_follows_or_over_the_end(done, length, written_by):
    assert not fits(block(done, length), Head(SETTINGS, None, 3, written_by), 2)
