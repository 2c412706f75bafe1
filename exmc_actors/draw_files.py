"""Write draws to a zarr store or a netCDF file piece by piece; what the pieces are is for others.

xarray writes a tree without its draws: attributes, coordinates, data.  The arrays of draws are added here as
xarray would have written them, empty at first, so that it reads the whole as a file of its own.
"""

import contextlib
import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from exmc_actors.errors import SettingsError
from exmc_actors.whole_files import PatientFile, opened_for_hdf5

if TYPE_CHECKING:
    import xarray

CHUNK_BYTES = 1 << 20
"""Of a zarr store; a draw that is larger has a chunk of its own."""

_PATHS = (".", "..")
_FILES_OF_ZARR = (".zarray", ".zattrs", ".zgroup", ".zmetadata")
_LONGEST_NAME = 255
"""Bytes: names are those of folders in a zarr store."""


class DrawFile(Protocol):
    """A file that is being written."""

    def add(self, group: str, name: str, like: "xarray.Variable") -> None:
        """Add an array to a group, as large as one that holds nothing."""

    def write(self, group: str, name: str, row: int, first: int, values: np.ndarray) -> None:
        """Write some draws of the chain in a row of an array."""


def draws_at_once(like: "xarray.Variable") -> int:
    """Return how many draws of one chain are written together: those of a chunk."""
    size: int = like.dtype.itemsize * math.prod(like.shape[2:])
    return max(1, min(like.shape[1], CHUNK_BYTES // max(1, size)))


@contextlib.contextmanager
def zarr_store(path: Path, tree: "xarray.DataTree") -> Iterator[DrawFile]:
    """Make a zarr store of a tree that has no draws, and open it for those."""
    zarr = _zarr()
    # The second version of the format: the third has no text of fixed length, which labels of axes are.
    tree.to_zarr(path, zarr_format=2, consolidated=False, mode="w-")
    yield _Zarr(zarr.open_group(path, mode="r+", zarr_format=2))
    zarr.consolidate_metadata(path, zarr_format=2)


@contextlib.contextmanager
def netcdf_file(path: Path, tree: "xarray.DataTree") -> Iterator[DrawFile]:
    """Make a netCDF file of a tree that has no draws, and open it for those."""
    import h5netcdf

    with opened_for_hdf5(path) as whole:
        tree.to_netcdf(whole, engine="h5netcdf")
        with h5netcdf.File(whole, "a") as file:
            yield _Netcdf(file, whole)


def check_zarr() -> None:
    """Raise where zarr stores cannot be written.

    Raises:
      SettingsError: the library is missing.
    """
    _zarr()


def check_names(tree: "xarray.DataTree", *, is_zarr: bool) -> None:
    """Raise where a variable or a dimension has a name that a file would take for a path, or cannot have.

    Raises:
      SettingsError: there is one.
    """
    for name in sorted({str(name) for node in tree.children.values() for name in node.variables}):
        is_path = name in _PATHS or (is_zarr and (name in _FILES_OF_ZARR or "\\" in name))
        if is_path or (is_zarr and len(name.encode()) > _LONGEST_NAME):
            shown = name if len(name) <= 40 else f"{name[:40]}..."
            kind = "zarr store" if is_zarr else "netCDF file"
            other = " or export to a netCDF file," if is_zarr and name not in _PATHS else ""
            raise SettingsError(
                f"a {kind} cannot hold the name {shown!r}: leave the variable out by var_names,{other} or "
                "give it another name in the model."
            )


def _zarr() -> ModuleType:
    try:
        return importlib.import_module("zarr")
    except ModuleNotFoundError as error:
        if error.name != "zarr":
            raise
        raise SettingsError(
            "zarr is not installed: pip install 'exmc-actors[zarr]', or name a file that ends in .nc."
        ) from None


class _Zarr:
    def __init__(self, root: Any) -> None:
        self._root = root

    def add(self, group: str, name: str, like: "xarray.Variable") -> None:
        self._root[group].create_array(
            name,
            shape=like.shape,
            chunks=(1, draws_at_once(like), *like.shape[2:]),
            dtype=like.dtype,
            fill_value=_missing(like),
            attributes={"_ARRAY_DIMENSIONS": list(like.dims)},
        )

    def write(self, group: str, name: str, row: int, first: int, values: np.ndarray) -> None:
        self._root[group][name][row, first : first + len(values)] = values


class _Netcdf:
    def __init__(self, file: Any, whole: PatientFile) -> None:
        self._file = file
        self._whole = whole

    def add(self, group: str, name: str, like: "xarray.Variable") -> None:
        # netCDF has no truth values; this is how xarray keeps and knows them.
        is_truth = like.dtype == np.bool_
        added = self._file[group].create_variable(
            name, like.dims, np.int8 if is_truth else like.dtype, fillvalue=_missing(like)
        )
        if is_truth:
            added.attrs["dtype"] = "bool"

    def write(self, group: str, name: str, row: int, first: int, values: np.ndarray) -> None:
        self._file[group][name][row, first : first + len(values)] = values
        self._whole.check()  # what is not taken is kept in memory: it must not be all


def _missing(like: "xarray.Variable") -> float | None:
    """Return what stands where nothing is written: NaN, and nothing for whole numbers, as xarray has it."""
    return np.nan if like.dtype.kind == "f" else None
