"""Online estimates against those of ArviZ, whatever the draws, and however they come."""

from itertools import pairwise

import numpy as np
import pytest
from arviz_stats.base.array import array_stats
from hypothesis import given, settings
from hypothesis import strategies as st

import exmc_actors as ex
from exmc_actors.diagnostics.online import Online
from exmc_actors.diagnostics.online.summary import COLUMNS
from exmc_actors.messages import ChainFailed, ChainFinished, ChainStopped, RunResumed
from tests.diagnostics.conftest import autoregressive
from tests.diagnostics.online.conftest import block_of, online_of

AXES = {"chain_axis": 1, "draw_axis": 2}
FIXED = autoregressive(2, 1, 1700, correlation=0.4)


def everything(online):
    """Return all that estimators tell of ``x[0]`` and of all quantities, as one list of arrays."""
    summary = online.summary()
    shown = online.histogram("x[0]")
    return [
        *(getattr(summary, column) for column in (*COLUMNS, "chain_mean", "draws")),
        online.autocorrelation("x[0]"),
        shown.edges,
        shown.counts,
        *(one.mcse for one in online.running_mean("x[0]")),
        *online.recent("x[0]"),
    ]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 1699), max_size=30, unique=True))
def test_the_state_is_the_same_to_the_bit_for_any_cut_into_blocks(cuts):
    online = Online(1)
    for begin, end in pairwise([0, *sorted(cuts), 1700]):
        online.observe(block_of(0, begin, FIXED[:, 0, begin:end].T))
    for found, whole in zip(everything(online), everything(online_of(FIXED, (1700,))), strict=True):
        np.testing.assert_array_equal(found, whole)


def test_it_is_the_same_to_the_bit_in_whatever_order_chains_come(autoregressive):
    draws = autoregressive(2, 3, 900, correlation=0.4)
    online = Online(3)
    for first in range(0, 900, 90):
        for chain in (2, 0, 1):
            online.observe(block_of(chain, first, draws[:, chain, first : first + 90].T))
    for found, whole in zip(everything(online), everything(online_of(draws)), strict=True):
        np.testing.assert_array_equal(found, whole)


def test_chains_that_are_added_are_taken_in_as_they_come(autoregressive):
    draws = autoregressive(2, 4, 300, correlation=0.4)
    online = Online(1)
    for chain in (0, 3, 1, 2):
        online.observe(block_of(chain, 0, draws[:, chain].T))
    for found, whole in zip(everything(online), everything(online_of(draws)), strict=True):
        np.testing.assert_array_equal(found, whole)
    online.observe(ChainFailed(5, "warmup", 3, "boom"))
    assert online.summary().draws.tolist() == [300] * 4 + [0, 0]
    assert online.summary().failed == (5,)


def test_looking_changes_nothing(autoregressive):
    draws = autoregressive(2, 2, 1000, correlation=0.4)
    online = Online(2)
    for first in range(0, 1000, 100):
        for chain in range(2):
            online.observe(block_of(chain, first, draws[:, chain, first : first + 100].T))
        everything(online)
    for found, whole in zip(everything(online), everything(online_of(draws)), strict=True):
        np.testing.assert_array_equal(found, whole)


