"""Trees of draws that nobody sampled, and what a report's page holds."""

from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr

CHAINS, DRAWS = 4, 60


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def page() -> type[Page]:
    return Page


@pytest.fixture
def draws() -> Callable[..., np.ndarray]:
    """Independent normal draws, of shape (chain, draw, *shape)."""

    def make(*shape: int, seed: int = 0, chains: int = CHAINS, draws: int = DRAWS) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=(chains, draws, *shape))

    return make


@pytest.fixture
def tree_of() -> Callable[..., xr.DataTree]:
    """Make a tree of variables by name, with the groups that are given."""

    def make(variables: dict[str, np.ndarray], **groups: xr.Dataset) -> xr.DataTree:
        return xr.DataTree.from_dict({"posterior": dataset(variables), **groups})

    return make


@pytest.fixture
def stats_of(draws) -> Callable[..., xr.Dataset]:
    """Make sample statistics in which some draws diverged, given as (chain, draw)."""

    def make(*diverged: tuple[int, int], chains: int = CHAINS, draws_each: int = DRAWS) -> xr.Dataset:
        diverging = np.zeros((chains, draws_each), dtype=bool)
        for place in diverged:
            diverging[place] = True
        energy = draws(seed=9, chains=chains, draws=draws_each)
        return dataset({"diverging": diverging, "energy": energy})

    return make


@pytest.fixture(name="dataset")
def dataset_fixture() -> Callable[[dict[str, np.ndarray]], xr.Dataset]:
    return dataset


def dataset(variables: dict[str, np.ndarray]) -> xr.Dataset:
    arrays = {
        name: (("chain", "draw", *(f"{name}_dim_{axis}" for axis in range(values.ndim - 2))), values)
        for name, values in variables.items()
    }
    made = xr.Dataset(arrays)
    return made.assign_coords({axis: np.arange(size) for axis, size in made.sizes.items()})
