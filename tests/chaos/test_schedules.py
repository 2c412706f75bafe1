"""Whatever happens to a run, by a schedule of faults at every seam, its draws are the same bits.

``EXMC_SCHEDULES`` says how many there are; each prints its seed.  ``EXMC_SCHEDULE_SEED=N`` repeats one.
"""

import os

import pytest

from tests.chaos.drawing import draw
from tests.chaos.schedules import carry_out

FIRST = 20261128
SEEDS = range(FIRST, FIRST + int(os.environ.get("EXMC_SCHEDULES", "40")))
# An ensemble compiles a program of its own.
QUICK = [seed for seed in SEEDS if not draw(seed).what.is_ensemble][:8]
ONE = os.environ.get("EXMC_SCHEDULE_SEED")


def carried_out(seed, folder):
    print(f"EXMC_SCHEDULE_SEED={seed}")
    carry_out(draw(seed), folder)


@pytest.mark.parametrize("seed", [int(ONE)] if ONE else QUICK)
def test_a_schedule_of_faults_changes_no_bit(seed, tmp_path):
    carried_out(seed, tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [] if ONE else [seed for seed in SEEDS if seed not in QUICK])
def test_many_schedules_of_faults_change_no_bit(seed, tmp_path):
    carried_out(seed, tmp_path / "run")
