"""Moments are compared with exact ones at five standard errors: wrong by chance once in 1.7 million."""

import warnings

import jax
import numpy as np
import pytest
import xarray as xr
from scipy import stats

import exmc_actors as ex

SCHOOLS_Y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SCHOOLS_SIGMA = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
DRAWS = 20_000


def eight_schools(*, with_potential=False):
    b = ex.Builder(coords={"school": list("ABCDEFGH")})
    mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), dims="school")
    b.det("effect", theta - mu, dims="school")
    sigma = b.data("sigma", SCHOOLS_SIGMA, dims="school")
    b.obs("y", ex.Normal(theta, sigma), SCHOOLS_Y, dims="school")
    if with_potential:
        b.potential("penalty", -(mu**2))
    return b.model()


def line(x, y):
    b = ex.Builder()
    slope, sigma = b.rv("slope", ex.Normal(0.0, 1.0)), b.rv("sigma", ex.HalfNormal(1.0))
    mean = b.det("mean", slope * b.data("x", x))
    b.obs("y", ex.Normal(mean, sigma), y)
    return b.model()


def tree_with(**draws):
    """A tree of draws that were not sampled: name to an array of shape (chain, draw, *shape)."""
    variables = {
        name: (("chain", "draw", *(f"{name}_dim_{i}" for i in range(values.ndim - 2))), values)
        for name, values in draws.items()
    }
    return xr.DataTree.from_dict({"posterior": xr.Dataset(variables)})


