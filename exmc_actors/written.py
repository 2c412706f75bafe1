"""Read draws that were written, from a stored run or a netCDF file, with what else is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from exmc_actors.errors import SettingsError

if TYPE_CHECKING:
    import xarray

    from exmc_actors.model import Model


@dataclass(frozen=True)
class Written:
    """What there is of a run."""

    tree: xarray.DataTree
    model: Model | None = None
    """None where it is not stored."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of what computed the draws, by name."""


def read_written(path: Path) -> Written:
    """Return what a folder or a file holds.

    Raises:
      SettingsError: it is neither a folder nor a netCDF file.
      StoreError: the folder holds no run.
      RunFailed: a chain has no kept draw yet.
    """
    if not path.is_dir():
        return Written(read_file(path))
    from exmc_actors.stored import draws_in, stored_model

    draws = draws_in(path, model=None, var_names=None)
    model, versions = draws.kept.head.model, draws.kept.maker or {}
    return Written(
        draws.tree(save_warmup=False), None if model is None else stored_model(model, path), versions
    )


def read_file(path: Path) -> xarray.DataTree:
    """Return the draws of a netCDF file, which stays open until they are closed.

    Raises:
      SettingsError: there is none, or it holds something else.
    """
    import xarray

    if not path.is_file():
        raise SettingsError(
            f"there is no file {str(path)!r}: give a folder that 'exmc sample --store' wrote, or "
            "a file that 'exmc sample --out' wrote."
        )
    try:
        return xarray.open_datatree(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise SettingsError(f"{str(path)!r} is not a netCDF file of draws: {error}") from error