def check_against_offline(draws, names=slice(None)):
    """Hold a summary of draws of shape (quantity, chain, draw) against ArviZ."""
    summary = online_of(draws).summary()
    flat = draws.reshape(len(draws), -1)
    np.testing.assert_allclose(summary.mean, flat.mean(axis=1), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(summary.sd, flat.std(axis=1, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(summary.r_hat, array_stats.rhat(draws, method="split", **AXES), atol=0.005)
    for level, found in ((0.05, summary.q5), (0.5, summary.q50), (0.95, summary.q95)):
        error = array_stats.mcse(draws, method="quantile", prob=level, **AXES)
        assert (np.abs(found - np.quantile(flat, level, axis=1)) <= 3.0 * error).all()
    ratio = summary.ess / array_stats.ess(draws, method="mean", **AXES)
    assert 0.85 < np.exp(np.log(ratio).mean()) < 1.18
    np.testing.assert_allclose(summary.mcse_mean, summary.sd / np.sqrt(summary.ess), rtol=1e-12)


@pytest.mark.parametrize("length", [1000, 4321])
@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.8])
def test_autoregressive_chains_of_any_scale(autoregressive, correlation, length):
    draws = autoregressive(40, 4, length, correlation=correlation)
    check_against_offline(draws * np.geomspace(1e-6, 1e6, 40)[:, None, None] + 1e5)


def test_heavy_tails(autoregressive):
    draws = autoregressive(40, 4, 3000, correlation=0.3)
    check_against_offline(np.sinh(2.0 * draws))


def test_numbers_that_are_large_and_differ_little(autoregressive):
    draws = 1e9 + 1e-3 * autoregressive(3, 4, 2000, correlation=0.0)
    summary = online_of(draws).summary()
    exact = np.array([np.std(one - 1e9, ddof=1) for one in draws])
    np.testing.assert_allclose(summary.sd, exact, rtol=1e-9)


def test_booleans_and_counts():
    rng = np.random.default_rng(2)
    draws = np.stack([rng.random((4, 2000)) < 0.1, rng.poisson(5.0, (4, 2000))]).astype(float)
    summary = online_of(draws).summary()
    ratio = summary.ess / array_stats.ess(draws, method="mean", **AXES)
    assert (np.abs(np.log(ratio)) < 0.5).all()
    np.testing.assert_array_equal(summary.q5, [0.0, 2.0])
    np.testing.assert_array_equal(summary.q95, [1.0, 9.0])
    as_bool = online_of(draws[:1].astype(bool)).summary()
    np.testing.assert_array_equal(as_bool.mean, summary.mean[:1])


def test_what_does_not_vary():
    summary = online_of(np.full((1, 4, 700), 0.1)).summary()
    assert summary["x[0]"] == pytest.approx(
        {
            "mean": 0.1,
            "sd": 0.0,
            "q5": 0.1,
            "q50": 0.1,
            "q95": 0.1,
            "mcse_mean": 0.0,
            "ess": 2800.0,
            "r_hat": np.nan,
        },
        abs=0.0,
        nan_ok=True,
    )


def test_draws_that_are_not_finite_make_their_own_quantity_unknown_and_no_other(autoregressive):
    draws = autoregressive(3, 2, 1000, correlation=0.0)
    whole = online_of(draws).summary()
    draws[0, 1, 300], draws[2, 0, 0] = np.nan, np.inf
    summary = online_of(draws).summary()
    for column in COLUMNS:
        assert np.isnan(getattr(summary, column)[[0, 2]]).all(), column
        assert getattr(summary, column)[1] == getattr(whole, column)[1]


def test_before_there_are_draws_nothing_is_known():
    online = Online(2)
    online.observe(block_of(1, 0, np.zeros((30, 1)), phase="warmup"))
    online.observe(RunResumed())
    online.observe(ChainFinished(0))
    summary = online.summary()
    assert summary.names == ()
    np.testing.assert_array_equal(summary.warmup, [0, 30])
    with pytest.raises(ex.SettingsError, match="no quantity 'x' yet: no draw after warmup was seen"):
        online.histogram("x")
    online.observe(block_of(1, 0, np.zeros((3, 1))))
    assert np.isnan(online.summary().mean).all()
    assert online.summary().chain_mean[1] == 0.0


def test_gaps_are_counted_and_draws_seen_twice_are_not(autoregressive):
    draws = autoregressive(1, 1, 1000, correlation=0.0)[:, 0].T
    online = Online(1)
    for first in (100, 200, 150, 500, 100, 900):
        online.observe(block_of(0, first, draws[first : first + 100]))
    summary = online.summary()
    assert summary.draws == 350 + 100 - 50
    assert summary.missed == 100 + 200 + 300
    there = np.r_[100:300, 500:600, 900:1000]
    np.testing.assert_allclose(summary.mean, draws[there].mean(), rtol=1e-12)


def test_a_chain_that_gave_up_counts_for_itself_only(autoregressive):
    draws = autoregressive(1, 3, 500, correlation=0.0)
    draws[0, 1] += 100.0
    online = online_of(draws)
    assert online.summary().r_hat[0] > 10.0
    online.observe(ChainFailed(1, "sample", 500, "numerics"))
    summary = online.summary()
    assert summary.failed == (1,)
    np.testing.assert_allclose(summary.mean, draws[0, [0, 2]].mean(), rtol=1e-12)
    np.testing.assert_allclose(summary.chain_mean[:, 0], draws[0].mean(axis=1), rtol=1e-12)
    for chain in (0, 2):
        online.observe(ChainFailed(chain, "sample", 500, "numerics"))
    assert np.isnan(online.summary().mean[0])


def test_a_chain_that_was_stopped_counts_for_itself_only_unless_no_other_has_draws(autoregressive):
    draws = autoregressive(1, 3, 500, correlation=0.0)
    draws[0, 1] += 100.0
    online = online_of(draws)
    online.observe(ChainStopped(1, "sample", 500))
    summary = online.summary()
    assert (summary.failed, summary.stopped) == ((), (1,))
    np.testing.assert_allclose(summary.mean, draws[0, [0, 2]].mean(), rtol=1e-12)
    np.testing.assert_allclose(summary.chain_mean[:, 0], draws[0].mean(axis=1), rtol=1e-12)
    online.observe(ChainFailed(0, "sample", 500, "numerics"))
    online.observe(ChainStopped(2, "sample", 500))
    np.testing.assert_allclose(online.summary().mean, draws[0, [1, 2]].mean(), rtol=1e-12)


def test_divergences_are_counted_and_the_last_hundred_remembered():
    online = Online(2)
    values = np.arange(300.0)
    for chain in (0, 1):
        diverging = np.arange(300) % (2 + chain) == 0
        online.observe(block_of(chain, 0, values[:, np.newaxis], diverging=diverging))
    np.testing.assert_array_equal(online.summary().divergences, [150, 100])
    last = online.divergences
    assert len(last) == 100
    assert (last[-1].chain, last[-1].draw, last[-1].values.tolist()) == (1, 297, [297.0])


def test_e_bfmi_is_of_each_chain():
    from exmc_actors.diagnostics.checks import e_bfmi

    energy = np.random.default_rng(1).normal(size=(2, 400)).cumsum(axis=1)
    online = Online(2)
    for chain in (0, 1):
        for first in (0, 150):
            some = energy[chain, first : first + (150 if first == 0 else 250)]
            online.observe(block_of(chain, first, np.zeros((len(some), 1)), energy=some))
    np.testing.assert_allclose(online.summary().e_bfmi, e_bfmi(energy), rtol=1e-9)


def test_scalars_have_the_names_that_the_summary_gives_them(good_posterior, good_stats, tree_of):
    dims, coords = {"theta": ("school",)}, {"school": [f"s{i}" for i in range(8)]}
    posterior = good_posterior | {"m": np.zeros((4, 500, 2, 3)), "short": np.zeros((4, 500, 7))}
    dims = {**dims, "short": ("school",), "m": ("row",)}
    coords = {**coords, "row": [10, 20]}
    tree = tree_of(
        {name: one for name, one in posterior.items() if name != "short"},
        good_stats,
        dims=dims,
        coords=coords,
    )
    online = Online(4, dims=dims, coords=coords)
    online.observe(block_of(0, 0, {name: one[0] for name, one in posterior.items()}))
    names = [name for name in online.names if not name.startswith("short")]
    assert names == list(ex.summary(tree).index)
    assert "short[6]" in online.names  # its labels are those of other data


def test_histograms_have_all_but_the_tails(autoregressive):
    draws = autoregressive(1, 4, 2000, correlation=0.0)
    draws[0, 0, 7] = 1e6
    shown = online_of(draws).histogram("x[0]", bins=20)
    assert shown.counts.shape == (4, 20)
    assert 0.985 < shown.counts.sum() / 8000 < 0.995
    assert shown.edges[-1] < 10.0
    exact, _ = np.histogram(draws[0], shown.edges)
    assert np.abs(shown.counts.sum(axis=0) - exact).max() < 40


def test_histograms_of_what_is_not_finite_or_does_not_vary():
    assert online_of(np.full((1, 2, 9), np.nan)).histogram("x[0]").counts.shape == (2, 0)
    same = online_of(np.full((1, 2, 9), 4.0)).histogram("x[0]", bins=4)
    assert same.counts.sum() == 18
    some = np.ones((1, 1, 600))
    some[0, 0, ::2] = np.inf
    assert online_of(some).histogram("x[0]").counts.sum() > 0


@pytest.mark.parametrize(
    "values",
    [
        1.0 - np.spacing(0.5) * np.arange(5),
        np.full(5, 1e17),
        1e16 + 2.0 * np.arange(5),
        2.0**62 + 1024.0 * np.arange(5),
        1e308 * np.array([-1.7, -1.0, 0.0, 1.0, 1.7]),
        5e-324 * np.arange(5),
    ],
)
def test_a_histogram_tells_of_numbers_however_near_or_far_apart(values):
    shown = online_of(np.tile(values, 200).reshape(1, 2, 500)).histogram("x[0]")
    assert shown.counts.sum() == 1000
    assert (shown.edges[:-1] < shown.edges[1:]).all()
    assert np.isfinite(shown.edges).all()
    assert shown.edges[0] <= values.min() <= values.max() <= shown.edges[-1]


def test_a_running_mean_ends_at_the_chain_mean_and_its_error_shrinks(autoregressive):
    draws = autoregressive(1, 2, 5000, correlation=0.5)
    for chain, one in enumerate(online_of(draws).running_mean("x[0]")):
        assert len(one.draws) <= 256
        np.testing.assert_allclose(one.mean, [draws[0, chain, :n].mean() for n in one.draws], atol=1e-12)
        assert one.draws[-1] == 5000
        assert one.mcse[-1] == pytest.approx(np.sqrt(3.0 / 5000), rel=0.5)
        np.testing.assert_allclose(one.mcse[0] / one.mcse[-1], np.sqrt(5000 / one.draws[0]))


def test_recent_draws_are_the_last_ones(autoregressive):
    draws = autoregressive(2, 1, 1000, correlation=0.5)
    for length in (3, 256, 511, 512, 1000):
        (found,) = online_of(draws[:, :, :length]).recent("x[1]")
        assert len(found) == (length if length < 512 else 256 + length % 256)
        np.testing.assert_array_equal(found, draws[1, 0, length - len(found) : length])


def test_memory_does_not_grow_with_the_draws():
    import tracemalloc

    tile = np.random.default_rng(1).normal(size=(2560, 20))
    online = Online(1)

    def held(turns, first):
        for turn in range(turns):
            online.observe(block_of(0, first + turn * 2560, tile))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = held(10, 0)
        late = held(90, 25_600)
    finally:
        tracemalloc.stop()
    # 20 quantities of 8 bytes: four more levels of 256 values each, and no more.
    assert late - early < 5 * 256 * 20 * 8


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: Online(0), "chains must be at least 1, got 0"),
        (lambda: Online(1, lags=-1), "lags must not be negative, got -1"),
        (lambda: online_of(np.zeros((1, 1, 9))).recent("y"), r"no quantity 'y': give one of x\[0\]"),
        (
            lambda: online_of(np.zeros((1, 1, 9))).observe(block_of(0, 9, {"y": np.zeros(3)})),
            "these draws have the variables y, and earlier ones had x",
        ),
    ],
)
def test_what_does_not_fit_is_refused(act, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        act()


def test_a_summary_without_such_a_name_says_so():
    with pytest.raises(KeyError, match="nu"):
        online_of(np.zeros((1, 1, 9))).summary()["nu"]