def assert_mean(values, exact):
    """Each column of independent values has the exact mean, within five standard errors."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - exact) < 5.0 * error).all()


@pytest.fixture(scope="module")
def schools():
    return eight_schools()


@pytest.fixture(scope="module")
def prior(schools):
    return ex.sample_prior_predictive(schools, draws=DRAWS, random_seed=1)


@pytest.fixture(scope="module")
def posterior(schools):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ex.SamplingWarning)  # one divergence in 4,000 draws
        return ex.sample(schools, draws=1000, random_seed=1, progressbar=False)


class TestPrior:
    def test_has_its_groups_in_arvizs_schema(self, prior):
        assert list(prior.children) == ["prior", "prior_predictive", "observed_data", "constant_data"]
        assert list(prior.prior.data_vars) == ["mu", "tau", "theta", "effect"]
        assert prior["prior/theta"].dims == ("chain", "draw", "school")
        assert prior["prior_predictive/y"].shape == (1, DRAWS, 8)
        assert prior["prior_predictive/school"].values.tolist() == list("ABCDEFGH")
        assert np.array_equal(prior["observed_data/y"], SCHOOLS_Y)
        assert np.array_equal(prior["constant_data/sigma"], SCHOOLS_SIGMA)
        assert prior.attrs["random_seed"] == 1

    def test_moments_are_those_of_the_model(self, prior):
        mu, tau = prior["prior/mu"].values[0], prior["prior/tau"].values[0]
        theta, y = prior["prior/theta"].values[0], prior["prior_predictive/y"].values[0]
        assert_mean(mu, 0.0)
        assert_mean(mu**2, 25.0)
        assert_mean(tau, 5.0 * np.sqrt(2.0 / np.pi))
        assert_mean(theta**2, 50.0)
        assert_mean(theta[:, 0] * theta[:, 1], 25.0)
        assert_mean(y, 0.0)
        assert_mean(y**2, 50.0 + SCHOOLS_SIGMA**2)

    def test_deterministics_follow_from_the_draws(self, prior):
        expected = prior["prior/theta"] - prior["prior/mu"]
        assert np.array_equal(prior["prior/effect"], expected.transpose("chain", "draw", "school"))

    def test_potentials_are_left_out_with_a_warning(self, prior):
        with pytest.warns(ex.SamplingWarning, match="penalty: potentials are left out"):
            tree = ex.sample_prior_predictive(eight_schools(with_potential=True), draws=5, random_seed=1)
        assert np.array_equal(tree["prior/mu"], prior["prior/mu"][:, :5])

    def test_an_improper_prior_is_refused_by_name(self):
        b = ex.Builder()
        b.obs("y", ex.Normal(b.rv("slope", ex.Flat()), 1.0), [1.0])
        with pytest.raises(ex.ModelError, match=r"^slope: Flat has no draws"):
            ex.sample_prior_predictive(b.model())

    def test_a_model_that_observes_nothing_has_a_prior(self):
        b = ex.Builder()
        b.rv("mu", ex.Normal(0.0, 1.0))
        assert list(ex.sample_prior_predictive(b.model(), draws=3, random_seed=1).children) == ["prior"]

    def test_a_wrong_number_of_draws_is_refused(self, schools):
        with pytest.raises(ex.SettingsError, match="draws must be an integer"):
            ex.sample_prior_predictive(schools, draws=0)


class TestPosteriorPredictive:
    def test_is_the_conjugate_predictive_distribution(self):
        y = np.random.default_rng(1).normal(2.0, 1.0, 10)
        variance = 1.0 / (1.0 / 9.0 + 10.0 / 4.0)
        mean = variance * y.sum() / 4.0
        b = ex.Builder()
        mu = b.rv("mu", ex.Normal(0.0, 3.0))
        b.obs("y", ex.Normal(mu, 2.0), y)
        exact = np.random.default_rng(2).normal(mean, np.sqrt(variance), size=(4, 5000))
        tree = ex.sample_posterior_predictive(tree_with(mu=exact), b.model(), random_seed=3)
        found = tree["posterior_predictive/y"].values.reshape(-1, 10)
        predictive = stats.norm(mean, np.sqrt(variance + 4.0))
        # Wrong by chance: 1e-6, by the test of each column.
        assert min(stats.kstest(column, predictive.cdf).pvalue for column in found.T) > 1e-7
        assert_mean(found[:, 0] * found[:, 1], variance + mean**2)

    def test_has_the_axes_of_the_observation_and_keeps_the_rest(self, schools, posterior):
        tree = ex.sample_posterior_predictive(posterior, schools, random_seed=1)
        assert list(tree.children) == [*posterior.children, "posterior_predictive"]
        assert tree["posterior_predictive/y"].dims == ("chain", "draw", "school")
        assert tree["posterior_predictive"].attrs["random_seed"] == 1
        assert tree.attrs == posterior.attrs
        noise = (tree["posterior_predictive/y"] - tree["posterior/theta"]).values.reshape(
            -1, 8
        ) / SCHOOLS_SIGMA
        assert_mean(noise, 0.0)
        assert_mean(noise**2, 1.0)

    def test_predicts_at_other_data_of_another_length(self):
        tree = tree_with(slope=np.full((2, 50), 3.0), sigma=np.full((2, 50), 1e-9))
        model = line([10.0, 20.0, 30.0, 40.0], np.zeros(4))
        found = ex.sample_posterior_predictive(tree, model, random_seed=1)["posterior_predictive/y"]
        np.testing.assert_allclose(found, np.broadcast_to([30.0, 60.0, 90.0, 120.0], (2, 50, 4)), atol=1e-6)
        moved = ex.sample_posterior_predictive(tree, model.with_data(x=np.ones(4)), random_seed=1)
        np.testing.assert_allclose(moved["posterior_predictive/y"], 3.0, atol=1e-6)

    def test_computes_deterministics_where_asked_to(self):
        tree = tree_with(slope=np.array([[1.0, 2.0]]), sigma=np.ones((1, 2)))
        model = line([1.0, 10.0], np.zeros(2))
        found = ex.sample_posterior_predictive(tree, model, random_seed=1, var_names="mean")
        assert list(found["posterior_predictive"].data_vars) == ["mean"]
        assert found["posterior_predictive/mean"].values.tolist() == [[[1.0, 10.0], [2.0, 20.0]]]
        both = ex.sample_posterior_predictive(tree, model, random_seed=1, var_names=["y", "mean"])
        alone = ex.sample_posterior_predictive(tree, model, random_seed=1)
        assert np.array_equal(both["posterior_predictive/y"], alone["posterior_predictive/y"])

    def test_an_observation_that_is_an_index_is_followed(self):
        b = ex.Builder()
        level = b.rv("level", ex.Normal(0.0, 1.0), shape=3)
        which = b.obs("which", ex.Categorical([0.2, 0.3, 0.5]), [0, 2])
        b.obs("y", ex.Normal(level[which], 1e-9), [0.0, 1.0])
        tree = tree_with(level=np.tile([10.0, 20.0, 30.0], (1, DRAWS, 1)))
        found = ex.sample_posterior_predictive(tree, b.model(), random_seed=1)["posterior_predictive"]
        np.testing.assert_allclose(found["y"], 10.0 * (found["which"] + 1.0), atol=1e-6)
        assert_mean(found["y"].values[0], 23.0)

    def test_needs_only_what_the_observation_depends_on(self, schools, posterior):
        tree = xr.DataTree.from_dict({"posterior": posterior["posterior"].to_dataset()[["theta"]]})
        found = ex.sample_posterior_predictive(tree, schools, random_seed=1)["posterior_predictive"]
        whole = ex.sample_posterior_predictive(posterior, schools, random_seed=1)["posterior_predictive"]
        assert np.array_equal(found["y"], whole["y"])

    def test_a_missing_variable_is_named(self, schools, posterior):
        tree = xr.DataTree.from_dict({"posterior": posterior["posterior"].to_dataset()[["mu", "tau"]]})
        with pytest.raises(ex.SettingsError, match="the posterior lacks theta"):
            ex.sample_posterior_predictive(tree, schools)

    @pytest.mark.parametrize(
        ("var_names", "sentence"),
        [
            ("mu", "mu is a free variable: its draws are in the tree's posterior already"),
            (["y", "efect"], "'efect'.*effect"),
            ([], "var_names is empty"),
            (3, "var_names must be a name, a list of names, or None, got 3"),
        ],
    )
    def test_names_that_cannot_be_predicted_are_refused(self, schools, posterior, var_names, sentence):
        with pytest.raises(ex.SettingsError, match=sentence):
            ex.sample_posterior_predictive(posterior, schools, var_names=var_names)


class TestLogLikelihood:
    def test_is_that_of_every_observation_at_every_draw(self, schools, posterior):
        tree = ex.log_likelihood(posterior, schools)
        found = tree["log_likelihood/y"]
        assert found.dims == ("chain", "draw", "school")
        expected = stats.norm.logpdf(SCHOOLS_Y, posterior["posterior/theta"], SCHOOLS_SIGMA)
        np.testing.assert_allclose(found, expected, rtol=1e-10)

    def test_of_a_vector_is_one_number_with_the_axes_before_its_own(self):
        b = ex.Builder(coords={"pair": ["a", "b", "c"], "side": ["left", "right"]})
        mu = b.rv("mu", ex.Normal(0.0, 1.0), dims="side")
        b.obs("y", ex.MvNormal(mu, np.eye(2)), np.zeros((3, 2)), dims=("pair", "side"))
        tree = ex.log_likelihood(tree_with(mu=np.zeros((1, 30, 2))), b.model())
        assert tree["log_likelihood/y"].dims == ("chain", "draw", "pair")
        np.testing.assert_allclose(tree["log_likelihood/y"], -np.log(2.0 * np.pi), rtol=1e-10)

    def test_has_the_weights_of_the_events(self):
        b = ex.Builder()
        mu = b.rv("mu", ex.Normal(0.0, 1.0))
        b.obs("y", ex.Normal(mu, 1.0), np.zeros((2, 3)), weights=[1.0, 0.0, 2.0])
        b.obs("m", mu + b.rv("z", ex.Normal(0.0, 1.0), shape=2), np.zeros(2), weights=[0.0, 1.0])
        draws = tree_with(mu=np.random.default_rng(1).normal(size=(1, 30)))
        logs = ex.log_likelihood(draws, b.model())["log_likelihood"]
        assert logs["y_weights"].values.tolist() == [[1.0, 0.0, 2.0]] * 2
        assert logs["m_weights"].values.tolist() == [0.0, 1.0]
        assert list(logs.data_vars) == ["y", "m"]

    def test_an_observation_with_the_name_of_anothers_weights_is_refused(self):
        b = ex.Builder()
        mu = b.rv("mu", ex.Normal(0.0, 1.0))
        b.obs("y", ex.Normal(mu, 1.0), np.zeros(2), weights=[1.0, 0.0])
        b.obs("y_weights", ex.Normal(mu, 1.0), np.zeros(2))
        with pytest.raises(ex.SettingsError, match="y_weights is an observation, and would be the name"):
            ex.log_likelihood(tree_with(mu=np.zeros((1, 30))), b.model())

    def test_leads_to_loo_waic_and_a_comparison(self, schools, posterior):
        tree = ex.log_likelihood(posterior, schools)
        assert ex.loo(tree).elpd == pytest.approx(-30.8, abs=0.5)
        assert ex.waic(tree).elpd == pytest.approx(ex.loo(tree).elpd, abs=0.2)
        assert list(ex.compare({"a": tree, "b": tree})["elpd_diff"]) == [0.0, 0.0]

    def test_a_model_that_observes_nothing_is_refused(self, posterior):
        b = ex.Builder()
        b.rv("mu", ex.Normal(0.0, 1.0))
        with pytest.raises(ex.SettingsError, match="the model observes nothing"):
            ex.log_likelihood(posterior, b.model())


def everything(tree):
    return {
        f"{group}/{name}": values.values.tobytes()
        for group, child in tree.children.items()
        for name, values in child.data_vars.items()
    }


def test_a_seed_decides_every_bit(schools, posterior):
    for predict in (
        lambda seed: ex.sample_prior_predictive(schools, draws=5, random_seed=seed),
        lambda seed: ex.sample_posterior_predictive(posterior, schools, random_seed=seed),
    ):
        one, same, other = (everything(predict(seed)) for seed in (1, 1, 2))
        assert one == same
        group = "prior" if "prior/mu" in one else "posterior_predictive"
        changed = {name for name in one if name.startswith(group)}
        assert all(one[name] != other[name] for name in changed)


def test_one_seed_gives_a_prior_and_a_posterior_predictive_numbers_of_their_own(schools):
    prior = ex.sample_prior_predictive(schools, draws=5, random_seed=1)
    theta = prior["prior/theta"].values
    again = ex.sample_posterior_predictive(tree_with(theta=theta), schools, random_seed=1)
    noise = (again["posterior_predictive/y"].values - theta) - (prior["prior_predictive/y"].values - theta)
    assert (noise != 0.0).all()


def test_without_a_seed_one_is_drawn_and_kept(schools):
    first = ex.sample_prior_predictive(schools, draws=5)
    again = ex.sample_prior_predictive(schools, draws=5, random_seed=first.attrs["random_seed"])
    assert everything(first) == everything(again)


def test_the_result_survives_a_file(schools, posterior, tmp_path):
    tree = ex.log_likelihood(ex.sample_posterior_predictive(posterior, schools, random_seed=1), schools)
    tree.to_netcdf(tmp_path / "schools.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "schools.nc", engine="h5netcdf") as reopened:
        assert everything(reopened) == everything(tree)
        assert ex.loo(reopened).elpd == ex.loo(tree).elpd
        assert everything(ex.log_likelihood(reopened, schools)) == everything(tree)


def test_a_program_does_as_well_as_its_model(schools):
    by_program = ex.sample_prior_predictive(ex.compile(schools), draws=5, random_seed=1)
    assert everything(by_program) == everything(ex.sample_prior_predictive(schools, draws=5, random_seed=1))


def test_the_hosts_precision_stays_single(schools, posterior):
    ex.log_likelihood(ex.sample_posterior_predictive(posterior, schools, random_seed=1), schools)
    assert not jax.config.jax_enable_x64
    assert jax.numpy.ones(1).dtype == np.float32
