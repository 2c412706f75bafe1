"""Factors and solutions against NumPy, on both sides of the size from which LAPACK computes them."""

import jax
import numpy as np
import pytest

from exmc_actors.model import matrices, triangular
from exmc_actors.xla import is_folded, precise

SIZES = [1, 2, 11, 64, 65]


def positive_definite(*shape):
    root = np.random.default_rng(shape[-1]).normal(size=(*shape, shape[-1]))
    return root @ np.swapaxes(root, -1, -2) + 0.5 * np.eye(shape[-1])


def computed(function, *arrays):
    with precise():
        return np.asarray(function(*arrays))


@pytest.mark.parametrize("shape", [*((n,) for n in SIZES), (2, 3)])
def test_a_factor_is_numpys(shape):
    matrix = positive_definite(*shape)
    factor = computed(triangular.cholesky, matrix)
    np.testing.assert_allclose(factor, np.linalg.cholesky(matrix), rtol=1e-10, atol=1e-12)
    assert (np.triu(factor, 1) == 0.0).all()


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_a_solution_gives_the_vectors_back(rows, batch):
    factor = np.linalg.cholesky(positive_definite(rows))
    vectors = np.random.default_rng(1).normal(size=(*batch, rows))
    solved = computed(triangular.solve_lower, factor, vectors)
    np.testing.assert_allclose(solved @ factor.T, vectors, rtol=1e-10, atol=1e-10)


def test_matrices_and_vectors_stretch_to_each_other():
    factors = np.linalg.cholesky(positive_definite(2, 1, 3))
    vectors = np.random.default_rng(1).normal(size=(4, 3))
    solved = computed(triangular.solve_lower, factors, vectors)
    np.testing.assert_allclose(np.einsum("abij,abj->abi", factors, solved), np.stack([vectors] * 2))


def test_no_rows_have_a_factor_and_a_solution_of_no_rows():
    assert computed(triangular.cholesky, np.zeros((2, 0, 0))).shape == (2, 0, 0)
    assert computed(triangular.solve_lower, np.zeros((0, 0)), np.zeros((3, 0))).shape == (3, 0)


def test_a_matrix_that_is_not_positive_definite_has_no_factor():
    assert np.isnan(computed(triangular.cholesky, -np.eye(3))).any()


@pytest.mark.parametrize("above", [7.0, np.inf, np.nan])
def test_what_stands_above_the_diagonal_is_not_read(above):
    factor = np.tril(np.linalg.cholesky(positive_definite(4))) + np.triu(np.full((4, 4), above), 1)

    def total(factor):
        return triangular.solve_lower(factor, np.ones(4)).sum()

    slope = computed(jax.grad(total), factor)
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(slope, computed(jax.grad(total), np.tril(factor)))


def quadratic(matrix, vectors):
    """A function of a symmetric matrix and vectors that uses everything."""
    factor = triangular.cholesky(matrix)
    solved = triangular.solve_lower(factor, vectors)
    return (solved**2).sum() + triangular.log_diagonal(factor).sum() + (factor**3).sum()


@pytest.mark.parametrize(("matrix", "vectors"), [((5,), (2, 5)), ((2, 3), (2, 3))])
@pytest.mark.slow
def test_slopes_are_those_of_central_differences_to_the_second_order(matrix, vectors):
    matrix = positive_definite(*matrix)
    vectors = np.random.default_rng(2).normal(size=vectors)
    towards = np.random.default_rng(3).normal(size=matrix.shape)
    towards = towards + np.swapaxes(towards, -1, -2)
    aside = np.random.default_rng(4).normal(size=vectors.shape)

    def along(t):
        return quadratic(matrix + t * towards, vectors + t * aside)

    with precise():
        both = jax.jit(jax.value_and_grad(along))
        (below, below_slope), (above, above_slope) = both(-1e-6), both(1e-6)
        _, slope = both(0.0)
        curvature = jax.jit(jax.jacfwd(jax.grad(along)))(0.0)
        difference, second = float(above - below) / 2e-6, float(above_slope - below_slope) / 2e-6
    assert slope == pytest.approx(difference, rel=1e-7)
    assert curvature == pytest.approx(second, rel=1e-7)


def test_the_slope_of_a_factor_in_a_loop_folds():
    matrix = positive_definite(30)

    def loop(scale, count):
        def step(_, scale):
            return scale - 1e-6 * jax.grad(lambda s: quadratic(s * matrix, np.ones(30)))(scale)

        return jax.lax.fori_loop(0, count, step, scale)

    with precise():
        assert is_folded(jax.jit(loop).lower(1.0, 3).compile().as_text())


@pytest.mark.parametrize(
    "shapes", [((3, 2), (2, 4)), ((3, 0), (0, 4)), ((3, 9), (9, 2)), ((2, 3, 4), (4, 5))]
)
def test_products_are_numpys(shapes):
    a, b = (np.random.default_rng(5).normal(size=shape) for shape in shapes)
    np.testing.assert_allclose(computed(matrices.matmul, a, b), a @ b, rtol=1e-13, atol=1e-13)
