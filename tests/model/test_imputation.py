"""Missing observations as variables, and weights: the density is what it would be written out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.errors import ModelError, ModelWarning
from exmc_actors.model import Model

Y = np.array([[1.0, np.nan, 3.0], [np.nan, -0.5, 2.0]])
SIGMA = np.array([0.5, 1.0, 2.0])


def declared(data=Y, **options):
    b = ex.Builder(coords={"row": ["a", "b"], "column": [1, 2, 3]})
    mu = b.rv("mu", ex.Normal(0.0, 10.0), shape=(2, 1))
    with pytest.warns(ModelWarning, match="y: 2 of 6 entries are missing and are sampled as y_unobserved"):
        y = b.obs("y", ex.Normal(mu, SIGMA), data, dims=("row", "column"), **options)
    b.det("total", ex.math.sum(y))
    return b.model()


def test_missing_entries_become_a_variable_and_the_whole_is_reported():
    model = declared()
    assert [site.name for site in model.free] == ["mu", "y_unobserved"]
    np.testing.assert_array_equal(model.observed_data["y_observed"], [1.0, 3.0, -0.5, 2.0])
    values = compile(model).constrain(np.array([0.1, 0.2, 7.0, 8.0]))
    np.testing.assert_array_equal(values["y"], [[1.0, 7.0, 3.0], [8.0, -0.5, 2.0]])
    assert values["total"] == 20.5


def test_each_entry_keeps_its_own_parameters():
    mu, missing = np.array([0.3, -0.7]), np.array([7.0, 8.0])
    terms = compile(declared()).terms(np.concatenate([mu, missing]))
    whole = np.where(np.isnan(Y), [[0.0, 7.0, 0.0], [8.0, 0.0, 0.0]], Y)
    log_p = stats.norm(mu[:, None], SIGMA).logpdf(whole)
    assert terms["y_observed"] == pytest.approx(log_p[~np.isnan(Y)].sum(), rel=1e-13)
    assert terms["y_unobserved"] == pytest.approx(log_p[np.isnan(Y)].sum(), rel=1e-13)


def test_a_mask_says_the_same_as_nan():
    masked = np.ma.MaskedArray(np.nan_to_num(Y), mask=np.isnan(Y))
    assert declared(masked).key == declared().key


def test_nan_beside_a_mask_is_missing_too():
    masked = np.ma.MaskedArray(Y, mask=[[False, True, False], [False, False, False]])
    assert declared(masked).key == declared().key
    unmasked = declared(np.ma.MaskedArray(Y, mask=False))
    np.testing.assert_array_equal(unmasked.observed_data["y_observed"], [1.0, 3.0, -0.5, 2.0])


def centred(x, shares, m):
    return -0.5 * (x - m - jnp.sum(shares)) ** 2


def of_each(x, scale, m):
    return -0.5 * ((x - m) / scale) ** 2 - jnp.log(scale)


CUSTOM = ex.Custom(of_each, SIGMA, "m")


def observed(distribution, data=Y):
    b = ex.Builder()
    b.rv("m", ex.Normal(0.0, 1.0))
    with pytest.warns(ModelWarning):
        b.obs("y", distribution, data)
    return b.model()


def test_a_function_of_ones_own_gets_its_arguments_whole():
    terms = compile(observed(ex.Custom(centred, np.arange(1.0, 5.0), "m"), [1.0, np.nan, 3.0, 4.0])).terms(
        np.array([0.5, 2.0])
    )
    assert terms["y_observed"] == -0.5 * (9.5**2 + 7.5**2 + 6.5**2)
    assert terms["y_unobserved"] == -0.5 * 8.5**2


def test_a_function_of_ones_own_keeps_the_arguments_of_each_entry():
    model, wanted = observed(CUSTOM), observed(ex.Normal("m", SIGMA))
    flat = np.array([0.4, 7.0, 8.0])
    terms, known = compile(model).terms(flat), compile(wanted).terms(flat)
    for name, count in (("y_observed", 4), ("y_unobserved", 2)):
        assert terms[name] == pytest.approx(known[name] + 0.5 * count * np.log(2 * np.pi), rel=1e-13)
    slope, known_slope = (compile(one).log_density_and_grad(flat)[1] for one in (model, wanted))
    np.testing.assert_allclose(slope, known_slope, rtol=1e-13)
    assert model.key == observed(CUSTOM).key


def test_a_sampler_of_ones_own_draws_the_entries_that_it_is_asked_for():
    whole = ex.Custom(of_each, SIGMA, 3.0, sampler=lambda key, shape, s, m: m + s * jnp.ones(shape))
    drawn = whole.of_entries((2, 3), (0, 2, 4, 5)).sample(jax.random.key(0), (4,))
    np.testing.assert_allclose(drawn, [3.5, 5.0, 4.0, 5.0], rtol=1e-6)


def test_mixtures_and_weights_follow_the_entries():
    b = ex.Builder()
    w = b.rv("w", ex.Dirichlet(np.ones((3, 2))))
    data = np.array([0.5, np.nan, 2.0])
    mixture = ex.Mixture(w, [ex.Normal(np.arange(3.0), 1.0), ex.Normal(5.0, 2.0)])
    with pytest.warns(ModelWarning):
        b.obs("y", mixture, data, weights=np.array([2.0, 1.0, 3.0]))
    program = compile(b.model())
    flat = np.array([0.2, -0.4, 0.9, 1.5])
    values, terms = program.constrain(flat), program.terms(flat)
    x = np.array([0.5, 1.5, 2.0])
    densities = np.stack([stats.norm(np.arange(3), 1.0).pdf(x), stats.norm(5.0, 2.0).pdf(x)], -1)
    log_p = np.log((values["w"] * densities).sum(-1))
    assert terms["y_observed"] == pytest.approx(2.0 * log_p[0] + 3.0 * log_p[2], rel=1e-12)
    assert terms["y_unobserved"] == pytest.approx(log_p[1], rel=1e-12)


def weighted(weights):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 1.0))
    b.obs("y", ex.Poisson(ex.math.exp(mu)), np.array([3, 0, 7]), weights=weights)
    return b.model()


def test_a_weight_counts_an_event_as_often_and_zero_leaves_it_out():
    program = compile(weighted(np.array([2.0, 0.0, 0.5])))
    log_p = stats.poisson(np.exp(0.4)).logpmf([3, 0, 7])
    assert program.terms(np.array([0.4]))["y"] == pytest.approx(2.0 * log_p[0] + 0.5 * log_p[2], rel=1e-13)


def test_bytes_carry_weights():
    model = weighted(np.array([2.0, 0.0, 0.5]))
    again = Model.from_bytes(model.to_bytes())
    assert again.key == model.key != weighted(None).key
    assert str(again) == str(model)


def test_weights_are_data():
    assert weighted(np.ones(3)).key == weighted(np.array([2.0, 0.0, 0.5])).key


@pytest.mark.filterwarnings("ignore::exmc_actors.errors.ModelWarning")
@pytest.mark.parametrize(
    ("declare", "sentence"),
    [
        (
            lambda b: b.obs("y", ex.Poisson(1.0), [1.0, np.nan]),
            "whole numbers for values, which cannot be sampled",
        ),
        (
            lambda b: b.obs("y", ex.MvNormal(np.zeros(2), np.eye(2)), [1.0, np.nan]),
            "events of several entries",
        ),
        (
            lambda b: b.obs("y", ex.Normal(0, 1), [[1.0, np.nan, np.inf]]),
            r"^y: entry \[0, 2\] is inf: data must be finite numbers",
        ),
        (
            lambda b: b.obs("y", ex.Censored(ex.Normal(0, 1), upper=2.0), [1.0, np.nan]),
            "^y: entries are missing, .* censored observations cannot have missing entries",
        ),
        (lambda b: b.obs("y", ex.Normal(0, 1), [np.nan, np.nan]), "all entries are missing"),
        (
            lambda b: b.obs("y", ex.Normal(np.zeros(3), 1), [1.0, np.nan]),
            r"parameters of shape \(3,\), which do not fit shape \(2,\)",
        ),
        (lambda b: b.data("x", [1.0, np.nan]), r"entry \[1\] is nan; missing values are imputed only where"),
        (lambda b: b.obs("y", ex.Normal(0, 1), [1.0, 2.0], weights=[1.0, -1.0]), r"\[1\] of weights is -1.0"),
        (lambda b: b.obs("y", ex.Normal(0, 1), [1.0, 2.0], weights=[1.0, 1.0, 1.0]), "give one for each"),
    ],
)
def test_what_cannot_be_gets_a_sentence(declare, sentence):
    with pytest.raises(ModelError, match=sentence):
        declare(ex.Builder())


@pytest.mark.parametrize("values", [[1.0, None], ["a", "b"]])
def test_masked_data_that_are_no_numbers_are_refused_in_a_sentence(values):
    b = ex.Builder()
    with pytest.raises(ModelError, match=r"^y"):
        b.obs("y", ex.Normal(0.0, 1.0), np.ma.array(values, mask=[False, True]))
