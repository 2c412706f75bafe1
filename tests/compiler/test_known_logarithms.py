"""Scales that are exponentials: exact in the tails, no NaN and no finite value that was not there before."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile, explain
from exmc_actors.compiler.known_logarithms import dropped_logarithms, with_known_logarithms
from exmc_actors.xla import is_folded, precise

from .conftest import build

EXPONENTS = np.array([-700.0, -354.0, -20.0, -1e-3, 0.0, 0.7, 30.0, 355.0, 700.0])
RATIOS = np.resize([0.4, 1.7, 0.01, 3.0], EXPONENTS.size)
SCALES = {
    "Normal": (lambda x: ex.Normal(0.0, ex.math.exp(x)), stats.norm),
    "StudentT": (lambda x: ex.StudentT(5.0, 0.0, ex.math.exp(x)), stats.t(5.0)),
    "Cauchy": (lambda x: ex.Cauchy(0.0, ex.math.exp(x)), stats.cauchy),
    "Laplace": (lambda x: ex.Laplace(0.0, ex.math.exp(x)), stats.laplace),
    "Logistic": (lambda x: ex.Logistic(0.0, ex.math.exp(x)), stats.logistic),
    "Gumbel": (lambda x: ex.Gumbel(0.0, ex.math.exp(x)), stats.gumbel_r),
    "HalfNormal": (lambda x: ex.HalfNormal(ex.math.exp(x)), stats.halfnorm),
    "HalfCauchy": (lambda x: ex.HalfCauchy(ex.math.exp(x)), stats.halfcauchy),
    "Exponential": (lambda x: ex.Exponential(ex.math.exp(-x)), stats.expon),
    "Gamma": (lambda x: ex.Gamma(2.5, ex.math.exp(-x)), stats.gamma(2.5)),
    "InverseGamma": (lambda x: ex.InverseGamma(2.5, ex.math.exp(x)), stats.invgamma(2.5)),
    "a root": (lambda x: ex.Normal(0.0, ex.math.sqrt(ex.math.exp(x)) ** 2), stats.norm),
}


def scaled(distribution, y):
    """Return the program of observations with a scale each, whose logarithms have no density of their own."""

    def declare(b):
        x = b.rv("x", ex.Flat(), shape=len(y))
        b.obs("y", distribution(x), y)

    return compile(build(declare))


@pytest.mark.parametrize("name", SCALES)
def test_a_density_and_its_slope_are_exact_as_far_as_the_scale_is_a_number(name):
    distribution, oracle = SCALES[name]
    program = scaled(distribution, RATIOS * np.exp(EXPONENTS))
    value, slope = program.log_density_and_grad(EXPONENTS)
    wanted = np.sum(oracle.logpdf(RATIOS) - EXPONENTS)
    assert value == pytest.approx(wanted, rel=1e-13, abs=1e-11)  # 1e-14 of the sum of the terms' sizes
    h = 1e-5
    up, down = (oracle.logpdf(RATIOS * np.exp(-step)) - step for step in (h, -h))
    np.testing.assert_allclose(slope, (up - down) / (2.0 * h), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["Normal", "StudentT", "Laplace", "Exponential"])
def test_where_the_scale_is_rounded_to_zero_the_density_still_is(name):
    assert scaled(SCALES[name][0], [1.0]).log_density([-800.0]) == -np.inf


def test_a_value_at_its_mean_has_no_density_where_the_scale_is_rounded_to_zero():
    assert np.isnan(scaled(SCALES["Normal"][0], [0.0]).log_density([-800.0]))


@pytest.mark.parametrize("name", ["Normal", "StudentT", "Cauchy"])
def test_where_the_scale_is_rounded_to_infinity_the_density_is_that_of_the_scale_itself(name):
    distribution, oracle = SCALES[name]
    density = scaled(distribution, [1.0]).log_density([800.0])
    assert density == pytest.approx(oracle.logpdf(0.0) - 800.0, rel=1e-14)


def known(function, *inputs):
    """Return the value with and without, the gradients, and the shapes of the logarithms left out."""
    with precise():
        simplified = jax.value_and_grad(lambda *given: with_known_logarithms(function, *given))(*inputs)
        plain = jax.value_and_grad(function)(*inputs)
        np.testing.assert_allclose(simplified[0], plain[0], rtol=1e-14)
        np.testing.assert_allclose(simplified[1], plain[1], rtol=1e-12)
        return dropped_logarithms(function, *inputs)


X = np.array([-1.0, 0.3, 2.0])


def test_the_logarithm_is_followed_through_what_moves_entries():
    def moved(x):
        y = jnp.broadcast_to(jnp.exp(x)[:2, None], (2, 4)).T.reshape(8)[::-1]
        return jnp.sum(jnp.log(y) * jnp.arange(8.0))

    assert known(moved, X) == ((8,),)


def test_the_logarithm_is_followed_through_products_quotients_powers_roots_and_sizes():
    def combined(x):
        y = jnp.abs(jnp.exp(x))
        return jnp.sum(jnp.log(2.0 * jnp.sqrt(y) / (y**3 * jax.lax.rsqrt(y) * jnp.square(y)) / 7.0) * x)

    assert known(combined, X) == ((3,),)


def test_the_logarithm_is_followed_into_calls():
    assert known(lambda x: jnp.sum(jax.jit(jnp.log)(jax.jit(jnp.exp)(x)) * x), X) == ((3,),)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.sum(jnp.exp(jnp.log(jnp.abs(x)))),
        lambda x: jnp.sum(jnp.log(jnp.exp(x) + 1.0)),
        lambda x: jnp.sum(jnp.log(jnp.exp(x) * jnp.square(x))),
        lambda x: jnp.sum(jnp.log(-1.0 * jnp.exp(x) * -1.0)),
        lambda x: jnp.sum(x) * jnp.log(3.0),
    ],
)
def test_every_other_logarithm_is_left_alone(function):
    assert known(function, X) == ()


def test_an_exponential_of_a_logarithm_is_nan_below_zero():
    with precise():
        assert np.isnan(with_known_logarithms(lambda x: jnp.exp(jnp.log(x)), -1.0))


def test_derivatives_of_ones_own_are_kept():
    @jax.custom_jvp
    def own(x):
        return jnp.log(jnp.exp(x))

    own.defjvp(lambda primals, tangents: (own(*primals), 5.0 * tangents[0]))
    with precise():
        assert jax.grad(lambda x: with_known_logarithms(own, x))(2.0) == 5.0


def volatility(b):
    sigma, nu = b.rv("sigma", ex.Exponential(50.0)), b.rv("nu", ex.Exponential(0.1))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=100)
    scale = ex.math.exp(ex.math.cumsum(sigma * z))
    b.obs("returns", ex.StudentT(nu, 0.0, scale), np.sin(np.arange(100.0)))


def test_a_walk_of_scales_folds_and_has_the_same_bits_when_it_is_traced_again():
    program = compile(build(volatility))
    start = np.linspace(-1.0, 1.0, program.dim)

    def compiled():
        gradient = jax.value_and_grad(lambda flat, arguments: program.log_density_at(flat, arguments))

        def loop(flat, arguments):
            return jax.lax.fori_loop(0, 3, lambda _, x: x + 1e-3 * gradient(x, arguments)[1], flat)

        return jax.jit(loop).lower(start, program.arguments).compile()

    with precise():
        first, again = compiled(), compiled()
        assert is_folded(first.as_text())
        assert np.array_equal(first(start, program.arguments), again(start, program.arguments))


def test_terms_keep_their_order_and_add_up():
    program = compile(build(volatility))
    start = np.linspace(-1.0, 1.0, program.dim)
    terms = program.terms(start)
    assert list(terms) == ["sigma", "nu", "z", "returns"]
    assert sum(terms.values()) == pytest.approx(program.log_density(start), rel=1e-14)


def test_rows_that_were_reduced_take_the_logarithm_of_their_scale_from_its_exponent():
    def declare(b):
        b.obs("y", ex.Normal(0.0, b.rv("sigma", ex.HalfNormal(1.0)) * np.linspace(1.0, 2.0, 60)), np.ones(60))

    out = io.StringIO()
    explain(build(declare), file=out)
    assert "  gaussian_reduction:\n    y: 60 rows of a linear mean as 1\n" in out.getvalue()
    assert "  known_logarithms:\n    of shape (): 1 taken from the exponents\n" in out.getvalue()


def test_explain_says_what_was_left_out():
    out = io.StringIO()
    explain(build(volatility), file=out)
    lines = out.getvalue().partition("  known_logarithms:\n")[2].splitlines()[:2]
    # That of nu pi, and those of the scales.
    assert lines == [f"    of shape {shape}: 1 taken from the exponents" for shape in ("()", "(100,)")]
