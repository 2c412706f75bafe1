import numpy as np
import pandas as pd
import pytest

from exmc_actors.diagnostics import compare, loo, waic
from exmc_actors.diagnostics.comparison import COLUMNS
from exmc_actors.diagnostics.stacking import stacking_weights
from exmc_actors.errors import SamplingWarning, SettingsError

Y = np.arange(40.0)


@pytest.fixture
def tree(tree_of, with_logs):
    """Make a tree whose log likelihoods lie around a level that varies from observation to observation."""

    def made(level, *, seed=1, name="y", y=Y):
        rng = np.random.default_rng(seed)
        levels = level + rng.normal(size=y.shape)
        logs = levels + 0.1 * rng.normal(size=(4, 500, *y.shape))
        bare = tree_of({"mu": rng.normal(size=(4, 500))}, observed_data={name: y})
        return with_logs(bare, {name: logs})

    return made


def test_orders_models_from_the_best(tree):
    trees = {"poor": tree(-3.0, seed=1), "good": tree(-1.0, seed=2), "fair": tree(-1.2, seed=3)}
    table = compare(trees)
    assert list(table.columns) == list(COLUMNS)
    assert list(table.index) == ["good", "fair", "poor"]
    assert list(table["rank"]) == [0, 1, 2]
    assert table.loc["good", "elpd_diff"] == table.loc["good", "dse"] == 0.0
    for name, model in trees.items():
        found = loo(model)
        assert tuple(table.loc[name, ["elpd", "p", "se"]]) == (found.elpd, found.p, found.se)
    assert table["weight"].sum() == pytest.approx(1.0)


def test_differences_are_those_of_the_observations(tree):
    one, two = loo(tree(-1.0, seed=2)), loo(tree(-2.0, seed=3))
    table = compare({"one": one, "two": two})
    behind = one.elpd_i.values - two.elpd_i.values
    assert table.loc["two", "elpd_diff"] == pytest.approx(behind.sum(), rel=1e-12)
    assert table.loc["two", "dse"] == pytest.approx(np.sqrt(40) * behind.std(ddof=1), rel=1e-12)
    weights = stacking_weights(np.stack([one.elpd_i, two.elpd_i], axis=1))
    np.testing.assert_allclose(table["weight"], weights)


def test_takes_trees_and_estimates_alike(tree):
    a, b = tree(-1.0, seed=1), tree(-2.0, seed=2)
    pd.testing.assert_frame_equal(compare({"a": a, "b": b}), compare({"a": loo(a), "b": loo(b)}))
    assert compare({"a": waic(a), "b": waic(b)}).loc["a", "elpd"] == waic(a).elpd


def test_one_model_alone_is_the_best(tree):
    table = compare({"only": tree(-1.0)})
    assert table.loc["only", "weight"] == pytest.approx(1.0)
    assert not table.loc["only", "warning"]


def test_warns_by_the_name_of_the_model(tree, tree_of, with_logs):
    logs = 20.0 * np.random.default_rng(1).normal(size=(4, 500, 40))
    wild = with_logs(tree_of({"mu": logs[..., 0]}, observed_data={"y": Y}), {"y": logs})
    with pytest.warns(
        SamplingWarning, match="^wild: .* of 40 observations of y have a Pareto k above"
    ) as caught:
        assert compare({"tame": tree(-1.0), "wild": wild})["warning"].to_dict() == {
            "tame": False,
            "wild": True,
        }
    assert caught[0].filename == __file__


def test_refuses_what_is_no_dict_of_models(tree):
    with pytest.raises(SettingsError, match="takes a dict of trees by name, got"):
        compare([tree(-1.0)])
    with pytest.raises(SettingsError, match="takes a dict"):
        compare({})


def test_says_which_tree_has_no_log_likelihood(tree, tree_of):
    with pytest.raises(SettingsError, match=r"^bare: .* write tree = ex\.log_likelihood"):
        compare({"a": tree(-1.0), "bare": tree_of({"mu": np.zeros((2, 10))})})


def test_refuses_observations_of_other_names(tree):
    with pytest.raises(SettingsError, match="a predicts 'y' and b 'z'"):
        compare({"a": tree(-1.0), "b": tree(-2.0, name="z")})


