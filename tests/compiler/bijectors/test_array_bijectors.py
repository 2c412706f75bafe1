"""Bijectors of vectors and matrices: their inverses, and their determinants by automatic differentiation."""

import jax
import numpy as np
import pytest

from exmc_actors.compiler.bijectors import (
    CorrelationCholeskyBijector,
    OrderedBijector,
    StickBreakingBijector,
    UnitVectorBijector,
    ZeroSumBijector,
)
from exmc_actors.xla import precise

STICK, ORDERED, PLANE = StickBreakingBijector(), OrderedBijector(), ZeroSumBijector()
CORRELATION, DIRECTION = CorrelationCholeskyBijector(), UnitVectorBijector()
ONE_TO_ONE = [STICK, ORDERED, PLANE, CORRELATION]


def measured(bijector, x):
    """Return the entries on which volumes are measured."""
    if bijector is STICK:
        return x[:-1]
    return x[np.tril_indices(x.shape[-1], -1)] if bijector is CORRELATION else x


def rows(size):
    """Vectors of six numbers between ``-size`` and ``size``, the middle and the corners among them."""
    g = np.random.default_rng(3)
    corners = size * np.sign(g.normal(size=(10, 6)))
    return np.concatenate([np.zeros((1, 6)), g.uniform(-size, size, size=(80, 6)), corners])


@pytest.mark.parametrize("bijector", ONE_TO_ONE, ids=lambda b: type(b).__name__)
def test_the_inverse_undoes_the_forward_map(bijector):
    with precise():
        there_and_back = jax.jit(lambda z: bijector.inverse(bijector.forward(z)))(rows(3.0))
        np.testing.assert_allclose(there_and_back, rows(3.0), atol=1e-9)


@pytest.mark.parametrize("bijector", ONE_TO_ONE, ids=lambda b: type(b).__name__)
def test_the_log_jacobian_is_the_logarithm_of_the_determinant(bijector):
    def matrix(z):
        return jax.jacrev(lambda at: measured(bijector, bijector.forward(at)))(z)

    with precise():
        each = np.asarray(jax.jit(jax.vmap(matrix))(rows(4.0)))
        # The plane has one dimension less than the space around it: volumes in it are by Gram's determinant.
        wanted = 0.5 * np.linalg.slogdet(np.swapaxes(each, 1, 2) @ each)[1]
        ours = np.broadcast_to(jax.jit(bijector.log_det_jacobian)(rows(4.0)), wanted.shape)
        np.testing.assert_allclose(ours, wanted, atol=1e-6)


@pytest.mark.parametrize("bijector", [*ONE_TO_ONE, DIRECTION], ids=lambda b: type(b).__name__)
def test_each_row_of_a_batch_is_mapped_by_itself(bijector):
    batch = np.random.default_rng(1).normal(size=(2, 3, 6))
    with precise():
        forward, log_det = jax.jit(bijector.forward), jax.jit(bijector.log_det_jacobian)
        together, slopes = forward(batch), np.broadcast_to(log_det(batch), (2, 3))
        for at in np.ndindex(2, 3):
            np.testing.assert_allclose(together[at], forward(batch[at]), rtol=1e-13, atol=1e-15)
            np.testing.assert_allclose(slopes[at], log_det(batch[at]), rtol=1e-13, atol=1e-13)


def test_the_images_are_what_they_should_be():
    z = rows(4.0)
    with precise():
        np.testing.assert_allclose(STICK.forward(z).sum(-1), 1.0, atol=1e-14)
        np.testing.assert_allclose(PLANE.forward(z).sum(-1), 0.0, atol=1e-13)
        assert (np.diff(ORDERED.forward(z)) > 0).all()
        np.testing.assert_allclose((DIRECTION.forward(z[1:]) ** 2).sum(-1), 1.0, atol=1e-14)


def test_the_factor_of_a_correlation_matrix_has_rows_of_length_one():
    with precise():
        factors = np.asarray(CORRELATION.forward(rows(4.0)))
    np.testing.assert_allclose((factors**2).sum(-1), 1.0, rtol=1e-13)
    assert (np.triu(factors, 1) == 0).all()
    assert (np.diagonal(factors, axis1=1, axis2=2) > 0).all()


def test_the_zero_of_a_stick_is_the_vector_of_equal_pieces():
    with precise():
        np.testing.assert_allclose(STICK.forward(np.zeros(4)), np.full(5, 0.2), rtol=1e-15)


def test_a_piece_that_is_rounded_to_nothing_keeps_its_logarithm():
    with precise():
        logs = STICK.log_forward(np.array([-800.0, 0.5]))
        assert float(logs[0]) == pytest.approx(-800.0 - np.log(2.0), rel=1e-13)
        assert float(STICK.forward(np.array([-800.0, 0.5]))[0]) == 0.0


def test_a_direction_is_its_own_inverse():
    with precise():
        x = DIRECTION.forward(np.array([3.0, -4.0]))
        np.testing.assert_allclose(DIRECTION.forward(DIRECTION.inverse(x)), x, rtol=1e-15)


@pytest.mark.parametrize(
    ("bijector", "outside"),
    [
        (STICK, [0.5, 0.6]),
        (STICK, [1.2, -0.2]),
        (PLANE, [1.0, 2.0]),
        (ORDERED, [1.0, 0.5]),
        (DIRECTION, [1.0, 1.0]),
        (CORRELATION, [[1.0, 0.0], [0.6, 0.7]]),
    ],
)
def test_what_lies_outside_has_no_inverse(bijector, outside):
    with precise():
        assert not np.isfinite(bijector.inverse(np.array(outside))).all()
