"""Distributions of vectors and matrices against SciPy, quadrature, and their own draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler.bijectors import CorrelationCholeskyBijector, StickBreakingBijector
from exmc_actors.errors import ModelError
from exmc_actors.xla import precise

pytestmark = pytest.mark.usefixtures("exact")


def covariance(seed, size, condition=100.0):
    g = np.random.default_rng(seed)
    rotation = np.linalg.qr(g.normal(size=(size, size)))[0]
    return (rotation * np.geomspace(1.0, condition, size)) @ rotation.T


@pytest.mark.parametrize("size", [1, 2, 5, 24, 25, 40])
@pytest.mark.parametrize("matrix", ["cov", "tau", "chol"])
def test_the_multivariate_normal_agrees_with_scipy(size, matrix):
    cov = covariance(size, size)
    g = np.random.default_rng(7)
    mu, x = g.normal(size=size), g.normal(size=(3, size))
    given = {"cov": cov, "tau": np.linalg.inv(cov), "chol": np.linalg.cholesky(cov)}[matrix]
    ours = ex.MvNormal(mu, **{matrix: given}).log_prob(x)
    wanted = np.atleast_1d(stats.multivariate_normal(mu, cov).logpdf(x))
    np.testing.assert_allclose(ours, wanted, rtol=1e-10)


def test_the_gradient_of_the_multivariate_normal_agrees_with_central_differences():
    cov, x = covariance(3, 3), np.array([0.3, -1.2, 0.7])

    def total(entries):
        return ex.MvNormal(0.0, entries + entries.T).log_prob(x)

    total = jax.jit(total)
    slope = np.asarray(jax.grad(total)(jnp.asarray(0.5 * cov)))
    for at in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[at] = 1e-6
        difference = (total(0.5 * cov + step) - total(0.5 * cov - step)) / 2e-6
        assert slope[at] == pytest.approx(float(difference), rel=1e-6, abs=1e-8)


def test_each_vector_may_have_a_mean_and_a_matrix_of_its_own():
    covs = np.stack([covariance(1, 2), covariance(2, 2)])
    mus, x = np.array([[0.0, 1.0], [2.0, -1.0]]), np.array([[0.5, 0.5], [1.0, 1.0]])
    ours = np.asarray(ex.MvNormal(mus, covs).log_prob(x))
    wanted = [stats.multivariate_normal(mus[k], covs[k]).logpdf(x[k]) for k in range(2)]
    np.testing.assert_allclose(ours, wanted, rtol=1e-12)


@jax.jit
def dirichlet_log_prob(alpha, x):
    return ex.Dirichlet(alpha).log_prob(x)


@given(
    st.lists(st.floats(0.01, 50.0), min_size=4, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_the_dirichlet_agrees_with_scipy(alpha, seed):
    x = np.random.default_rng(seed).dirichlet(np.full(len(alpha), 2.0))
    with precise():
        ours = float(dirichlet_log_prob(np.array(alpha), x))
    assert ours == pytest.approx(stats.dirichlet(alpha).logpdf(x / x.sum()), rel=1e-10, abs=1e-10)


def test_the_multinomial_agrees_with_scipy():
    p, x = np.array([0.2, 0.5, 0.3]), np.array([[1, 4, 2], [0, 7, 0], [3, 0, 4]])
    np.testing.assert_allclose(
        ex.Multinomial(7, p).log_prob(x), stats.multinomial(7, p).logpmf(x), rtol=1e-12
    )


@pytest.mark.parametrize("eta", [0.5, 1.0, 3.5])
@pytest.mark.parametrize("n", [2, 3])
def test_the_mass_of_lkj_factors_is_one(n, eta):
    grid, weights = np.polynomial.legendre.leggauss(64)
    half_width = 7.0 / eta
    count = n * (n - 1) // 2
    z = np.stack(np.meshgrid(*[half_width * grid] * count, indexing="ij"), -1).reshape(-1, count)
    masses = np.prod(np.stack(np.meshgrid(*[half_width * weights] * count), -1).reshape(-1, count), -1)
    bijector = CorrelationCholeskyBijector()

    @jax.jit
    def density(z):
        factor = bijector.forward(z)
        return jnp.exp(ex.LKJCholesky(n, eta).log_prob(factor) + bijector.log_det_jacobian(z))

    assert float(np.asarray(density(z)) @ masses) == pytest.approx(1.0, abs=2e-3)


def test_the_correlation_of_two_has_the_density_of_a_stretched_beta():
    r = np.linspace(-0.99, 0.99, 9)
    factors = np.stack([np.array([[1.0, 0.0], [rho, np.sqrt(1 - rho**2)]]) for rho in r])
    wanted = stats.beta(2.5, 2.5, loc=-1.0, scale=2.0).logpdf(r)
    np.testing.assert_allclose(ex.LKJCholesky(2, 2.5).log_prob(factors), wanted, rtol=1e-12)


def test_the_mass_of_the_dirichlet_is_one_on_the_unconstrained_plane():
    grid, weights = np.polynomial.legendre.leggauss(200)
    z = np.stack(np.meshgrid(60 * grid, 60 * grid, indexing="ij"), -1).reshape(-1, 2)
    masses = np.outer(60 * weights, 60 * weights).ravel()
    stick, dirichlet = StickBreakingBijector(), ex.Dirichlet(np.array([0.4, 1.0, 2.5]))
    log_kernel = dirichlet.log_kernel_on_line(stick.log_forward(z)) + stick.log_det_jacobian(z)
    total = np.exp(np.asarray(log_kernel - dirichlet.log_normaliser())) @ masses
    assert float(total) == pytest.approx(1.0, abs=1e-6)


def walk_covariance(steps, sigma, init_sigma):
    sums = np.tril(np.ones((steps, steps)))
    return sums @ np.diag([init_sigma**2] + [sigma**2] * (steps - 1)) @ sums.T


def test_a_random_walk_is_the_multivariate_normal_that_it_should_be():
    x = np.random.default_rng(3).normal(size=(2, 5))
    walk = ex.GaussianRandomWalk(0.3, 0.7, 1.0, 2.0)
    wanted = stats.multivariate_normal(1.0 + 0.3 * np.arange(5), walk_covariance(5, 0.7, 2.0)).logpdf(x)
    np.testing.assert_allclose(walk.log_prob(x), wanted, rtol=1e-12)


def test_a_stationary_process_is_the_multivariate_normal_that_it_should_be():
    x = np.random.default_rng(4).normal(size=(2, 5))
    lags = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    cov = 0.7**2 / (1 - 0.6**2) * 0.6**lags
    wanted = stats.multivariate_normal(np.full(5, 1.5), cov).logpdf(x)
    np.testing.assert_allclose(ex.AR1(0.6, 0.7, 1.5).log_prob(x), wanted, rtol=1e-12)


@pytest.mark.parametrize("process", [ex.AR1(0.6, 0.7), ex.GaussianRandomWalk(0.3, 0.7, 1.0, 2.0)])
def test_a_process_of_no_entries_adds_nothing(process):
    np.testing.assert_array_equal(process.log_prob(np.zeros((2, 0))), [0.0, 0.0])


def test_a_process_that_is_not_stationary_has_no_stationary_start():
    def total(rho):
        return ex.AR1(rho, 0.7).log_prob(jnp.array([0.1, 0.2]))

    assert float(total(jnp.asarray(1.2))) == -np.inf
    assert float(jax.grad(total)(1.2)) == 0.0
    assert np.isfinite(ex.AR1(1.2, 0.7, 0.0, 1.0).log_prob(np.array([0.1, 0.2])))


SAMPLED = {
    "MvNormal": (ex.MvNormal(np.array([1.0, -2.0]), covariance(5, 2, 9.0)), (2,)),
    "precision": (ex.MvNormal(np.array([1.0, -2.0]), tau=covariance(5, 2, 9.0)), (2,)),
    "Dirichlet": (ex.Dirichlet(np.array([0.5, 2.0, 4.0])), (3,)),
    "Multinomial": (ex.Multinomial(9, np.array([0.2, 0.5, 0.3])), (3,)),
    "GaussianRandomWalk": (ex.GaussianRandomWalk(0.3, 0.7, 1.0, 2.0), (4,)),
    "AR1": (ex.AR1(-0.6, 0.7, 1.5), (4,)),
}
MOMENTS = {
    "MvNormal": (np.array([1.0, -2.0]), covariance(5, 2, 9.0)),
    "precision": (np.array([1.0, -2.0]), np.linalg.inv(covariance(5, 2, 9.0))),
    "Dirichlet": (stats.dirichlet([0.5, 2.0, 4.0]).mean(), stats.dirichlet([0.5, 2.0, 4.0]).cov()),
    "Multinomial": (
        9 * np.array([0.2, 0.5, 0.3]),
        stats.multinomial(9, [0.2, 0.5, 0.3]).cov(),
    ),
    "GaussianRandomWalk": (1.0 + 0.3 * np.arange(4), walk_covariance(4, 0.7, 2.0)),
    "AR1": (
        np.full(4, 1.5),
        0.7**2 / (1 - 0.36) * (-0.6) ** np.abs(np.subtract.outer(np.arange(4), np.arange(4))),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLED)
def test_draws_have_the_right_mean_and_covariance(name):
    """Within five standard errors each: a wrong alarm in fewer than one seed in ten thousand."""
    distribution, event = SAMPLED[name]
    mean, cov = MOMENTS[name]
    draws = np.asarray(distribution.sample(jax.random.key(11), (40_000, *event)))
    away = draws - mean
    np.testing.assert_array_less(np.abs(away.mean(0)), 5 * np.sqrt(np.diag(cov) / len(draws)) + 1e-12)
    products = away[:, :, None] * away[:, None, :]
    np.testing.assert_array_less(
        np.abs(products.mean(0) - cov), 5 * products.std(0) / np.sqrt(len(draws)) + 1e-9
    )


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.7, 3.0])
def test_draws_of_factors_give_correlations_that_are_stretched_betas(eta):
    """Kolmogorov and Smirnov: a wrong alarm in one seed in a thousand for each correlation."""
    n = 4
    factors = np.asarray(ex.LKJCholesky(n, eta).sample(jax.random.key(5), (4_000, n, n)))
    matrices = factors @ np.swapaxes(factors, -1, -2)
    shape = eta + 0.5 * (n - 2)
    for i, j in zip(*np.tril_indices(n, -1), strict=True):
        test = stats.kstest(matrices[:, i, j], stats.beta(shape, shape, loc=-1.0, scale=2.0).cdf)
        assert test.pvalue > 1e-3


def two_normals():
    return ex.Mixture(np.array([0.3, 0.7]), [ex.Normal(-1.0, 0.5), ex.Normal(2.0, 1.5)])


def test_a_mixture_is_the_sum_of_its_weighted_densities():
    x = np.array([-40.0, -1.0, 0.5, 3.0, 60.0])
    terms = [np.log(0.3) + stats.norm(-1.0, 0.5).logpdf(x), np.log(0.7) + stats.norm(2.0, 1.5).logpdf(x)]
    np.testing.assert_allclose(two_normals().log_prob(x), np.logaddexp(*terms), rtol=1e-12)


def test_a_mixture_of_vectors_chooses_once_a_vector():
    parts = [ex.MvNormal(np.zeros(2), np.eye(2)), ex.MvNormal(np.full(2, 3.0), np.eye(2))]
    x = np.array([[0.0, 3.0], [1.0, 1.0]])
    terms = [
        np.log(0.5) + stats.multivariate_normal(m, np.eye(2)).logpdf(x)
        for m in (np.zeros(2), np.full(2, 3.0))
    ]
    ours = ex.Mixture(np.array([0.5, 0.5]), parts).log_prob(x)
    np.testing.assert_allclose(ours, np.logaddexp(*terms), rtol=1e-12)


def test_a_component_that_cannot_be_adds_nothing_and_leaves_the_gradient_alone():
    mixture = ex.Mixture(np.array([0.5, 0.5]), [ex.Exponential(1.0), ex.HalfNormal(1.0)])
    slope = jax.grad(lambda w: ex.Mixture(w, mixture.components).log_prob(1.0))(jnp.array([1.0, 0.0]))
    assert np.isfinite(slope).all()
    assert float(mixture.log_prob(-1.0)) == -np.inf
    value, slope = jax.value_and_grad(ex.Mixture(np.array([0.0, 1.0]), mixture.components).log_prob)(0.5)
    assert float(value) == pytest.approx(stats.halfnorm.logpdf(0.5), rel=1e-12)
    assert float(slope) == pytest.approx(-0.5, rel=1e-12)


def test_draws_of_a_mixture_follow_it():
    """Kolmogorov and Smirnov: a wrong alarm in one seed in a thousand."""
    draws = np.asarray(two_normals().sample(jax.random.key(2), (20_000,)))
    cdf = lambda x: 0.3 * stats.norm(-1.0, 0.5).cdf(x) + 0.7 * stats.norm(2.0, 1.5).cdf(x)  # noqa: E731
    assert stats.kstest(draws, cdf).pvalue > 1e-3
    assert float(two_normals().mean()) == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ex.MvNormal(0.0), "one of cov, tau and chol must be given, got none"),
        (lambda: ex.MvNormal(0.0, np.eye(2), np.eye(2)), "got cov and tau"),
        (
            lambda: ex.MvNormal(0.0, -np.eye(2)),
            "cov must be a symmetric matrix whose eigenvalues are positive",
        ),
        (lambda: ex.MvNormal(0.0, np.array([[1.0, 0.5], [0.2, 1.0]])), "cov must be a symmetric matrix"),
        (lambda: ex.MvNormal(0.0, chol=np.ones((2, 2))), "chol must be lower triangular"),
        (lambda: ex.Dirichlet(np.array([1.0, 0.0])), r"entry \[1\] of alpha must be positive, got 0.0"),
        (lambda: ex.LKJCholesky(1), "n must be a whole number of rows, 2 or more, got 1"),
        (lambda: ex.LKJCholesky(2.5), "n must be a whole number of rows"),
        (lambda: ex.AR1(None), "^AR1: rho is None: give a number"),
        (
            lambda: ex.Normal("m", None),
            "^Normal: sigma is None: give a number, an array, or what is",
        ),
        (lambda: ex.Uniform(None, "x"), "^Uniform: low is None: give a number"),
        (lambda: ex.AR1(1.0), "rho must be between -1 and 1 for a stationary start, got 1.0"),
        (lambda: ex.Mixture([0.5, 0.5], ex.Normal(0, 1)), "components must be a list of distributions"),
        (lambda: ex.Mixture([1.0], []), "must all have numbers"),
        (
            lambda: ex.Mixture([0.5, 0.6], [ex.Flat(), ex.Flat()]),
            "w must be numbers, 0 or more, that add up to 1",
        ),
        (
            lambda: ex.Mixture([0.5, 0.5], [ex.Normal(0, 1), ex.Poisson(1.0)]),
            "must all be continuous or all discrete",
        ),
    ],
)
def test_what_is_impossible_gets_a_sentence(make, sentence):
    with pytest.raises(ModelError, match=sentence):
        make()
