"""Variables that are vectors and matrices, from the builder to the density of the unconstrained vector."""

import jax
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.errors import ModelError
from exmc_actors.model import Model, transforms
from exmc_actors.xla import precise

COV = np.array([[2.0, 0.6], [0.6, 1.0]])


def everything():
    b = ex.Builder(coords={"kind": ["a", "b", "c"]})
    weights = b.rv("weights", ex.Dirichlet(np.array([1.0, 2.0, 3.0])), dims="kind")
    b.rv("place", ex.MvNormal(np.zeros(2), COV))
    factor = b.rv("factor", ex.LKJCholesky(3, 2.0))
    scales = b.rv("scales", ex.HalfNormal(1.0), shape=3)
    b.rv("effects", ex.MvNormal(0.0, chol=scales[:, None] * factor), shape=(4, 3))
    cuts = b.rv("cuts", ex.Normal(0.0, 5.0), shape=3, transform=transforms.Ordered())
    b.rv("walk", ex.GaussianRandomWalk(0.0, scales[0]), shape=6)
    b.rv("plane", ex.Normal(0.0, 1.0), shape=4, transform=transforms.ZeroSum())
    b.rv("direction", ex.Flat(), shape=3, transform=transforms.UnitVector())
    b.rv("rate", ex.Exponential(1.0), transform=transforms.Softplus())
    b.obs("y", ex.Mixture(weights, [ex.Normal(cuts[k], 1.0) for k in range(3)]), np.array([0.0, 1.5, 3.0]))
    b.obs("counts", ex.Multinomial(10, weights), np.array([2, 3, 5]), dims="kind")
    return b.model()


@pytest.fixture(scope="module")
def program():
    return compile(everything())


def test_the_flat_vector_has_one_number_for_each_degree_of_freedom(program):
    sizes = {place.name: place.size for place in program.layout.places}
    assert sizes["weights"] == 2
    assert sizes["factor"] == 3
    assert sizes["effects"] == 12
    assert sizes["plane"] == 3
    assert sizes["direction"] == 3
    assert program.dim == 2 + 2 + 3 + 3 + 12 + 3 + 6 + 3 + 3 + 1


def test_values_have_the_declared_shapes_and_lie_where_they_should(program):
    values = program.constrain(np.random.default_rng(0).normal(size=program.dim))
    assert values["weights"].shape == (3,)
    assert values["weights"].sum() == pytest.approx(1.0)
    assert values["factor"].shape == (3, 3)
    assert (np.diff(values["cuts"]) > 0).all()
    assert values["plane"].sum() == pytest.approx(0.0, abs=1e-14)
    assert (values["direction"] ** 2).sum() == pytest.approx(1.0)


def test_values_lead_back_to_the_vector_that_they_came_from(program):
    flat = np.random.default_rng(1).normal(size=program.dim)
    values = program.constrain(flat)
    again = program.constrain(program.unconstrain(values))
    for name in values:
        np.testing.assert_allclose(again[name], values[name], rtol=1e-10, atol=1e-12)


def test_each_term_is_the_log_density_with_the_jacobian(program):
    flat = np.random.default_rng(2).normal(size=program.dim)
    values, terms = program.constrain(flat), program.terms(flat)
    place = stats.multivariate_normal(np.zeros(2), COV).logpdf(values["place"])
    assert terms["place"] == pytest.approx(place, rel=1e-12)
    cov = np.outer(values["scales"], values["scales"]) * (values["factor"] @ values["factor"].T)
    effects = stats.multivariate_normal(np.zeros(3), cov).logpdf(values["effects"]).sum()
    assert terms["effects"] == pytest.approx(effects, rel=1e-10)
    assert terms["counts"] == pytest.approx(
        stats.multinomial(10, values["weights"] / values["weights"].sum()).logpmf([2, 3, 5]), rel=1e-10
    )
    mixed = np.log(stats.norm(values["cuts"], 1.0).pdf(np.array([[0.0], [1.5], [3.0]])) @ values["weights"])
    assert terms["y"] == pytest.approx(mixed.sum(), rel=1e-12)
    stretched = flat[program.layout.places[5].offset :][:3]
    ordered = stats.norm(0, 5).logpdf(values["cuts"]).sum() + stretched[1:].sum()
    assert terms["cuts"] == pytest.approx(ordered, rel=1e-12)


@pytest.mark.slow
def test_the_gradient_agrees_with_central_differences(program):
    flat = 0.5 * np.random.default_rng(3).normal(size=program.dim)
    _, slope = program.log_density_and_grad(flat)
    for i in range(program.dim):
        step = np.zeros(program.dim)
        step[i] = 1e-6
        difference = (program.log_density(flat + step) - program.log_density(flat - step)) / 2e-6
        assert slope[i] == pytest.approx(difference, rel=1e-6, abs=1e-6)


