import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import over_draws
from exmc_actors.compiler.over_draws import inputs_of, log_likelihood, simulate, visited_for
from exmc_actors.errors import ModelError

KEY = np.array([1, 2], np.uint32)


@pytest.fixture
def b():
    """A builder on which a location and a scale are declared."""
    builder = ex.Builder()
    builder.rv("mu", ex.Normal(0.0, 5.0))
    builder.rv("tau", ex.HalfNormal(5.0))
    return builder


@pytest.fixture
def model(b):
    effect = b.det("effect", ex.math.exp("mu"))
    b.rv("aside", ex.Normal(0.0, 1.0))
    theta = b.rv("theta", ex.Normal("mu", "tau"), shape=3)
    b.obs("y", ex.Normal(theta, 1.0), [1.0, 2.0, 3.0])
    b.obs("z", ex.Normal(effect, 1.0), [1.0])
    return b.model()


@pytest.mark.parametrize(
    ("names", "inputs"),
    [(["y"], ("theta",)), (["z"], ("mu",)), (["effect", "y"], ("mu", "theta")), (["tau"], ("tau",))],
)
def test_needs_only_the_nearest_free_variables(model, names, inputs):
    assert inputs_of(model, names) == inputs


def test_looks_past_free_variables_that_are_not_given(model):
    assert visited_for(model, ["y"], stop=()) == {"y", "theta", "mu", "tau"}


@pytest.mark.parametrize("chunk", [1, 4, 10, 11])
def test_chunks_leave_no_draw_out_and_take_none_twice(model, monkeypatch, chunk):
    theta = np.random.default_rng(1).normal(size=(11, 3))
    whole = simulate(model, ["y"], KEY, 11, {"theta": theta})["y"]
    logs = log_likelihood(model, {"theta": theta, "mu": theta[:, 0]}, 11)
    monkeypatch.setattr(over_draws, "_chunk", lambda model, count: chunk)
    np.testing.assert_allclose(simulate(model, ["y"], KEY, 11, {"theta": theta})["y"], whole, rtol=1e-13)
    for name, values in log_likelihood(model, {"theta": theta, "mu": theta[:, 0]}, 11).items():
        np.testing.assert_allclose(values, logs[name], rtol=1e-13)


def test_a_chunk_is_so_short_that_its_largest_value_is_bounded(b):
    table = np.ones((2000, 1000))
    v = b.rv("v", ex.Normal(0.0, 1.0), shape=1000)
    b.obs("y", ex.Normal(ex.math.sum(table * v, axis=1), 1.0), np.zeros(2000))
    assert over_draws._chunk(b.model(), 4000) == 1
    short = ex.Builder()
    w = short.rv("w", ex.Normal(0.0, 1.0), shape=1000)
    short.obs("y", ex.Normal(table @ w, 1.0), np.zeros(2000))
    assert over_draws._chunk(short.model(), 4000) == 524  # 2^20 over the 2,000 entries of table @ w


def test_no_data_at_all_is_no_chunk_of_nothing(b):
    b.obs("y", ex.Normal("mu", 1.0), np.empty(0))
    assert log_likelihood(b.model(), {"mu": np.zeros(3)}, 3)["y"].shape == (3, 0)


def test_other_data_of_the_same_shapes_compiles_nothing(model):
    theta, mu = np.zeros((5, 3)), np.zeros(5)
    simulate(model, ["y"], KEY, 5, {"theta": theta})
    log_likelihood(model, {"theta": theta, "mu": mu}, 5)
    before = over_draws._simulator.cache_info().misses, over_draws._pointwise.cache_info().misses
    other = model.with_data(y=[5.0, 6.0, 7.0])
    simulate(other, ["y"], KEY, 5, {"theta": theta})
    log_likelihood(other, {"theta": theta, "mu": mu}, 5)
    after = over_draws._simulator.cache_info().misses, over_draws._pointwise.cache_info().misses
    assert after == before


@pytest.mark.parametrize("inner", [ex.Poisson(2.0), ex.Gamma(2.0, 1.0), ex.InverseGamma(2.0, 1.0)])
def test_draws_that_invert_gamma_tails_are_worth_optimised_code(b, inner):
    b.obs("w", ex.Censored(inner, lower=1), [1, 2])
    b.obs("x", ex.Truncated(ex.Normal(0.0, 1.0), lower=1.0), [1.0, 2.0])
    assert over_draws._is_little(b.model())
    b.obs("y", ex.Truncated(inner, lower=1), [1, 2])
    assert not over_draws._is_little(b.model())


