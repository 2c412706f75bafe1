"""Charts of one quantity: histograms of any numbers, running means, and the last draws."""

import numpy as np
import pytest

from tests.diagnostics.online.conftest import online_of


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