def test_bytes_carry_everything():
    model = everything()
    again = Model.from_bytes(model.to_bytes())
    assert again.key == model.key
    assert str(again) == str(model)


def test_one_probability_is_one_and_takes_no_number_of_the_flat_vector():
    b = ex.Builder()
    weights, mu = b.rv("weights", ex.Dirichlet(np.ones(1))), b.rv("mu", ex.Normal(0.0, 1.0))
    b.obs("y", ex.Mixture(weights, [ex.Normal(mu, 1.0)]), np.array([1.0, 2.0]))
    program = compile(b.model())
    wanted = stats.norm.logpdf(0.3) + stats.norm(0.3).logpdf([1.0, 2.0]).sum()
    assert program.log_density(np.array([0.3])) == pytest.approx(wanted, rel=1e-12)
    assert program.constrain(np.array([0.3]))["weights"] == [1.0]
    assert program.unconstrain({"weights": [1.0], "mu": 0.3}) == [0.3]


@pytest.mark.parametrize("low", [1.0, "mu"])
def test_a_mixture_of_parts_between_the_same_bounds_is_moved_there(low):
    b = ex.Builder()
    b.rv("mu", ex.Normal(0.0, 1.0))
    parts = [ex.Truncated(ex.Normal(0.0, scale), lower=low) for scale in (1.0, 2.0)]
    b.rv("x", ex.Mixture(np.array([0.3, 0.7]), parts))
    program = compile(b.model())
    flat = np.array([0.4, -0.2])
    bound = 1.0 if low == 1.0 else 0.4
    x = bound + np.exp(-0.2)
    assert program.constrain(flat)["x"] == pytest.approx(x, rel=1e-15)
    each = [stats.norm(0.0, scale).pdf(x) / stats.norm(0.0, scale).sf(bound) for scale in (1.0, 2.0)]
    assert program.terms(flat)["x"] == pytest.approx(np.log(np.dot([0.3, 0.7], each)) - 0.2, rel=1e-12)


def test_a_sparse_dirichlet_is_finite_where_a_probability_is_rounded_to_zero():
    b = ex.Builder()
    b.rv("weights", ex.Dirichlet(np.full(3, 1e-3)))
    program = compile(b.model())
    value, slope = program.log_density_and_grad(np.array([-900.0, 3.0]))
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    "distribution",
    [
        lambda scale: ex.MvNormal(np.zeros(5), scale * (np.eye(5) + 0.3)),
        lambda scale: ex.MvNormal(np.zeros(5), tau=scale * (np.eye(5) + 0.3)),
        lambda scale: ex.LKJCholesky(5, scale),
    ],
    ids=["cov", "tau", "LKJ"],
)
def test_the_slope_of_small_matrices_holds_nothing_that_does_not_fold(distribution):
    b = ex.Builder()
    b.rv("x", distribution(b.rv("scale", ex.HalfNormal(1.0))))
    program = compile(b.model())
    flat = np.zeros(program.dim)
    with precise():
        compiled = jax.jit(jax.grad(program.log_density_at)).lower(flat, program.arguments).compile()
    assert "custom-call" not in compiled.as_text()
    assert " scatter(" not in compiled.as_text()


@pytest.mark.parametrize(
    ("declare", "sentence"),
    [
        (lambda b: b.rv("x", ex.MvNormal(np.zeros(2), np.eye(3))), "do not fit together"),
        (lambda b: b.rv("x", ex.MvNormal(np.zeros(2), np.ones((2, 3)))), "cov must be a symmetric matrix"),
        (lambda b: b.rv("x", ex.MvNormal(np.zeros(2), np.eye(2)), shape=3), "do not fit shape"),
        (lambda b: b.rv("x", ex.MvNormal(np.zeros(1), np.eye(1)), shape=3), "must have just these lengths"),
        (lambda b: b.rv("x", ex.MvNormal(np.zeros(2), np.ones(2))), "cov must be a matrix at least"),
        (lambda b: b.rv("x", ex.Normal(0, 1), transform=transforms.Ordered()), "is for vectors of 1 or more"),
        (lambda b: b.rv("x", ex.Poisson(3.0)), "marginalise it, as Mixture does"),
        (
            lambda b: b.rv("x", ex.Mixture([0.5, 0.5], [ex.Exponential(1), ex.Uniform(-2, -1)])),
            "several sets",
        ),
        (lambda b: b.rv("x", ex.Mixture([1.0], [ex.Normal(0, 1), ex.Normal(0, 1)])), "for 2 components"),
        (
            lambda b: b.obs("x", ex.Dirichlet(np.ones(2)), np.array([0.3, 0.3])),
            "positive numbers that add up",
        ),
    ],
)
def test_what_does_not_fit_gets_a_sentence(declare, sentence):
    with pytest.raises(ModelError, match=sentence):
        declare(ex.Builder())
