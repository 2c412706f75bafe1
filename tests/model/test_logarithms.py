"""log(1 + x) on [0, 1], and log(1 + x^2) and its slope over the whole line, against mpmath."""

import jax
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.model.logarithms import log1p_of_fraction, log1p_square
from exmc_actors.xla import precise

EDGES = [0.0, -0.0, 5e-324, 1e-160, 1e-8, 0.5, 1.0, np.nextafter(1.0, 0), -3.0, 1e8, 1e150, -1.1e150, 1e300]


def exactly(x):
    with mpmath.workdps(40):
        x = mpmath.mpf(x)
        return float(mpmath.log1p(x * x)), float(2 * x / (1 + x * x))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=40, max_size=40))
@pytest.mark.slow
def test_value_and_slope_are_right_to_a_few_units_in_the_last_place(drawn):
    x = np.array(EDGES + drawn + np.random.default_rng(0).normal(size=100).tolist())
    with precise():
        value, slopes = jax.vmap(jax.value_and_grad(log1p_square))(x)
    wanted, slope = np.array([exactly(one) for one in x.tolist()]).T
    np.testing.assert_allclose(value, wanted, rtol=1e-15, atol=1e-300)
    np.testing.assert_allclose(slopes, slope, rtol=1e-15, atol=1e-300)


def test_what_is_not_finite_stays_so():
    with precise():
        np.testing.assert_array_equal(
            log1p_square(np.array([np.inf, -np.inf, np.nan])), [np.inf, np.inf, np.nan]
        )


def test_log1p_of_a_fraction_is_right_to_two_units_in_the_last_place():
    x = np.r_[
        0.0, 5e-324, 1e-300, 1e-16, np.random.default_rng(0).uniform(size=2000), np.nextafter(1, 0), 1.0
    ]
    with precise():
        got = np.asarray(log1p_of_fraction(x))
    exact = np.array([float(mpmath.log1p(mpmath.mpf(one))) for one in x.tolist()])
    assert np.all(np.abs(got - exact) <= 2 * np.spacing(exact))
