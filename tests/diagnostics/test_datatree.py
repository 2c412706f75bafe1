import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from exmc_actors.diagnostics.datatree import build, plain_attributes

ATTRS = {"created_at": "2026-01-01T00:00:00+00:00", "inference_library_version": "0.1.0"}


@pytest.fixture
def tree(good_posterior, good_stats) -> xr.DataTree:
    return build(
        good_posterior,
        good_stats,
        warmup_posterior={"mu": np.zeros((4, 100))},
        warmup_sample_stats={"diverging": np.ones((4, 100))},
        failed_posterior={},
        failed_sample_stats={},
        observed_data={"y": np.arange(8.0)},
        constant_data={"sigma": np.ones(8), "scale": np.array(2.0)},
        dims={"theta": ("school",), "y": ("school",)},
        coords={"school": ["a", "b", "c", "d", "e", "f", "g", "h"]},
        attrs={
            **ATTRS,
            "restarts": [0, 1, 0, 0],
            "settings": {"draws": 500},
            "stopped": True,
            "reason": None,
        },
    )


def test_has_the_groups_that_are_not_empty(tree):
    assert list(tree.children) == [
        "posterior",
        "sample_stats",
        "warmup_posterior",
        "warmup_sample_stats",
        "observed_data",
        "constant_data",
    ]


def test_every_dimension_has_a_coordinate_and_unnamed_axes_have_arviz_names(tree):
    for group in tree.children.values():
        assert set(group.dims) == set(group.coords)
    assert tree["posterior/theta"].dims == ("chain", "draw", "school")
    assert tree["posterior/school"].values.tolist() == list("abcdefgh")
    assert tree["observed_data/y"].dims == ("school",)
    assert tree["constant_data/sigma"].dims == ("sigma_dim_0",)
    assert tree["constant_data/scale"].dims == ()


def test_lengths_of_groups_may_differ(tree):
    assert tree["warmup_posterior"].sizes["draw"] == 100
    assert tree["posterior"].sizes["draw"] == 500
    assert tree["warmup_posterior/draw"].values[-1] == 99


def test_statistics_have_the_types_that_arviz_looks_for(tree):
    types = {name: array.dtype for name, array in tree["sample_stats"].items()}
    assert types["diverging"] == types["reached_max_treedepth"] == np.bool_
    assert types["tree_depth"] == types["n_steps"] == np.int64
    assert types["lp"] == types["energy"] == np.float64


def test_draws_are_not_copied(good_posterior, good_stats):
    tree = build(good_posterior, good_stats, dims={}, coords={}, attrs=ATTRS)
    assert np.shares_memory(tree["posterior/theta"].values, good_posterior["theta"])


def test_a_variable_or_an_axis_may_be_called_like_a_statistic():
    draws = {"lp": np.zeros((1, 2)), "x": np.ones((1, 2, 3))}
    stats = {"lp": np.full((1, 2), 2.0), "energy": np.full((1, 2), 3.0)}
    tree = build(draws, stats, dims={"x": ["energy"]}, coords={"energy": list("abc")}, attrs=ATTRS)
    assert list(tree["posterior"].data_vars) == ["lp", "x"]
    assert list(tree["sample_stats"].data_vars) == ["lp", "energy"]
    assert tree["posterior/lp"].values.tolist() == [[0.0, 0.0]]
    assert tree["sample_stats/lp"].values.tolist() == [[2.0, 2.0]]
    assert tree["posterior/energy"].values.tolist() == list("abc")
    assert tree["sample_stats/energy"].values.tolist() == [[3.0, 3.0]]


def test_chains_that_gave_up_keep_their_numbers():
    draws, rest = {"mu": np.zeros((3, 10))}, {"mu": np.zeros((1, 4))}
    tree = build(
        draws, {}, failed_posterior=rest, dims={}, coords={}, attrs=ATTRS, chains=[0, 1, 3], failed_chains=[2]
    )
    assert tree["posterior/chain"].values.tolist() == [0, 1, 3]
    assert tree["failed_posterior/chain"].values.tolist() == [2]


def test_labels_of_another_length_do_not_cost_the_draws():
    tree = build({"x": np.zeros((1, 2, 3))}, {}, dims={"x": ["row"]}, coords={"row": ["a", "b"]}, attrs=ATTRS)
    assert tree["posterior/row"].values.tolist() == [0, 1, 2]


def test_the_root_says_everything_and_each_group_where_it_is_from(tree):
    assert tree.attrs["inference_library"] == "exmc_actors"
    assert tree.attrs["restarts"] == [0, 1, 0, 0]
    assert json.loads(tree.attrs["settings"]) == {"draws": 500}
    assert tree["posterior"].attrs == tree.attrs
    assert tree["observed_data"].attrs == {"inference_library": "exmc_actors", **ATTRS}


def test_attributes_become_what_netcdf_can_hold():
    plain = plain_attributes(
        {
            "yes": True,
            "count": np.int64(3),
            "rate": np.float32(0.5),
            "lengths": np.array([1, 2]),
            "reasons": ["", "killed"],
            "none": None,
            "empty": [],
            "mixed": [1, "a"],
            "nested": {"a": [1, 2]},
            "odd text": "a\0b\ud800",
            "long": list(range(2000)),
        }
    )
    assert plain == {
        "yes": 1,
        "count": 3,
        "rate": 0.5,
        "lengths": [1, 2],
        "reasons": ["", "killed"],
        "empty": "[]",
        "mixed": '[1, "a"]',
        "nested": '{"a": [1, 2]}',
        "odd text": "ab?",
        "long": json.dumps(list(range(2000))),
    }
    assert not isinstance(plain["yes"], bool)


def test_survives_a_file(tree, tmp_path):
    pytest.importorskip("h5py")
    tree.to_netcdf(tmp_path / "run.nc", engine="h5netcdf")
    with xr.open_datatree(tmp_path / "run.nc", engine="h5netcdf") as reopened:
        reopened.load()
    assert list(reopened.children) == list(tree.children)
    for name, group in tree.children.items():
        xr.testing.assert_equal(reopened[name].to_dataset(), group.to_dataset())
    assert reopened["sample_stats/diverging"].dtype == bool
    assert set(reopened.attrs) == set(tree.attrs)
    assert np.asarray(reopened.attrs["restarts"]).tolist() == [0, 1, 0, 0]
    assert reopened.attrs["settings"] == tree.attrs["settings"]


def test_importing_the_diagnostics_loads_no_heavy_library():
    code = """
import sys
import exmc_actors.diagnostics.checks, exmc_actors.diagnostics.datatree, exmc_actors.diagnostics.summary
print(sorted({"xarray", "pandas", "scipy", "arviz_stats", "jax", "trio"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
