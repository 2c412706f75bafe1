"""Variables where their value is rounded to an end of the support, against densities in mpmath."""

import mpmath
import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import compile

from .oracles import DIGITS, gamma, inverse_gamma

POINTS = (-800.0, -40.0, -36.0, 0.3, 36.0, 40.0, 800.0)


def program_of(distribution):
    b = ex.Builder()
    b.rv("x", distribution)
    return compile(b.model())


def check(distribution, log_density, points=POINTS):
    """Hold values to a log density of z in mpmath, and slopes to its derivative."""
    program = program_of(distribution)
    for z in points:
        value, slope = program.log_density_and_grad([z])
        with mpmath.workdps(DIGITS):
            wanted = float(log_density(mpmath.mpf(z)))
            wanted_slope = float(mpmath.diff(log_density, mpmath.mpf(z), h=mpmath.mpf(10) ** -20))
        assert value == pytest.approx(wanted, rel=1e-12, abs=1e-14)
        assert slope[0] == pytest.approx(wanted_slope, rel=1e-8, abs=1e-10)


def log_sum(*terms):
    return mpmath.log(mpmath.fsum(map(mpmath.exp, terms)))


def on_unit_interval(z, terms):
    """Return a log density of log odds, of the terms at the point and its distance from one."""
    below, above = -mpmath.log1p(mpmath.exp(-z)), -mpmath.log1p(mpmath.exp(z))
    return terms(below, above) + below + above


def beta_terms(a, b):
    return lambda below, above: (
        (a - 1) * below + (b - 1) * above - mpmath.log(mpmath.beta(mpmath.mpf(a), mpmath.mpf(b)))
    )


def test_a_mixture_of_betas_has_their_density_however_near_the_ends():
    def wanted(z):
        return log_sum(
            mpmath.log(0.25) + on_unit_interval(z, beta_terms(0.1, 0.1)),
            mpmath.log(0.75) + on_unit_interval(z, beta_terms(0.2, 2.0)),
        )

    check(ex.Mixture(np.array([0.25, 0.75]), [ex.Beta(0.1, 0.1), ex.Beta(0.2, 2.0)]), wanted)
    check(
        ex.Mixture([1.0], [ex.Mixture([1.0], [ex.Beta(0.1, 0.1)])]),
        lambda z: on_unit_interval(z, beta_terms(0.1, 0.1)),
    )


def test_a_mixture_of_gammas_has_a_density_where_another_component_has_none():
    def wanted(z):
        x = mpmath.exp(z)
        of_gamma, of_inverse = (mpmath.fsum(one(x, 0.01, 1.0)) for one in (gamma, inverse_gamma))
        return log_sum(mpmath.log(0.5) + of_gamma, mpmath.log(0.5) + of_inverse) + z

    mixture = ex.Mixture([0.5, 0.5], [ex.Gamma(0.01, 1.0), ex.InverseGamma(0.01, 1.0)])
    check(mixture, wanted, (-800.0, -40.0, 0.3, 40.0, 800.0))


def test_a_component_that_does_not_know_the_line_is_mixed_by_its_point():
    def wanted(z):
        x = mpmath.exp(z)
        return log_sum(*(mpmath.log(0.5) + one for one in (mpmath.fsum(gamma(x, 0.01, 1.0)), -x))) + z

    check(
        ex.Mixture([0.5, 0.5], [ex.Gamma(0.01, 1.0), ex.Exponential(1.0)]), wanted, (-800.0, -40.0, 0.3, 4.0)
    )


def below(upper, z):
    """Return the logarithm of a point between zero and an upper bound, and that of its slope."""
    share = -mpmath.log1p(mpmath.exp(-z))
    return mpmath.log(upper) + share, mpmath.log(upper) + share - mpmath.log1p(mpmath.exp(z))


def cut_gamma(z):
    log_x, log_slope = below(5, z)
    mass = mpmath.gammainc(mpmath.mpf(0.01), 0, 5, regularized=True)
    return mpmath.fsum(gamma(mpmath.exp(log_x), 0.01, 1.0)) + log_slope - mpmath.log(mass)


