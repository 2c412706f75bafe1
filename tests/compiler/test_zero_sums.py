"""The density of vectors that add up to zero, against the conditional normal in the plane's coordinates."""

import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile

ZERO_SUM = ex.transforms.ZeroSum()


def with_scale(prior, shape=5):
    b = ex.Builder()
    scale = b.rv("scale", ex.HalfNormal(1.0))
    b.rv("x", prior(scale), shape=shape, transform=ZERO_SUM)
    return compile(b.model())


@pytest.mark.parametrize("shape", [5, (3, 5)])
@pytest.mark.parametrize("log_scale", [0.3, -400.0])
def test_entries_of_one_scale_are_as_many_normal_numbers_as_are_free(shape, log_scale):
    program = with_scale(lambda s: ex.Normal(0.0, s), shape)
    z = np.random.default_rng(1).normal(size=program.dim - 1) * np.exp(log_scale)
    value = program.terms(np.array([log_scale, *z]))["x"]
    assert value == pytest.approx(stats.norm(0.0, np.exp(log_scale)).logpdf(z).sum(), rel=1e-12)


def test_a_common_mean_is_no_matter():
    flat = np.array([0.2, 0.1, -0.4, 0.7, 1.1])
    moved = with_scale(lambda s: ex.Normal(3.0, s)).terms(flat)["x"]
    assert moved == pytest.approx(with_scale(lambda s: ex.Normal(0.0, s)).terms(flat)["x"], rel=1e-12)


@pytest.mark.parametrize("mu", [0.5, np.array([1.0, 0.0, -2.0, 3.0]), np.array([[1.0], [2.0]])])
@pytest.mark.parametrize("weight", [1.0, np.array([1.0, 2.0, 3.0, 0.5]), np.array([[1.0], [2.0]])])
def test_entries_of_their_own_are_the_conditional_normal(mu, weight):
    program = with_scale(lambda s: ex.Normal(mu, s * weight), (2, 4))
    flat = np.concatenate([[0.2], np.random.default_rng(2).normal(size=6)])
    _, slope = program.log_density_and_grad(flat)
    basis = np.array([program.constrain(np.array([0.0, *unit]))["x"][0] for unit in np.eye(6)[:3]]).T
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-14)
    by_hand = 0.0
    for row in range(2):
        mean = np.broadcast_to(mu, (2, 4))[row]
        variances = (np.exp(0.2) * np.broadcast_to(weight, (2, 4))[row]) ** 2
        center = mean - variances * mean.sum() / variances.sum()
        covariance = np.diag(variances) - np.outer(variances, variances) / variances.sum()
        known = stats.multivariate_normal(basis.T @ center, basis.T @ covariance @ basis)
        by_hand += known.logpdf(flat[1:].reshape(2, 3)[row])
    assert program.terms(flat)["x"] == pytest.approx(by_hand, rel=1e-11)
    step = 1e-6 * np.eye(7)[0]
    numeric = (program.log_density(flat + step) - program.log_density(flat - step)) / 2e-6
    assert slope[0] == pytest.approx(numeric, rel=1e-6)


def test_another_prior_keeps_the_density_of_its_entries():
    program = with_scale(lambda s: ex.StudentT(3.0, 0.0, s))
    flat = np.array([0.2, 0.1, -0.4, 0.7, 1.1])
    x = program.constrain(flat)["x"]
    assert program.terms(flat)["x"] == pytest.approx(
        stats.t(3.0, 0.0, np.exp(0.2)).logpdf(x).sum(), rel=1e-12
    )


def test_the_passes_leave_the_density_as_it_is():
    y, group = np.random.default_rng(3).normal(size=(2, 60)), np.arange(60) % 5
    b = ex.Builder()
    scale, noise = b.rv("scale", ex.HalfNormal(1.0)), b.rv("noise", ex.HalfNormal(2.0))
    g = b.rv("g", ex.Normal(0.0, scale), shape=5, transform=ZERO_SUM)
    b.obs("y", ex.Normal(g[group], noise), y[0])
    b.obs("few", ex.Normal(g, 1.0), y[1, :5])
    program = compile(b.model())
    flat = np.array([0.2, -0.1, 0.3, -0.4, 0.7, 1.1])
    s, e, x = np.exp(0.2), np.exp(-0.1), program.constrain(flat)["g"]
    by_hand = stats.halfnorm.logpdf(s) + 0.2 + stats.halfnorm(scale=2.0).logpdf(e) - 0.1
    by_hand += stats.norm(0.0, s).logpdf(flat[2:]).sum() + stats.norm(x[group], e).logpdf(y[0]).sum()
    assert program.log_density(flat) == pytest.approx(
        by_hand + stats.norm(x, 1.0).logpdf(y[1, :5]).sum(), rel=1e-12
    )
