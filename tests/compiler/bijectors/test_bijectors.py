import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.compiler.bijectors import (
    AffineBijector,
    IdentityBijector,
    LogBijector,
    LogitBijector,
    ScaledLogitBijector,
)
from exmc_actors.xla import precise

BIJECTORS = [
    IdentityBijector(),
    LogBijector(),
    LogitBijector(),
    ScaledLogitBijector(-2.0, 7.5),
    AffineBijector(3.0, 0.25),
]


@pytest.mark.parametrize("bijector", BIJECTORS, ids=lambda b: type(b).__name__)
@given(z=st.floats(-4, 4))
def test_the_inverse_undoes_the_forward_map(bijector, z):
    with precise():
        assert float(bijector.inverse(bijector.forward(np.float64(z)))) == pytest.approx(z, abs=1e-12)


@pytest.mark.parametrize("bijector", BIJECTORS, ids=lambda b: type(b).__name__)
@given(z=st.floats(-8, 8))
def test_the_log_jacobian_is_the_logarithm_of_the_slope(bijector, z):
    with precise():
        slope = jax.grad(lambda at: bijector.forward(at) * 1.0)(np.float64(z))
        assert float(bijector.log_det_jacobian(np.float64(z))) == pytest.approx(
            np.log(float(slope)), abs=1e-11
        )


@pytest.mark.parametrize("bijector", BIJECTORS[2:4], ids=lambda b: type(b).__name__)
def test_the_log_jacobian_stays_exact_where_the_value_is_rounded_to_a_bound(bijector):
    with precise():
        far = bijector.log_det_jacobian(np.float64(800.0)) - bijector.log_det_jacobian(np.float64(700.0))
        assert float(far) == pytest.approx(-100.0)