def test_refuses_observations_of_other_shapes(tree):
    with pytest.raises(SettingsError, match=r"a has observations of y in shape \(40,\) and b in \(39,\)"):
        compare({"a": tree(-1.0), "b": tree(-2.0, y=Y[:39])})


def test_refuses_observations_of_other_values(tree):
    other = Y.copy()
    other[7] = 70.0
    with pytest.raises(SettingsError, match=r"other values of y; entry \[7\] is 7.0 and 70.0"):
        compare({"a": tree(-1.0), "b": tree(-2.0, y=other)})


@pytest.fixture
def tree_observing(tree_of, with_logs):
    """Make a tree of three observations, with what it observed and maybe labels."""

    def made(observed=None, labels=None, *, order=(0, 1, 2)):
        rng = np.random.default_rng(1)
        logs = (np.array([-1.0, -2.0, -4.0]) + 0.1 * rng.normal(size=(4, 500, 3)))[..., list(order)]
        names = {"dims": {"y": ["place"]}, "coords": {} if labels is None else {"place": labels}}
        data = {} if observed is None else {"observed_data": {"y": np.asarray(observed)}}
        return with_logs(tree_of({"mu": rng.normal(size=(4, 500))}, **data, **names), {"y": logs}, **names)

    return made


def test_names_the_entry_that_differs_and_no_missing_one(tree_observing):
    one, other = tree_observing([np.nan, 1.0, 2.0]), tree_observing([np.nan, 1.0, 3.0])
    with pytest.raises(SettingsError, match=r"entry \[2\] is 2.0 and 3.0"):
        compare({"a": one, "b": other})
    assert len(compare({"a": one, "b": one})) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.array([0.1, 1e300, np.nan]), np.array([0.1, np.inf, np.nan], dtype=np.float32)),
        (np.array([1, 2, 2**24 + 1]), np.array([1, 2, 2**24 + 1], dtype=np.float32)),
        (np.array(["a", "b", None], dtype=object), np.array(["a", "b", None], dtype=object)),
        (np.array(["a", "b", "c"]), np.array(["a", "b", "c"], dtype=object)),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_observations_are_compared_as_far_as_both_libraries_have_kept_them(tree_observing, one, other):
    assert len(compare({"a": tree_observing(one), "b": tree_observing(other)})) == 2


@pytest.mark.parametrize("other", [["a", "b", "d"], [1.0, 2.0, 3.0]])
def test_refuses_other_texts(tree_observing, other):
    with pytest.raises(SettingsError, match=r"b observe other values of y; entry \[\d\] is"):
        compare({"a": tree_observing(["a", "b", "c"]), "b": tree_observing(other)})


@pytest.mark.parametrize("observed", [None, [1.0, 2.0, 3.0]])
def test_observations_with_labels_may_stand_in_any_order(tree_observing, observed):
    turned = None if observed is None else observed[::-1]
    models = {
        "a": tree_observing(observed, list("abc")),
        "b": tree_observing(turned, list("cba"), order=(2, 1, 0)),
    }
    assert compare(models)["dse"].max() < 1e-9


def test_refuses_two_models_of_one_name(tree):
    with pytest.raises(SettingsError, match="two models are called '1'"):
        compare({1: tree(-1.0), "1": tree(-2.0)})


def weighted(tree, weights):
    tree["log_likelihood"].coords["y_weights"] = ("y_dim_0", weights)
    tree["log_likelihood"] = tree["log_likelihood"].to_dataset() * tree["log_likelihood/y_weights"]
    return tree


def test_refuses_observations_of_other_weights(tree):
    weights = np.where(Y < 20.0, 1.0, 0.0)
    with pytest.raises(SettingsError, match="whole and half give the observations of y other weights"):
        compare({"whole": tree(-1.0), "half": weighted(tree(-3.0), weights)})
    table = compare({"a": weighted(tree(-1.0, seed=1), weights), "b": weighted(tree(-3.0, seed=2), weights)})
    behind = (loo(tree(-1.0, seed=1)).elpd_i - loo(tree(-3.0, seed=2)).elpd_i).values[:20]
    assert table.loc["b", "dse"] == pytest.approx(np.sqrt(20) * behind.std(ddof=1))


def test_refuses_estimates_of_two_kinds(tree):
    with pytest.raises(SettingsError, match="a has loo and b waic"):
        compare({"a": loo(tree(-1.0)), "b": waic(tree(-2.0))})
