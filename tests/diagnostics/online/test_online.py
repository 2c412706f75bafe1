"""Estimates are the same however draws come, and count what is missing, stopped or has failed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exmc_actors as ex
from exmc_actors.diagnostics.online import Online
from exmc_actors.diagnostics.online.summary import COLUMNS
from exmc_actors.messages import ChainFailed, ChainFinished, ChainStopped, RunResumed
from tests.diagnostics.conftest import autoregressive
from tests.diagnostics.online.conftest import block_of, online_of

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
    assert (summary.failed, summary.kept) == ((1,), (0, 2))
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
    assert (summary.failed, summary.stopped, summary.kept) == ((), (1,), (0, 2))
    np.testing.assert_allclose(summary.mean, draws[0, [0, 2]].mean(), rtol=1e-12)
    np.testing.assert_allclose(summary.chain_mean[:, 0], draws[0].mean(axis=1), rtol=1e-12)
    online.observe(ChainFailed(0, "sample", 500, "numerics"))
    online.observe(ChainStopped(2, "sample", 500))
    np.testing.assert_allclose(online.summary().mean, draws[0, [1, 2]].mean(), rtol=1e-12)
    assert online.summary().kept == (1, 2)


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


def test_memory_does_not_grow_with_the_draws():
    import tracemalloc

    tile = np.random.default_rng(1).normal(size=(2560, 20))

    def held(online, turns, first):
        for turn in range(turns):
            online.observe(block_of(0, first + turn * 2560, tile))
        return tracemalloc.get_traced_memory()[0]

    held(Online(1), 20, 0)  # what is kept from the first use on, such as caches of NumPy's, is no draw's
    online = Online(1)
    tracemalloc.start()
    try:
        early = held(online, 10, 0)
        late = held(online, 90, 25_600)
    finally:
        tracemalloc.stop()
    # 20 quantities of 8 bytes: four more levels of 256 values each, and no more.
    assert late - early < 5 * 256 * 20 * 8


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: Online(0), "chains must be an integer of at least 1, got 0: write, say, chains=4"),
        (lambda: Online("4"), "chains must be an integer of at least 1, got '4'"),
        (lambda: Online(True), "chains must be an integer of at least 1, got True"),
        (lambda: Online(1, lags=-1), "lags must be an integer of at least 0, got -1: write, say, lags=50"),
        (lambda: Online(1, lags=2.5), "lags must be an integer of at least 0, got 2.5"),
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
