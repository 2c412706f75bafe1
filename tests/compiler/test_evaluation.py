"""Expressions against NumPy, with their derivatives, and what they compile to."""

import jax
import numpy as np
import pytest
from scipy import linalg, special

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.xla import precise

from .conftest import build

M = ex.math
X = np.linspace(0.05, 0.95, 12).reshape(3, 4)
A = np.linspace(-1, 1, 12).reshape(4, 3)
ROWS = np.array([[0, 2], [-1, 0]])
SQUARE = np.arange(9.0).reshape(3, 3) + np.eye(3)


def softmaxes(x):
    return special.softmax(9 * x, axis=-1) * special.softmax(x, axis=0)


CASES = {
    "exp": (M.exp, np.exp),
    "expm1": (M.expm1, np.expm1),
    "log": (M.log, np.log),
    "log1p": (M.log1p, np.log1p),
    "sqrt": (M.sqrt, np.sqrt),
    "square": (M.square, np.square),
    "abs": (lambda x: abs(x - 0.52), lambda x: abs(x - 0.52)),
    "sigmoid": (M.sigmoid, special.expit),
    "logit": (M.logit, special.logit),
    "softplus": (lambda x: M.softplus(80 * x - 40), lambda x: np.logaddexp(0, 80 * x - 40)),
    "sin": (M.sin, np.sin),
    "cos": (M.cos, np.cos),
    "tanh": (M.tanh, np.tanh),
    "angles": (lambda x: M.tan(x) * M.arctan(x), lambda x: np.tan(x) * np.arctan(x)),
    "hyperbolic": (lambda x: M.sinh(x) * M.cosh(x), lambda x: np.sinh(x) * np.cosh(x)),
    "log1mexp": (lambda x: M.log1mexp(-7 * x**4), lambda x: np.log(-np.expm1(-7 * x**4))),
    "lgamma": (M.lgamma, special.gammaln),
    "digamma": (M.digamma, special.digamma),
    "tails": (
        lambda x: M.erfc(9 * x - 3) * M.ndtr(9 * x - 8),
        lambda x: special.erfc(9 * x - 3) * special.ndtr(9 * x - 8),
    ),
    "log_ndtr": (lambda x: M.log_ndtr(20 * x - 15), lambda x: special.log_ndtr(20 * x - 15)),
    "erf": (M.erf, special.erf),
    "sum": (lambda x: M.sum(x, axis=(0, -1)) + M.sum(x, axis=1), lambda x: x.sum() + x.sum(1)),
    "mean": (M.mean, np.mean),
    "logsumexp": (lambda x: M.logsumexp(900 * x, axis=0), lambda x: special.logsumexp(900 * x, 0)),
    "prod": (lambda x: M.prod(x - 0.3, axis=1) * M.prod(x[0]), lambda x: (x - 0.3).prod(1) * x[0].prod()),
    "max": (
        lambda x: M.max(x * A.T, axis=0) - M.max(x) * M.min(x, axis=(0, 1)),
        lambda x: (x * A.T).max(0) - x.max() * x.min(),
    ),
    "spread": (
        lambda x: M.var(x, axis=0, ddof=1) * M.std(x, axis=0) * M.std(x, ddof=2),
        lambda x: x.var(0, ddof=1) * x.std(0) * x.std(ddof=2),
    ),
    "softmax": (lambda x: M.softmax(9 * x) * M.softmax(x, axis=0), softmaxes),
    "log_softmax": (lambda x: M.log_softmax(9 * x), lambda x: special.log_softmax(9 * x, -1)),
    "cumprod": (lambda x: M.cumprod(x - 0.3), lambda x: (x - 0.3).cumprod()),
    "cumprod along": (
        lambda x: M.cumprod(x, axis=-1) * M.cumprod(x, 0),
        lambda x: x.cumprod(-1) * x.cumprod(0),
    ),
    "logaddexp": (
        lambda x: M.logaddexp(80 * x, 40) + M.logaddexp(x, x),
        lambda x: np.logaddexp(80 * x, 40) + np.logaddexp(x, x),
    ),
    "cumsum": (M.cumsum, np.cumsum),
    "cumsum along": (lambda x: M.cumsum(x, axis=-1) * M.cumsum(x, 0), lambda x: x.cumsum(-1) * x.cumsum(0)),
    "arithmetic": (lambda x: (1 - x) / (x + 2) * -x, lambda x: (1 - x) / (x + 2) * -x),
    "power": (lambda x: x**3 + x**-2 + x**2.5 + 2**x + x**x, lambda x: x**3 + x**-2.0 + x**2.5 + 2**x + x**x),
    "matmul": (lambda x: x @ A @ x + (A.T @ x[0])[:, None], lambda x: x @ A @ x + (A.T @ x[0])[:, None]),
    "dot": (lambda x: M.dot(x[0], x[1]) * M.dot(2, x), lambda x: x[0] @ x[1] * 2 * x),
    "transpose": (lambda x: x.T @ x * M.transpose(x[0]), lambda x: x.T @ x * x[0]),
    "outer": (lambda x: M.outer(x[0], x[:, 1]), lambda x: np.outer(x[0], x[:, 1])),
    "diag": (
        lambda x: M.diag(x[0]) * M.diag(x @ A)[0] + M.diag(x)[1],
        lambda x: np.diag(x[0]) * np.diag(x @ A)[0] + np.diag(x)[1],
    ),
    "cholesky": (
        lambda x: M.cholesky(x @ x.T + np.eye(3)),
        lambda x: np.linalg.cholesky(x @ x.T + np.eye(3)),
    ),
    "cholesky of several": (
        lambda x: M.cholesky(x[:, None, :1] * (np.eye(3) + 0.2) + np.eye(3)),
        lambda x: np.linalg.cholesky(x[:, None, :1] * (np.eye(3) + 0.2) + np.eye(3)),
    ),
    "solve_triangular": (
        lambda x: (
            M.solve_triangular(x[:, :3] + 1, x, lower=True) + M.solve_triangular(SQUARE, x, lower=False)
        ),
        lambda x: linalg.solve_triangular(x[:, :3] + 1, x, lower=True) + linalg.solve_triangular(SQUARE, x),
    ),
    "solve": (
        lambda x: M.solve(x[:, :3] + np.eye(3)[::-1], x) + M.solve(SQUARE, x[::-1]),
        lambda x: linalg.solve(x[:, :3] + np.eye(3)[::-1], x) + linalg.solve(SQUARE, x[::-1]),
    ),
    "solve for a vector": (
        lambda x: M.solve(SQUARE * x[0, 0], x[:, 0]) * M.sum(x),
        lambda x: linalg.solve(SQUARE * x[0, 0], x[:, 0]) * x.sum(),
    ),
    "solve_triangular for a vector": (
        lambda x: M.solve_triangular(SQUARE, x[:, 0], lower=True) * M.sum(x),
        lambda x: linalg.solve_triangular(SQUARE, x[:, 0], lower=True) * x.sum(),
    ),
    "comparisons": (
        lambda x: (
            M.gt(x, 0.5) + M.lt(x, 0.6) + M.ge(x, 0.05) + M.le(x, 0.05) + M.eq(x, x[0]) - M.neq(x, 0.05)
        ),
        lambda x: 1.0 * (x > 0.5) + (x < 0.6) + (x >= 0.05) + (x <= 0.05) + (x == x[0]) - (x != 0.05),
    ),
    "clip": (lambda x: M.clip(x, 0.3, x[0] + 0.4), lambda x: np.clip(x, 0.3, x[0] + 0.4)),
    "where": (lambda x: M.where(M.gt(x, 0.5), x, x * x), lambda x: np.where(x > 0.5, x, x * x)),
    "maximum": (
        lambda x: M.maximum(x, 0.51) - M.minimum(x[0], x),
        lambda x: np.maximum(x, 0.51) - np.minimum(x[0], x),
    ),
    "concatenate": (lambda x: M.concatenate([x, x[1:]]), lambda x: np.concatenate([x, x[1:]])),
    "stack": (lambda x: M.stack([x, 2 * x], axis=1), lambda x: np.stack([x, 2 * x], axis=1)),
    "literals": (
        lambda x: x * M.lgamma(3.5) + M.erf(1) + M.softplus(2.0),
        lambda x: x * special.gammaln(3.5) + special.erf(1) + np.logaddexp(0, 2),
    ),
    "entry": (lambda x: x[1, -2] * x[0], lambda x: x[1, -2] * x[0]),
    "slices": (lambda x: x[::-2, None, 1:3], lambda x: x[::-2, None, 1:3]),
    "rows": (lambda x: x[ROWS], lambda x: x[ROWS]),
    "columns": (lambda x: x[..., ROWS], lambda x: x[..., ROWS]),
    "pairs": (lambda x: x[ROWS, [3, 1]], lambda x: x[ROWS, [3, 1]]),
    "number beside an array": (lambda x: x[-1, [3, 1]], lambda x: x[-1, [3, 1]]),
    "arrays apart": (lambda x: x[[0, 2], None, [3, 1]], lambda x: x[[0, 2], None, [3, 1]]),
    "arrays parted by nothing": (lambda x: x[None, 0, ..., [3, 1]], lambda x: x[None, 0, ..., [3, 1]]),
    "slice and array": (lambda x: x[:2, [3, 3, 0]], lambda x: x[:2, [3, 3, 0]]),
    "empty": (lambda x: M.sum(x[3:]) + x, lambda x: x),
}


