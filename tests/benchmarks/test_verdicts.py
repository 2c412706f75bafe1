"""What decides whether a cell of the benchmark counts decides it rightly, and ratios are of what counts."""

import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "verdicts.py"
verdicts = SimpleNamespace(**runpy.run_path(str(FILE)))

DENSITY = np.random.default_rng(1).normal(-500.0, 100.0, 200)
REFERENCE = {"mu": (3.0, 0.001), "beta[1]": (-1.0, 0.002)}


def run(**other):
    means, errors = {"mu": 3.01, "beta[1]": -1.01}, {"mu": 0.01, "beta[1]": 0.01}
    return {"seed": 1, "rhat": 1.005, "diverging": 0.0, "means": means, "errors": errors} | other


def cell(peer, problem, value, *, counts=True, draws=1000):
    return {
        "peer": peer,
        "problem": problem,
        "draws": draws,
        "counts": counts,
        "ess_per_second": [value, value, value],
    }


def test_densities_may_differ_by_a_constant():
    assert verdicts.disagreement(DENSITY, DENSITY + 1234.5) is None


def test_densities_may_not_differ_at_one_point():
    other = DENSITY.copy()
    other[7] *= 1 + 1e-8
    assert "differ by 1.0e-08" in verdicts.disagreement(DENSITY, other)


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_densities_are_finite(value):
    other = DENSITY.copy()
    other[7] = value
    assert "finite" in verdicts.disagreement(DENSITY, other)
    assert "finite" in verdicts.disagreement(other, other)


def test_a_good_cell_has_no_faults():
    assert verdicts.faults([run(), run(seed=2)], 1000, REFERENCE) == []


def test_a_long_run_must_mix_better_than_a_short_one():
    assert verdicts.faults([run(rhat=1.02)], 1000, REFERENCE) == []
    assert verdicts.faults([run(rhat=1.02)], 10_000, REFERENCE) == ["R-hat 1.020, seed 1"]
    assert verdicts.faults([run(rhat=math.nan)], 1000, REFERENCE) == ["R-hat nan, seed 1"]


def test_one_bad_seed_is_enough():
    assert verdicts.faults([run(), run(seed=2, rhat=1.04)], 1000, REFERENCE) == ["R-hat 1.040, seed 2"]


def test_one_draw_in_a_hundred_may_not_diverge():
    assert verdicts.faults([run(diverging=0.009)], 1000, REFERENCE) == []
    assert verdicts.faults([run(diverging=0.01)], 1000, REFERENCE) == ["1.0 % divergences, seed 1"]


def test_a_mean_far_from_the_reference_is_named():
    far = run(means={"mu": 3.05, "beta[1]": -1.0})
    assert verdicts.faults([far], 1000, REFERENCE) == ["mean of mu is off by +5.0 standard errors"]


def test_seeds_together_show_what_one_hides():
    biased = [run(seed=seed, means={"mu": 3.03, "beta[1]": -1.0}) for seed in range(1, 6)]
    assert verdicts.faults(biased[:1], 1000, REFERENCE) == []
    assert verdicts.faults(biased, 1000, REFERENCE) == ["mean of mu is off by +6.5 standard errors"]


def test_a_mean_that_is_no_number_is_far():
    lost = run(means={"mu": math.nan, "beta[1]": -1.0})
    assert verdicts.faults([lost], 1000, REFERENCE) == ["mean of mu is off by +nan standard errors"]


def test_without_a_reference_nothing_counts():
    assert verdicts.faults([run()], 1000, {}) == ["no reference"]
    assert verdicts.faults([run()], 1000, {"other": (0.0, 1.0)}) == ["no reference"]


def test_the_spread_is_median_least_and_largest():
    assert verdicts.spread([3.0, 1.0, 8.0, 2.0]) == [2.5, 1.0, 8.0]


def test_the_geometric_mean_treats_twice_and_half_alike():
    assert verdicts.geometric_mean([2.0, 0.5]) == pytest.approx(1.0)
    assert verdicts.geometric_mean([2.0, 4.0, 8.0]) == pytest.approx(4.0)
    assert math.isnan(verdicts.geometric_mean([]))


def test_ratios_are_of_what_counts_for_both():
    cells = [
        cell("ours", "simple", 6.0),
        cell("nutpie", "simple", 2.0),
        cell("ours", "radon", 5.0),
        cell("nutpie", "radon", 5.0, counts=False),
        cell("ours", "stress", 4.0, counts=False),
        cell("nutpie", "stress", 1.0),
        cell("ours", "funnel", 4.0, draws=10_000),
        cell("nutpie", "funnel", 1.0, draws=10_000),
    ]
    assert verdicts.ratios(cells, "nutpie", 1000, "ess_per_second") == {"simple": 3.0}
