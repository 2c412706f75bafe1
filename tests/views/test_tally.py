import math

import pytest

from exmc_actors.messages import (
    ChainAdded,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStalled,
    ChainStopped,
)
from exmc_actors.views.tally import Tally


@pytest.fixture
def tally() -> Tally:
    return Tally(chains=2, draws=1000, tune=500)


def test_a_chain_of_which_nothing_was_heard_is_waiting(tally):
    row = tally.rows()[1]
    assert (row.state, row.phase, row.done, row.divergences) == ("waiting", "warmup", 0, 0)
    assert math.isnan(row.step_size)
    assert math.isnan(row.steps_per_draw)
    assert math.isnan(row.draws_per_second)


def test_a_chain_without_warmup_waits_for_its_draws():
    assert Tally(chains=1, draws=10, tune=0).rows()[0].phase == "sample"


def test_a_block_says_where_its_chain_stands(tally, block):
    tally.observe(block(0, "warmup", 0, 100, n_steps=3, step_size=0.1), 1.0)
    tally.observe(block(0, "warmup", 100, 50, n_steps=9, step_size=0.2), 2.0)
    row = tally.rows()[0]
    assert (row.state, row.done, row.step_size) == ("warmup", 150, 0.2)
    assert row.steps_per_draw == (100 * 3 + 50 * 9) / 150
    assert tally.rows()[1].state == "waiting"


def test_counting_starts_again_after_warmup(tally, block):
    tally.observe(block(0, "warmup", 0, 500, diverged=20, n_steps=100), 1.0)
    tally.observe(block(0, "sample", 0, 40, diverged=2, n_steps=7), 2.0)
    row = tally.rows()[0]
    assert (row.state, row.done, row.divergences, row.steps_per_draw) == ("sampling", 40, 2, 7.0)
    assert not row.missed


def test_positions_stay_right_although_blocks_were_dropped(tally, block):
    tally.observe(block(0, "sample", 0, 10, diverged=1), 1.0)
    tally.observe(block(0, "sample", 200, 10, diverged=1), 2.0)
    row = tally.rows()[0]
    assert (row.done, row.divergences, row.missed) == (210, 2, True)


@pytest.mark.parametrize(("phase", "missed"), [("warmup", False), ("sample", True)])
def test_what_was_missed_before_joining_matters_after_warmup_only(tally, block, phase, missed):
    tally.observe(block(0, phase, 300, 10), 1.0)
    assert tally.rows()[0].missed is missed


def test_speed_counts_from_the_first_message_and_through_both_phases(tally, block):
    tally.observe(block(0, "warmup", 300, 100), 10.0)
    assert math.isnan(tally.rows()[0].draws_per_second)
    tally.observe(block(0, "sample", 0, 50), 12.0)
    assert tally.rows()[0].draws_per_second == (550 - 400) / 2


def test_speed_is_open_while_no_time_has_passed(tally, block):
    tally.observe(block(0, "warmup", 0, 1), 5.0)
    tally.observe(block(0, "warmup", 1, 1), 5.0)
    assert math.isnan(tally.rows()[0].draws_per_second)


def test_a_restart_leaves_a_mark_and_takes_nothing_back(tally, block):
    tally.observe(block(0, "sample", 0, 512), 1.0)
    tally.observe(ChainRestarted(0, "sample", 512, 2, "killed"), 2.0)
    row = tally.rows()[0]
    assert (row.state, row.done, row.restarts) == ("sampling", 512, 2)
    assert row.note == "restarted 2x, last at draw 512: killed"


def test_a_chain_that_gives_up_says_where_and_why(tally):
    tally.observe(ChainFailed(1, "warmup", 100, "boom"), 1.0)
    row = tally.rows()[1]
    assert (row.state, row.note) == ("failed", "gave up at warmup draw 100: boom")


def test_a_chain_that_the_user_stops_says_so_and_counts_as_ended(tally):
    tally.observe(ChainStopped(1, "warmup", 100), 1.0)
    row = tally.rows()[1]
    assert (row.state, row.note) == ("stopped", "stopped by the user at warmup draw 100")
    assert (tally.totals().stopped, tally.totals().in_warmup) == (1, 1)


def test_a_chain_that_is_added_has_a_row_of_its_own(tally):
    before = tally.totals()
    tally.observe(ChainAdded(tally.chains), 1.0)
    assert tally.rows()[-1].state == "waiting"
    assert len(tally.rows()) == tally.chains
    assert tally.totals().in_warmup == before.in_warmup + 1


def test_a_chain_that_gives_up_at_its_first_draw_has_left_warmup(tally):
    tally.observe(ChainFailed(0, "sample", 0, "boom"), 1.0)
    assert tally.rows()[0].phase == "sample"
    assert not tally.rows()[0].missed


def test_totals_are_in_warmup_until_the_first_chain_has_left_it(tally, block):
    tally.observe(block(0, "warmup", 0, 500), 1.0)
    tally.observe(block(1, "warmup", 0, 20), 1.0)
    totals = tally.totals()
    assert (totals.phase, totals.done, totals.wanted, totals.in_warmup) == ("warmup", 520, 1000, 2)
    tally.observe(block(0, "sample", 0, 30, diverged=1), 2.0)
    totals = tally.totals()
    assert (totals.phase, totals.done, totals.wanted, totals.in_warmup) == ("sample", 30, 2000, 1)


def test_totals_add_up_what_happened(tally, block):
    tally.observe(block(0, "sample", 0, 1000, diverged=3), 1.0)
    tally.observe(ChainFinished(0), 1.0)
    tally.observe(ChainRestarted(1, "sample", 0, 3, "killed"), 1.0)
    tally.observe(ChainFailed(1, "sample", 0, "boom"), 1.0)
    totals = tally.totals()
    assert (totals.divergences, totals.restarts, totals.finished, totals.failed) == (3, 3, 1, 1)


def test_a_chain_that_stalls_says_so_until_its_block_is_there(tally, block):
    tally.observe(ChainRestarted(0, "sample", 0, 1, "killed"), 1.0)
    tally.observe(ChainStalled(0, "sample", 512, 63.4), 2.0)
    assert tally.rows()[0].note == "has been at draw 512 for 63 s, far longer than foretold"
    tally.observe(block(0, "sample", 512, 8), 3.0)
    assert tally.rows()[0].note == "restarted 1x, last at draw 0: killed"


def test_a_chain_that_stalls_and_is_started_again_stalls_no_longer(tally):
    tally.observe(ChainStalled(0, "warmup", 3, 63.4), 2.0)
    tally.observe(ChainRestarted(0, "warmup", 3, 1, "too long"), 3.0)
    assert tally.rows()[0].note == "restarted 1x, last at warmup draw 3: too long"
