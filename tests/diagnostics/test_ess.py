import numpy as np
import pytest

from exmc_actors.diagnostics import ess as module
from exmc_actors.diagnostics.ess import ess, in_units_of_range


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.5, 0.9])
def test_an_autoregression_has_the_size_that_theory_gives_it(autoregressive, correlation):
    draws = autoregressive(40, 4, 5000, correlation=correlation)
    expected = 20_000 * (1 - correlation) / (1 + correlation)
    # The mean over 40 independent estimates; the spread of one is below 15 % at these lengths.
    assert ess(draws).mean() == pytest.approx(expected, rel=0.05)


def test_chains_far_apart_are_worth_about_one_draw_each(autoregressive):
    draws = autoregressive(1, 4, 500, correlation=0.0) + 1000.0 * np.arange(4)[:, None]
    assert ess(draws)[0] < 5


@pytest.mark.parametrize("constant", [1.0, 5791.091292641165, 1e150])
def test_a_constant_is_worth_every_draw(constant):
    np.testing.assert_array_equal(ess(np.full((2, 4, 10), constant)), [40, 40])


def test_perfectly_antithetic_draws_are_capped():
    draws = np.tile([1.0, -1.0], (1, 4, 50))
    assert ess(draws)[0] == pytest.approx(400 * np.log10(400))


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.5, 0.95])
def test_sums_that_end_early_are_what_the_fourier_transform_gives(autoregressive, monkeypatch, correlation):
    draws = autoregressive(20, 4, 301, correlation=correlation)
    found = ess(draws)
    monkeypatch.setattr(module, "FEW_LAGS", 3)  # one pair of lags, which cannot end a sum
    np.testing.assert_allclose(found, ess(draws), rtol=1e-10)


def test_units_of_the_range_leave_constants_and_what_rounding_tells_apart():
    rounded = np.where(np.arange(100) % 2, 0.1, np.nextafter(0.1, 1.0))
    draws = np.stack([np.arange(100.0) * 2.0**-70, np.full(100, 0.3), rounded, np.arange(100.0) * 1e300])
    scaled, exponents = in_units_of_range(draws[:, np.newaxis])
    np.testing.assert_array_equal(exponents[:3], [-63, 0, 0])
    np.testing.assert_array_equal(scaled[:, 0], draws / np.exp2(exponents.astype(float))[:, np.newaxis])
    assert np.ptp(scaled[0]) == 99 / 128
    assert in_units_of_range(np.empty((0, 2, 5)))[0].shape == (0, 2, 5)
