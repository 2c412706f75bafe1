"""What is written has its name once it is complete; a full disk leaves what was there."""

import errno
import os

import numpy as np
import pytest
import xarray

from exmc_actors.errors import SettingsError
from exmc_actors.whole_files import check_writable, completed, write_netcdf


def draws(seed=0):
    values = np.random.default_rng(seed).normal(size=(2, 500))
    of = {"x": (("chain", "draw"), values), "is_positive": (("chain", "draw"), values > 0.0)}
    return xarray.DataTree.from_dict({"posterior": xarray.Dataset(of), "sample_stats": xarray.Dataset(of)})


def read(path):
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        return tree.load()


def full_after(size):
    """Return a way to write that refuses what lies behind a size, and takes what lies before it."""
    write = os.pwrite

    def pwrite(fd, data, offset):
        if offset >= size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data[: size - offset], offset)

    return pwrite


def test_a_tree_is_written_as_xarray_writes_it(tmp_path):
    write_netcdf(draws(), tmp_path / "ours.nc")
    draws().to_netcdf(tmp_path / "theirs.nc", engine="h5netcdf")
    xarray.testing.assert_identical(read(tmp_path / "ours.nc"), read(tmp_path / "theirs.nc"))


@pytest.mark.parametrize("size", [0, 1, 47, 48, 96, 2048, 2049, 4096, 8000, 10_000, 20_000, 24_000])
def test_wherever_the_disk_is_full_the_old_file_stays_and_the_error_says_so(tmp_path, monkeypatch, size):
    path = tmp_path / "draws.nc"
    write_netcdf(draws(), path)
    whole = path.stat().st_size
    assert size < whole
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full_after(size))
        with pytest.raises(OSError, match="No space left on device"):
            write_netcdf(draws(seed=1), path)
    assert list(tmp_path.iterdir()) == [path]
    xarray.testing.assert_identical(read(path), draws())
    write_netcdf(draws(seed=1), path)
    xarray.testing.assert_identical(read(path), draws(seed=1))


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_text("old")
    link.symlink_to(there)
    with completed(link) as part:
        part.write_text("new")
        assert link.read_text() == "old"
    assert link.is_symlink()
    assert there.read_text() == "new"


def test_what_raises_on_the_way_leaves_what_was_there(tmp_path):
    path = tmp_path / "letters"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), completed(path) as part:
        part.with_name("new").write_text("new")  # and not what was to be written
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no/such/x.nc", "x cannot be written: name a folder that is there"),
        ("n" * 250 + ".nc", "x cannot be written: File name too long. Name another place"),
        pytest.param(
            "/proc/x.nc",
            "x cannot be written: No such file or directory",
            marks=pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="Linux has this file system"),
        ),
        ("/dev/null", "x is a device, which is not replaced"),
    ],
)
def test_what_cannot_be_written_is_found_out_before_it_is_made(tmp_path, name, sentence):
    with pytest.raises(SettingsError, match=sentence):
        check_writable(tmp_path / name, "x")
    assert list(tmp_path.iterdir()) == []


def test_finding_out_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "x.nc", "x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_takes_the_place_of_a_file_and_a_file_that_of_no_folder(tmp_path):
    path = tmp_path / "draws"
    path.write_text("old")
    with completed(path) as part:
        part.mkdir()
        (part / "new").write_text("folder")
    with pytest.raises(OSError, match="draws"), completed(path) as part:
        part.write_text("file")
    assert (path / "new").read_text() == "folder"
