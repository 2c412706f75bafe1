"""Compiled log densities against sums written by hand with SciPy."""

import jax
import numpy as np
import pytest
from scipy import special, stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.model import Affine, Identity
from exmc_actors.xla import is_folded, precise

from .conftest import SCHOOLS_SIGMA, SCHOOLS_Y, build, eight_schools, radon_like

POINT = np.linspace(-1.2, 1.1, 10)


def schools_by_hand(mu, tau, theta):
    return (
        stats.norm.logpdf(mu, 0, 5)
        + stats.halfnorm.logpdf(tau, 0, 5)
        + stats.norm.logpdf(theta, mu, tau).sum()
        + stats.norm.logpdf(SCHOOLS_Y, theta, SCHOOLS_SIGMA).sum()
    )


def test_centred_eight_schools():
    program = compile(eight_schools(centered=True))
    mu, log_tau, theta = POINT[0], POINT[1], POINT[2:]
    by_hand = schools_by_hand(mu, np.exp(log_tau), theta) + log_tau
    assert program.log_density(POINT) == pytest.approx(by_hand, rel=1e-13)


def test_rewritten_eight_schools_are_the_centred_ones_plus_the_jacobian(schools):
    values = schools.constrain(POINT)
    by_hand = schools_by_hand(values["mu"], values["tau"], values["theta"])
    jacobian = POINT[1] + 8 * np.log(values["tau"])
    assert schools.log_density(POINT) == pytest.approx(by_hand + jacobian, rel=1e-13)


def test_rewritten_eight_schools_are_those_non_centred_by_hand(schools):
    def declare(b):
        mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(5.0))
        z = b.rv("z", ex.Normal(0.0, 1.0), shape=8)
        b.obs("y", ex.Normal(mu + tau * z, SCHOOLS_SIGMA), SCHOOLS_Y)

    by_hand = compile(build(declare))
    value, slope = schools.log_density_and_grad(POINT)
    value_by_hand, slope_by_hand = by_hand.log_density_and_grad(POINT)
    assert value == pytest.approx(value_by_hand, rel=1e-15)
    np.testing.assert_allclose(slope, slope_by_hand, rtol=1e-12)


def everything(b):
    x = b.data("x", np.arange(6) % 3)
    a = b.rv("a", ex.Gamma(2.0, 3.0), shape=3)
    p = b.rv("p", ex.Beta(2.0, 0.5), shape=(2, 1))
    low = b.rv("low", ex.Exponential(1.0))
    u = b.rv("u", ex.Uniform(low, 10 + low), shape=2)
    t = b.rv("t", ex.StudentT(4.0, a, low), shape=(2, 3), centered=False)
    k = b.rv("k", ex.Cauchy(0.0, 2.0), transform=Affine(1.0, 3.0))
    h = b.rv("h", ex.HalfCauchy(1.0), transform=Identity())
    ln = b.rv("ln", ex.LogNormal(k, 0.5))
    b.rv("f", ex.Flat())
    b.rv("hf", ex.HalfFlat())
    b.rv("seen", ex.Normal(ln, h), shape=2)
    b.det("scaled", p * t)
    b.obs("y", ex.Normal(a[x] * 2.0, 1.5), np.linspace(-1, 1, 6))
    b.obs("seen_y", "seen", [0.5, 1.5])
    b.potential("pot", ex.math.square("scaled") * ex.math.sum(u) - ex.Reference("seen")[0])


def everything_by_hand(v):
    n = stats.norm.logpdf
    return {
        "a": stats.gamma.logpdf(v["a"], 2, scale=1 / 3),
        "p": stats.beta.logpdf(v["p"], 2, 0.5),
        "low": stats.expon.logpdf(v["low"]),
        "u": np.full(2, -np.log(10)),
        "t": stats.t.logpdf(v["t"], 4, v["a"], v["low"]),
        "k": stats.cauchy.logpdf(v["k"], 0, 2),
        "h": stats.halfcauchy.logpdf(v["h"]),
        "ln": stats.lognorm.logpdf(v["ln"], 0.5, scale=np.exp(v["k"])),
        "f": 0.0,
        "hf": 0.0,
        "seen_y": n([0.5, 1.5], v["ln"], v["h"]),
        "y": n(np.linspace(-1, 1, 6), 2 * v["a"][np.arange(6) % 3], 1.5),
        "pot": v["scaled"] ** 2 * v["u"].sum() - 0.5,
    }


def log_jacobian(program, flat):
    """Return log |d free / d flat| by differentiating the constrained values."""
    size = program.dim
    with precise():
        slope = jax.jacobian(lambda z: program.values_at(z, program.arguments)[:size])(flat)
        return float(np.linalg.slogdet(np.asarray(slope))[1])


@pytest.mark.slow
def test_every_distribution_and_transform_at_once():
    program = compile(build(everything))
    flat = np.linspace(-0.9, 0.8, program.dim)
    flat[[place.offset for place in program.layout.places if place.name == "h"]] = 0.7
    values = program.constrain(flat)
    by_hand = everything_by_hand(values)
    whole = sum(np.sum(term) for term in by_hand.values())
    assert program.log_density(flat) == pytest.approx(whole + log_jacobian(program, flat), rel=1e-12)
    terms = program.terms(flat)
    assert set(terms) == set(by_hand)
    assert sum(terms.values()) == pytest.approx(program.log_density(flat), rel=1e-14)
    for name in ("f", "y", "seen_y", "pot", "h"):
        assert terms[name] == pytest.approx(np.sum(by_hand[name]), rel=1e-13)
    np.testing.assert_allclose(program.unconstrain(values), flat, atol=1e-12)


