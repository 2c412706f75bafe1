"""What is exported from a stored run is what loading and writing it gives, without all draws in memory."""

import os
import sys

import numpy as np
import pytest
import xarray

import exmc_actors as ex
from exmc_actors import draw_files, exporting
from exmc_actors.chain import chain_key
from exmc_actors.opening import open_run
from exmc_actors.runtime import history, inline
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import SIGMA, FixedBlocks, Y, virtual
from tests.test_whole_files import full_after

FAIL_AT = {1: 47, 3: 61}
STOPPED = 4
OPTIONS = {"draws": 60, "tune": 40, "chains": 5, "random_seed": 11}
KINDS = {"nc": "h5netcdf", "zarr": "zarr"}


def labelled_schools():
    b = ex.Builder(coords={"school": [f"school {letter}" for letter in "ABCDEFGH"]})
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfNormal(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), dims="school")
    b.obs("y", ex.Normal(theta, SIGMA), Y, dims="school")
    return b.model()


async def to_the_end(folder):
    async with open_run(
        labelled_schools(), **OPTIONS, store=folder, block_size=FixedBlocks((7, 3)), runner=inline
    ) as run:
        async with run.subscribe(overflow=ex.WAIT, from_start=True, chains=STOPPED) as feed:
            async for message in feed:
                if message.phase == "sample":
                    await run.stop_chain(STOPPED)
                    break
        await run.result()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return the folder of a run of which two chains gave up, at different draws, and one was stopped."""
    folder, advance = tmp_path_factory.mktemp("stored"), Executables.advance

    def poisoned(self, chains, *rest):
        for chain, transition in FAIL_AT.items():
            key = chain_key(OPTIONS["random_seed"], chain)
            if any(np.array_equal(state.key, key) and state.transitions >= transition for state, _ in chains):
                raise FloatingPointError("the poison of this test")
        return advance(self, chains, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Executables, "advance", poisoned)
        virtual(lambda: to_the_end(folder))
    return folder


def opened(path):
    """Return a tree that was written, but for the moment of its making."""
    with xarray.open_datatree(path, engine=KINDS[path.suffix[1:]]) as tree:
        tree = tree.load()
    for node in tree.subtree:
        node.attrs.pop("created_at", None)
    return tree


def written(tree, path):
    if path.suffix == ".nc":
        tree.to_netcdf(path, engine="h5netcdf")
    else:
        tree.to_zarr(path, zarr_format=2)
    return opened(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "chunk"),
    [
        pytest.param({"save_warmup": True}, 700, marks=pytest.mark.slow),
        ({"var_names": ["theta", "tau"]}, 1 << 20),
    ],
)
def test_what_is_exported_is_what_loading_and_writing_gives(
    stored, tmp_path, monkeypatch, kind, options, chunk
):
    monkeypatch.setattr(draw_files, "CHUNK_BYTES", chunk)
    ex.export(stored, tmp_path / f"out.{kind}", **options)
    exported = opened(tmp_path / f"out.{kind}")
    expected = written(ex.load(stored, **options), tmp_path / f"expected.{kind}")
    xarray.testing.assert_identical(exported, expected)
    for path, group in expected.subtree_with_keys:
        assert {name: array.dtype for name, array in exported[path].variables.items()} == {
            name: array.dtype for name, array in group.variables.items()
        }
    lengths = [exported.failed_posterior["tau"].notnull().values.sum(axis=1).tolist()]
    assert lengths == [[exported.attrs["chain_lengths"][chain] for chain in FAIL_AT]]
    stopped = exported.unfinished_posterior["tau"].sel(chain=STOPPED)
    assert 0 < stopped.notnull().sum() == exported.attrs["chain_lengths"][STOPPED] < OPTIONS["draws"]
    assert ("warmup_posterior" in exported) == ("save_warmup" in options)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_replaced_only_when_told_to_and_only_by_what_is_complete(
    stored, tmp_path, monkeypatch, kind
):
    path = tmp_path / f"out.{kind}"
    ex.export(stored, path, var_names="mu")
    with pytest.raises(ex.SettingsError, match="is there already: say overwrite=True"):
        ex.export(stored, path, var_names="tau")
    with monkeypatch.context() as patch:
        patch.setattr(history.History, "__getitem__", damaged_after(10))
        with pytest.raises(ex.StoreError, match="the disk of this test"):
            ex.export(stored, path, var_names="tau", overwrite=True)
    assert list(tmp_path.iterdir()) == [path]
    assert list(opened(path).posterior) == ["mu"]
    ex.export(stored, path, var_names="tau", overwrite=True)
    assert list(tmp_path.iterdir()) == [path]
    assert list(opened(path).posterior) == ["tau"]


def damaged_after(times):
    """Return a way to ask a history for blocks that works so many times."""
    ask, asked = history.History.__getitem__, []

    def asked_too_often(self, at):
        asked.append(at)
        if len(asked) > times:
            raise ex.StoreError("the disk of this test is damaged")
        return ask(self, at)

    return asked_too_often


@pytest.mark.parametrize("size", [0, 2048, 8000, 12_000])
def test_a_disk_that_is_full_leaves_what_was_there(stored, tmp_path, monkeypatch, size):
    path = tmp_path / "out.nc"
    ex.export(stored, path, var_names="mu")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full_after(size))
        with pytest.raises(OSError, match="No space left on device"):
            ex.export(stored, path, overwrite=True)
    assert list(tmp_path.iterdir()) == [path]
    assert list(opened(path).posterior) == ["mu"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_else_lies_beside_what_is_written_stays_there(stored, tmp_path, kind):
    mine = tmp_path / f"out.{kind}.part" / "letters"
    mine.parent.mkdir()
    mine.write_text("dear")
    ex.export(stored, tmp_path / f"out.{kind}", var_names="mu")
    assert mine.read_text() == "dear"
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"out.{kind}", f"out.{kind}.part"]


def test_a_folder_of_something_else_is_never_replaced(stored, tmp_path):
    for name in ("mine.zarr", "mine.nc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "letters").write_text("dear")
        with pytest.raises(ex.SettingsError, match="is a folder of something else"):
            ex.export(stored, tmp_path / name, overwrite=True)
        assert (tmp_path / name / "letters").read_text() == "dear"


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("out.csv", {}, r"give a name that ends in \.zarr or in \.nc"),
        ("deep/out.nc", {}, "name a folder that is there"),
        ("out.nc", {"var_names": "tehta"}, "tehta"),
        ("out.nc", {"overwrite": "no"}, "overwrite must be True or False, got 'no'"),
        ("o\0.nc", {}, "path must be a file's name"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(stored, tmp_path, name, options, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        ex.export(stored, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_zarr_is_told_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ex.SettingsError, match=r"zarr is not installed: pip install 'exmc-actors\[zarr\]'"):
        ex.export(tmp_path / "no run", tmp_path / "out.zarr")


def test_a_zarr_store_is_read_as_far_as_it_is_asked_for(stored, tmp_path):
    ex.export(stored, tmp_path / "out.zarr")
    with xarray.open_datatree(tmp_path / "out.zarr", engine="zarr") as tree:
        assert not tree.posterior["theta"].variable._in_memory
        some = tree.posterior["theta"].isel(chain=0, draw=slice(3, 5)).values
        assert not tree.posterior["theta"].variable._in_memory
    assert np.array_equal(some, ex.load(stored).posterior["theta"].values[0, 3:5])


def test_a_name_that_a_file_takes_for_a_path_is_refused_before_anything_is_written(tmp_path):
    pytest.importorskip("zarr")
    b = ex.Builder()
    b.rv("a\\b", ex.Normal(0.0, 1.0))
    b.rv("..", ex.Normal(0.0, 1.0))
    with pytest.warns(ex.SamplingWarning):
        ex.sample(
            b.model(), draws=5, tune=5, chains=1, random_seed=1, progressbar=False, store=tmp_path / "run"
        )
    for out, names, sentence in (
        (
            "out.zarr",
            "a\\b",
            r"a zarr store cannot hold the name .*: .* or export to a netCDF file, or give it",
        ),
        (
            "out.nc",
            "..",
            r"a netCDF file cannot hold the name '\.\.': leave the variable out by var_names, or give",
        ),
    ):
        with pytest.raises(ex.SettingsError, match=sentence):
            ex.export(tmp_path / "run", tmp_path / out, var_names=names)
    ex.export(tmp_path / "run", tmp_path / "out.nc", var_names="a\\b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.nc", "run"]


@pytest.mark.parametrize("name", [".", ".zgroup", "x" * 256, "é" * 128])
def test_names_that_no_folder_of_a_zarr_store_can_have_are_refused(name):
    def of(name):
        return xarray.DataTree.from_dict({"posterior": xarray.Dataset({name: 1.0})})

    with pytest.raises(ex.SettingsError, match="a zarr store cannot hold the name"):
        draw_files.check_names(of(name), is_zarr=True)
    draw_files.check_names(of("x" * 255), is_zarr=True)
    if name != ".":
        draw_files.check_names(of(name), is_zarr=False)


def test_what_somebody_makes_meanwhile_is_not_replaced(stored, tmp_path, monkeypatch):
    path = tmp_path / "draws.nc"
    write = exporting._write

    def slow(*args):
        path.write_text("of somebody else")
        write(*args)

    monkeypatch.setattr(exporting, "_write", slow)
    with pytest.raises(ex.SettingsError, match="is there already"):
        ex.export(stored, path)
    assert path.read_text() == "of somebody else"
