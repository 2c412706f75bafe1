"""Autocorrelations are exact up to the longest lag."""

import numpy as np
import pytest

from exmc_actors.diagnostics.online.lags import Lags


def exact(draws, most):
    centred = draws - draws.mean(axis=1, keepdims=True)
    size = draws.shape[1]
    covariances = [(centred[:, : size - lag] * centred[:, lag:]).sum(axis=1) for lag in range(most + 1)]
    return np.stack(covariances, axis=1) / covariances[0][:, np.newaxis]


@pytest.mark.parametrize("sizes", [(256, 256, 256, 77), (3, 1, 4, 1, 5), (40,), (256, 30)])
def test_they_are_those_of_the_whole_chain_however_it_is_cut(autoregressive, sizes):
    draws = autoregressive(3, 1, sum(sizes), correlation=0.8)[:, 0] + 2.0
    lags, first = Lags(3, 12), 0
    for size in sizes:
        lags.add(draws[:, first : first + size])
        first += size
    np.testing.assert_allclose(lags.autocorrelation()[:, :13], exact(draws, 12), atol=1e-10)


def test_lags_longer_than_the_chain_are_unknown(autoregressive):
    lags = Lags(2, 20)
    assert np.isnan(lags.autocorrelation()).all()
    draws = autoregressive(2, 1, 8, correlation=0.5)[:, 0]
    lags.add(draws)
    found = lags.autocorrelation()
    np.testing.assert_allclose(found[:, :8], exact(draws, 7), atol=1e-12)
    assert np.isnan(found[:, 8:]).all()


def test_without_lags_there_is_only_a_draw_with_itself():
    lags = Lags(1, 0)
    lags.add(np.array([[1.0, 2.0, 4.0]]))
    np.testing.assert_allclose(lags.autocorrelation(), [[1.0]])


def test_what_does_not_vary_has_none():
    lags = Lags(1, 3)
    lags.add(np.zeros((1, 50)))
    assert np.isnan(lags.autocorrelation()).all()