def test_gradients_agree_with_central_differences():
    program = compile(build(everything))
    flat = np.linspace(0.1, 0.8, program.dim)
    slope = program.log_density_and_grad(flat)[1]
    for i in range(program.dim):
        step = 1e-6 * np.eye(program.dim)[i]
        difference = (program.log_density(flat + step) - program.log_density(flat - step)) / 2e-6
        assert slope[i] == pytest.approx(difference, rel=1e-6, abs=1e-6)


def test_terms_come_in_order_and_name_the_first_that_is_not_finite(schools):
    terms = schools.terms(np.full(10, 800.0))
    assert list(terms) == ["mu", "tau", "theta", "y"]
    assert [np.isfinite(term) for term in terms.values()] == [True, False, True, False]


def test_an_untransformed_variable_has_no_density_outside_its_support():
    program = compile(build(lambda b: b.rv("x", ex.HalfNormal(1.0), transform=Identity())))
    assert program.log_density([-1.0]) == -np.inf
    np.testing.assert_array_equal(program.log_density_and_grad([-1.0])[1], [0.0])


def test_an_observation_outside_a_support_that_moves_has_no_density():
    def declare(b):
        high = b.rv("high", ex.HalfNormal(1.0))
        b.obs("y", ex.Uniform(0.0, high), [0.5, 2.0])

    program = compile(build(declare))
    assert program.log_density(np.log([1.0])) == -np.inf
    assert program.log_density(np.log([4.0])) == pytest.approx(
        stats.halfnorm.logpdf(4.0) + np.log(4) - 2 * np.log(4), rel=1e-14
    )


@pytest.mark.parametrize(
    ("distribution", "z", "wanted"),
    [
        (ex.Gamma(0.001, 1.0), -5000.0, -5.0 - special.gammaln(0.001)),
        (ex.Beta(0.001, 0.001), 5000.0, -5.0 - special.betaln(0.001, 0.001)),
        (ex.LogNormal(-2000.0, 1.0), -2000.0, -0.9189385332046727),
    ],
)
def test_mass_beyond_what_a_float_can_hold_keeps_its_density(distribution, z, wanted):
    program = compile(build(lambda b: b.rv("x", distribution)))
    value, slope = program.log_density_and_grad([z])
    assert value == pytest.approx(wanted, rel=1e-12)
    assert np.isfinite(slope).all()


def test_a_hierarchical_model_folds_into_one_loop_without_a_scatter():
    program = compile(radon_like())

    def block(flat, arguments, n):
        def step(_, q):
            return q + 1e-9 * jax.grad(program.log_density_at)(q, arguments)

        return jax.lax.fori_loop(0, n, step, flat)

    flat = np.zeros(program.dim)
    with precise():
        once = jax.jit(jax.value_and_grad(program.log_density_at)).lower(flat, program.arguments)
        text = once.compile().as_text()
        loop = jax.jit(block).lower(flat, program.arguments, np.int64(3)).compile().as_text()
    assert " scatter(" not in text
    assert " custom-call(" not in text
    assert is_folded(loop)


@pytest.mark.parametrize("prior", [ex.Normal, lambda mu, sigma: ex.StudentT(3.0, mu, sigma), ex.Cauchy])
@pytest.mark.parametrize("sigma", [lambda tau: tau, lambda tau: tau * np.array([1.0, 2.0, 3.0])])
def test_a_negative_scale_is_impossible_in_the_centred_and_in_the_non_centred_form(prior, sigma):
    def declare(b, centered):
        tau = b.rv("tau", ex.Normal(0.0, 1.0))
        theta = b.rv("theta", prior(0.0, sigma(tau)), shape=3, centered=centered)
        b.obs("y", ex.Normal(theta, 1.0), [1.0, 2.0, 3.0])

    for centered in (True, False, None):
        program = compile(build(lambda b, centered=centered: declare(b, centered)))
        value, slope = program.log_density_and_grad(np.array([-1.0, 0.1, 0.2, 0.3]))
        assert value == -np.inf
        assert np.isfinite(slope).all()


def test_a_scale_that_may_be_negative_changes_nothing_where_it_is_positive():
    def declare(b, centered):
        tau = b.rv("tau", ex.Normal(0.0, 1.0))
        b.rv("theta", ex.Normal(0.5, tau), shape=3, centered=centered)

    flat = np.array([0.7, 0.1, 0.2, 0.3])
    plain, moved = (compile(build(lambda b, c=c: declare(b, c))) for c in (True, False))
    assert plain.terms(flat)["theta"] == pytest.approx(stats.norm(0.5, 0.7).logpdf(flat[1:]).sum(), rel=1e-13)
    assert moved.terms(flat)["theta"] == pytest.approx(stats.norm.logpdf(flat[1:]).sum(), rel=1e-13)


def test_a_scale_that_is_known_to_be_positive_is_not_looked_at(schools):
    with precise():
        text = str(jax.make_jaxpr(lambda flat: schools.log_density_at(flat, schools.arguments))(np.zeros(10)))
    assert " gt " not in text
    assert "reduce_and" not in text