def program_of(function):
    def declare(b):
        x = b.rv("x", ex.Flat(), shape=X.shape)
        b.det("result", function(x))
        b.potential("p", M.square("result"))

    return compile(build(declare))


@pytest.mark.parametrize("name", CASES)
def test_values_are_numpys(name):
    ours, numpys = CASES[name]
    result = program_of(ours).constrain(X.ravel())["result"]
    np.testing.assert_allclose(result, numpys(X), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_slopes_are_those_of_central_differences_and_fold(name):
    program = program_of(CASES[name][0])
    flat = X.ravel()
    value, slope = program.log_density_and_grad(flat)
    for i, step in enumerate(1e-6 * np.eye(flat.size)):
        difference = (program.log_density(flat + step) - program.log_density(flat - step)) / 2e-6
        assert slope[i] == pytest.approx(difference, rel=1e-5, abs=1e-8 * max(1, abs(value)))
    with precise():
        text = (
            jax.jit(jax.value_and_grad(program.log_density_at))
            .lower(flat, program.arguments)
            .compile()
            .as_text()
        )
    for unfoldable in (" scatter(", " custom-call(", " sort(", " fft(", " reduce-window("):
        assert unfoldable not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["softplus", "cumsum along", "rows"])
def test_own_derivatives_can_be_differentiated_again(name):
    program = program_of(CASES[name][0])
    with precise():
        hessian = jax.hessian(lambda z: program.log_density_at(z, program.arguments))(X.ravel())
    np.testing.assert_allclose(hessian, np.asarray(hessian).T, atol=1e-9)
    assert np.isfinite(hessian).all()


def test_positions_and_values_of_one_input_are_kept_apart():
    def declare(b):
        county = b.data("county", np.array([0, -1, 1]))
        b.rv("x", ex.Flat(), shape=3)
        b.det("picked", ex.Reference("x")[county] + county)

    program = compile(build(declare))
    np.testing.assert_array_equal(program.constrain([10.0, 20.0, 30.0])["picked"], [10.0, 29.0, 21.0])
    assert sorted(str(argument.dtype) for argument in program.arguments) == ["float64", "int32"]