def test_how_a_variable_is_sampled_is_no_matter(b):
    b.rv("centred", ex.Normal("mu", "tau"), centered=True)
    b.rv("not_centred", ex.Normal("mu", "tau"), centered=False)
    b.rv("moved", ex.HalfNormal(2.0), transform=ex.transforms.Log())
    found = simulate(b.model(), ["centred", "not_centred", "moved", "mu", "tau"], KEY, 500)
    assert (found["moved"] > 0.0).all()
    for name in ("centred", "not_centred"):
        standard = (found[name] - found["mu"]) / found["tau"]
        assert abs(standard.mean()) < 5.0 / np.sqrt(500)  # wrong by chance: 6e-7
        assert abs(standard.std() - 1.0) < 5.0 / np.sqrt(1000)


@pytest.mark.parametrize("sizes", [(10, 40), pytest.param((100, 400), marks=pytest.mark.slow)])
def test_a_value_has_the_same_bits_whichever_others_and_however_many_draws_are_asked_for(b, sizes):
    for name, size in zip(("y", "z"), sizes, strict=True):
        b.obs(name, ex.Normal("mu", "tau"), np.zeros(size))
    rng = np.random.default_rng(1)
    given = {"mu": rng.normal(size=3000), "tau": rng.gamma(2.0, size=3000)}
    both = simulate(b.model(), ["y", "z"], KEY, 3000, given)
    assert np.array_equal(simulate(b.model(), ["y"], KEY, 3000, given)["y"], both["y"])
    few = simulate(b.model(), ["y", "z"], KEY, 5, {name: values[:5] for name, values in given.items()})
    assert all(np.array_equal(values, both[name][:5]) for name, values in few.items())


@pytest.mark.parametrize("distribution", [ex.Poisson(2.0), ex.Normal(1.0, 1.0)])
def test_a_simulated_index_outside_of_its_axis_is_refused_where_it_is_used(b, distribution):
    which = b.obs("which", distribution, [0, 1])
    level = b.rv("level", ex.Normal(0.0, 1.0), shape=2)
    b.det("chosen", level[which])
    b.obs("y", ex.Normal("chosen", 1.0), [0.0, 0.0])
    with pytest.raises(ModelError, match=r"^which: .* is no position in the axis of 2 entries"):
        simulate(b.model(), ["y"], KEY, 50)
    assert simulate(b.model(), ["which"], KEY, 50)["which"].max() > 1.0
    assert simulate(b.model(), ["y"], KEY, 50, {"chosen": np.zeros((50, 2))})["y"].shape == (50, 2)


@pytest.mark.slow
def test_counts_far_from_where_a_distribution_lies_stay_within_their_bounds(b):
    b.obs("y", ex.Truncated(ex.Poisson(2.0), lower=30), [30, 31])
    found = simulate(b.model(), ["y"], KEY, 200)["y"]
    assert found.min() == 30
    assert found.max() < 40


@pytest.mark.parametrize(
    "inner", [pytest.param(ex.Poisson(2.0), marks=pytest.mark.slow), ex.Exponential(1.0)]
)
def test_bounds_that_leave_nothing_are_refused_by_the_draw_that_has_them(b, inner):
    b.obs("y", ex.Truncated(inner, upper="mu"), [0, 0])
    b.det("twice", 2.0 * ex.math.sum("y"))
    b.obs("z", ex.Normal("twice", 1.0), [0.0])
    with pytest.raises(
        ModelError, match=r"^y: nothing can be drawn from Truncated\(.*, upper=mu\) at the values of draw 2"
    ):
        simulate(b.model(), ["z"], KEY, 3, {"mu": np.array([1.0, 2.0, -1.0])})
    assert np.isfinite(simulate(b.model(), ["z"], KEY, 2, {"mu": np.array([1.0, 2.0])})["z"]).all()


def test_what_a_negative_scale_leaves_between_bounds_is_not_drawn(b):
    b.obs("y", ex.Truncated(ex.Normal(0.0, "mu"), lower=0.0), [0.0])
    with pytest.raises(ModelError, match=r"^y: nothing can be drawn from .* at the values of draw 1: "):
        simulate(b.model(), ["y"], KEY, 2, {"mu": np.array([1.0, -1.0])})
