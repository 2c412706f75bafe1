"""A quotient by a scale, in value and slopes, as far as the quotient itself is a number."""

import jax
import numpy as np
import pytest

from exmc_actors.model.quotient import over

pytestmark = pytest.mark.usefixtures("exact")


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 0.3, 1.0, 7.0, 1e160, 1e300])
@pytest.mark.parametrize("ratio", [-2.5, 0.0, 1e-3])
def test_value_and_both_slopes(scale, ratio):
    value, (of_distance, of_scale) = jax.value_and_grad(over, argnums=(0, 1))(ratio * scale, scale)
    assert float(value) == pytest.approx(ratio, rel=1e-15)
    assert float(of_distance) == pytest.approx(1.0 / scale, rel=1e-15)
    assert float(of_scale) == pytest.approx(-ratio / scale, rel=1e-15)


def test_one_scale_for_many_distances_and_the_reverse():
    many = np.array([0.5, -3.0, 4.0])
    assert jax.grad(lambda s: over(many, s).sum())(2.0) == pytest.approx(-many.sum() / 4.0)
    np.testing.assert_allclose(jax.grad(lambda s: over(2.0, s).sum())(many), -2.0 / many**2)


def test_a_number_for_a_scale():
    assert float(jax.grad(lambda x: over(x, 4.0))(3.0)) == 0.25
