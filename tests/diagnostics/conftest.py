"""Draws whose diagnostics are known, and trees that hold them."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from exmc_actors.diagnostics.datatree import build
from exmc_actors.diagnostics.groups import with_group

ATTRS = {"created_at": "2026-01-01T00:00:00+00:00", "inference_library_version": "0.1.0"}


def autoregressive(
    quantities: int, chains: int, draws: int, *, correlation: float, seed: int = 1
) -> np.ndarray:
    """Return stationary AR(1) chains of unit variance, of shape (quantity, chain, draw)."""
    noise = np.random.default_rng(seed).normal(size=(quantities, chains, draws))
    series = np.empty_like(noise)
    series[:, :, 0] = noise[:, :, 0]
    for t in range(1, draws):
        series[:, :, t] = correlation * series[:, :, t - 1] + np.sqrt(1 - correlation**2) * noise[:, :, t]
    return series


@pytest.fixture(name="autoregressive")
def autoregressive_fixture() -> Callable[..., np.ndarray]:
    return autoregressive


@pytest.fixture
def good_posterior() -> dict[str, np.ndarray]:
    """Eight schools by shape, independent draws by distribution: 4 chains of 500."""
    draws = autoregressive(10, 4, 500, correlation=0.0)
    return {"mu": draws[0], "tau": np.exp(draws[1]), "theta": np.moveaxis(draws[2:], 0, 2)}


@pytest.fixture
def good_stats() -> dict[str, np.ndarray]:
    energy = autoregressive(1, 4, 500, correlation=0.0, seed=2)[0]
    return {
        "lp": -energy,
        "acceptance_rate": np.full((4, 500), 0.8),
        "step_size": np.full((4, 500), 0.5),
        "tree_depth": np.full((4, 500), 3.0),
        "n_steps": np.full((4, 500), 7.0),
        "diverging": np.zeros((4, 500)),
        "energy": energy,
        "max_energy_error": np.full((4, 500), 0.1),
        "reached_max_treedepth": np.zeros((4, 500)),
    }


@pytest.fixture
def tree_of() -> Callable[..., xr.DataTree]:
    """Build a tree from a posterior and statistics, with nothing named unless asked for."""

    def tree(posterior: dict, stats: dict | None = None, *, dims=(), coords=(), **groups) -> xr.DataTree:
        return build(posterior, stats or {}, dims=dict(dims), coords=dict(coords), attrs=ATTRS, **groups)

    return tree


@pytest.fixture
def with_logs() -> Callable[..., xr.DataTree]:
    """Add a group of pointwise log likelihoods to a tree."""

    def extended(tree: xr.DataTree, logs: dict, *, dims=(), coords=()) -> xr.DataTree:
        return with_group(tree, "log_likelihood", logs, dims=dict(dims), coords=dict(coords), attrs=ATTRS)

    return extended
