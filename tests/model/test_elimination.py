"""Inverses, log determinants and their derivatives against NumPy's, and what they compile to."""

import jax
import numpy as np
import pytest

from exmc_actors.model.elimination import inverse_and_log_det, solve
from exmc_actors.xla import is_folded, precise


@pytest.mark.parametrize("count", [0, 1, 2, 5, 40])
def test_small_matrices_are_inverted_in_a_loop(count):
    rng = np.random.default_rng(count)
    matrix, b = rng.normal(size=(count, count)), rng.normal(size=(count, 2))
    with precise():
        inverse, log_det = jax.jit(inverse_and_log_det)(matrix)
        solved = solve(matrix, b), solve(matrix, b[:, 0])
    np.testing.assert_allclose(matrix @ np.asarray(inverse), np.eye(count), atol=1e-11)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(matrix)[1], rtol=1e-11)
    np.testing.assert_allclose(solved[0], np.linalg.solve(matrix, b), rtol=1e-10)
    np.testing.assert_allclose(solved[1], np.linalg.solve(matrix, b[:, 0]), rtol=1e-10)


def test_zeros_on_the_diagonal_need_pivots():
    matrix = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 4.0], [1e-100, 0.0, 0.0]])
    with precise():
        inverse, log_det = inverse_and_log_det(matrix)
    np.testing.assert_allclose(inverse, [[0, 0, 1e100], [0.5, 0, 0], [0, 0.25, 0]], rtol=1e-14)
    np.testing.assert_allclose(log_det, np.log(8.0) + np.log(1e-100), rtol=1e-14)


def test_a_singular_matrix_has_a_determinant_of_zero():
    with precise():
        log_det = inverse_and_log_det(np.zeros((1, 1)))[1]
    assert float(log_det) == -np.inf


@pytest.mark.slow
def test_derivatives_are_those_of_lapack():
    rng = np.random.default_rng(3)
    matrix, weights, b = rng.normal(size=(6, 6)), rng.normal(size=(6, 6)), rng.normal(size=6)

    def of(invert):
        def total(x):
            inverse, log_det = invert(x)
            return (weights * inverse).sum() + 0.7 * log_det + (inverse @ b)[2]

        return jax.grad(total)(matrix)

    with precise():
        wanted = of(lambda x: (jax.numpy.linalg.inv(x), jax.numpy.linalg.slogdet(x)[1]))
        np.testing.assert_allclose(of(inverse_and_log_det), wanted, rtol=1e-10)


def test_the_loop_folds_with_its_derivative():
    def loop(x, count):
        return jax.lax.fori_loop(
            0, count, lambda _, y: y - 1e-9 * jax.grad(lambda m: inverse_and_log_det(m)[1])(y), x
        )

    with precise():
        assert is_folded(jax.jit(loop).lower(np.eye(20), 3).compile().as_text())