def cut_weibull(z):
    log_x, log_slope = below(5, z)
    a = mpmath.mpf(0.1)
    density = mpmath.log(a) + (a - 1) * log_x - mpmath.exp(a * log_x)
    return density + log_slope - mpmath.log(-mpmath.expm1(-(mpmath.mpf(5) ** a)))


def kumaraswamy(log_x, log_rest, a, b):
    rest = mpmath.log(-mpmath.expm1(a * log_x)) if log_rest > -100 else mpmath.log(a) + log_rest
    return mpmath.log(a) + mpmath.log(b) + (a - 1) * log_x + (b - 1) * rest


def low_kumaraswamy(z):
    a, b = mpmath.mpf(0.1), mpmath.mpf(0.2)
    log_x, log_slope = below(mpmath.mpf(0.5), z)
    mass = 1 - (1 - mpmath.mpf(0.5) ** a) ** b
    return kumaraswamy(log_x, mpmath.log1p(-mpmath.exp(log_x)), a, b) + log_slope - mpmath.log(mass)


def high_kumaraswamy(z):
    a, b = mpmath.mpf(0.1), mpmath.mpf(0.2)
    log_rest, log_slope = below(mpmath.mpf(0.5), -z)
    mass = (1 - mpmath.mpf(0.5) ** a) ** b
    return kumaraswamy(mpmath.log1p(-mpmath.exp(log_rest)), log_rest, a, b) + log_slope - mpmath.log(mass)


@pytest.mark.parametrize(
    ("distribution", "wanted"),
    [
        (ex.Truncated(ex.Gamma(0.01, 1.0), upper=5), cut_gamma),
        (ex.Truncated(ex.Gamma(0.01, 1.0), 0, np.array([5.0])), cut_gamma),
        (ex.Mixture([0.5, 0.5], [ex.Truncated(ex.Gamma(0.01, 1.0), upper=5)] * 2), cut_gamma),
        (ex.Truncated(ex.Weibull(0.1, 1.0), upper=5.0), cut_weibull),
        (ex.Truncated(ex.Kumaraswamy(0.1, 0.2), upper=0.5), low_kumaraswamy),
        (ex.Truncated(ex.Kumaraswamy(0.1, 0.2), lower=0.5), high_kumaraswamy),
    ],
)
def test_a_truncated_variable_has_its_density_where_its_own_end_is_infinite(distribution, wanted):
    check(distribution, wanted)


def test_truncated_gammas_may_be_mixed_with_what_does_not_know_the_line():
    def wanted(z):
        log_x, log_slope = below(5, z)
        exponential = -mpmath.exp(log_x) - mpmath.log(-mpmath.expm1(-5)) + log_slope
        return log_sum(mpmath.log(0.5) + cut_gamma(z), mpmath.log(0.5) + exponential)

    parts = [ex.Truncated(one, upper=5.0) for one in (ex.Gamma(0.01, 1.0), ex.Exponential(1.0))]
    check(ex.Mixture([0.5, 0.5], parts), wanted)


def test_a_lower_bound_of_zero_changes_nothing():
    plain, cut = program_of(ex.Gamma(0.01, 1.0)), program_of(ex.Truncated(ex.Gamma(0.01, 1.0), lower=0.0))
    for z in (-800.0, -40.0, 0.3):
        np.testing.assert_allclose(cut.log_density([z]), plain.log_density([z]), rtol=1e-12)


@pytest.mark.parametrize("lower", [np.zeros(1), ex.Literal(0.0)])
def test_a_density_is_never_infinite_where_a_value_is_rounded_to_an_end(lower):
    value, slope = program_of(ex.Truncated(ex.Gamma(0.01, 1.0), lower=lower)).log_density_and_grad([-800.0])
    assert value < 0.0
    assert np.isfinite(slope).all()
