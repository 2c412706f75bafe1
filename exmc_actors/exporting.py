"""Write the draws of a stored run to a zarr store or a netCDF file, block by block: never all in memory.

A chain after the other: each block is read once, and what waits to be written is one chunk a variable.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.arguments import boolean
from exmc_actors.draw_files import DrawFile, check_names, check_zarr, draws_at_once, netcdf_file, zarr_store
from exmc_actors.errors import SettingsError
from exmc_actors.messages import Phase
from exmc_actors.runtime import Log, Store, blocks_of, outline
from exmc_actors.stored import draws_in
from exmc_actors.whole_files import check_writable, completed

if TYPE_CHECKING:
    import xarray


def export(
    folder: str | Path | Store,
    path: str | Path,
    *,
    model: Any = None,
    var_names: str | Sequence[str] | None = None,
    save_warmup: bool = False,
    overwrite: bool = False,
) -> None:
    """Write the draws of a stored run to a file, whether it has ended or another process still writes to it.

    What is written is what ``load`` returns, and ``xarray.open_datatree(path, engine="zarr")``, or for netCDF
    ``engine="h5netcdf"``, reads of it what is asked for: so can results be used that are larger than memory.

    Args:
      folder: that was named by ``store``.
      path: of what is written: a zarr store where it ends in ``.zarr``, a netCDF file where in ``.nc``.  It
        has this name only once it is complete; until then it lies in a new folder beside it.
      model: as of ``load``.
      var_names: the variables to write; None writes all.
      save_warmup: whether warmup draws are written too, in ``warmup_`` groups.
      overwrite: whether what has this name is replaced.

    Raises:
      SettingsError: the name ends otherwise, is taken, or cannot be written, or zarr is not installed, or a
        variable has a name that the file cannot hold; as of ``load``.
      StoreError: there is no run there, it cannot be read, or it is of another model.
      RunFailed: a chain has no kept draw yet.
      OSError: the disk does not take it; what had the name before still has it.
    """
    with_warmup = boolean("save_warmup", save_warmup)
    path = _path_of(path)
    opened = _format_of(path)
    overwrite = boolean("overwrite", overwrite)
    _check_free(path, overwrite)
    target = path.absolute()  # reading takes its time, and the program may go elsewhere meanwhile
    stored = draws_in(folder, model, var_names)
    hollow = stored.tree(with_warmup, gather=outline)
    check_names(hollow, is_zarr=path.suffix == ".zarr")
    with completed(target) as part:
        with opened(part, _without_draws(hollow)) as file:
            for beginning in _beginnings(hollow):
                _write(file, hollow, beginning, stored.log)
        _check_free(target, overwrite)  # somebody may have made something there meanwhile


def _path_of(value: Any) -> Path:
    if isinstance(value, str | Path) and "\0" not in str(value):
        return Path(value)
    raise SettingsError(f"path must be a file's name, got {value!r}: write, say, path='draws.zarr'.")


def _format_of(path: Path) -> Callable[[Path, "xarray.DataTree"], AbstractContextManager[DrawFile]]:
    if path.suffix == ".nc":
        return netcdf_file
    if path.suffix == ".zarr":
        check_zarr()
        return zarr_store
    raise SettingsError(
        f"draws are written to a zarr store or a netCDF file, got {str(path)!r}: give a name that ends in "
        ".zarr or in .nc."
    )


def _check_free(path: Path, overwrite: bool) -> None:
    check_writable(path, repr(str(path)))
    if not path.exists():
        return
    if not overwrite:
        raise SettingsError(
            f"{str(path)!r} is there already: say overwrite=True (--overwrite), or give another name."
        )
    if path.is_dir() and (path.suffix == ".nc" or not (path / ".zgroup").exists()):
        raise SettingsError(f"{str(path)!r} is a folder of something else: give another name.")


def _without_draws(tree: "xarray.DataTree") -> "xarray.DataTree":
    """Return the tree with the coordinates of its draws, but not the draws."""
    import xarray

    bare = xarray.DataTree(dataset=tree.to_dataset(inherit=False))
    for name, node in tree.children.items():
        group = node.to_dataset(inherit=False)
        bare[name] = xarray.DataTree(
            group.drop_vars(list(group.data_vars)) if "draw" in group.dims else group
        )
    return bare


def _beginnings(tree: "xarray.DataTree") -> list[str]:
    """Return what stands before "posterior" and "sample_stats" in the names of the groups of draws."""
    names = [str(name) for name, node in tree.children.items() if "draw" in node.dims]
    return list(dict.fromkeys(name.removesuffix("posterior").removesuffix("sample_stats") for name in names))


def _write(file: DrawFile, tree: "xarray.DataTree", beginning: str, log: Log) -> None:
    """Write the posterior and the statistics of one kind: every block has some of both."""
    phase: Phase = "warmup" if beginning == "warmup_" else "sample"
    found = [tree.children.get(f"{beginning}{name}") for name in ("posterior", "sample_stats")]
    groups = [node for node in found if node is not None]
    assert groups, beginning
    arrays = [(str(node.name), str(name), node.variables[name]) for node in groups for name in node.data_vars]
    for group, name, like in arrays:
        file.add(group, name, like)
    length = groups[0].sizes["draw"]
    for row, chain in enumerate(groups[0].coords["chain"].values.tolist()):
        columns = [_Column(file, group, name, row, like) for group, name, like in arrays]
        for block in blocks_of(log, [chain], phase, length):
            for column in columns:
                part = block.draws if column.group.endswith("posterior") else block.stats
                column.add(part[column.name][: length - block.first])
        for column in columns:
            column.flush()


class _Column:
    """The draws of one chain and one variable on their way to a file, a chunk at a time."""

    def __init__(self, file: DrawFile, group: str, name: str, row: int, like: "xarray.Variable") -> None:
        self.group = group
        self.name = name
        self._file = file
        self._row = row
        self._room = np.empty((draws_at_once(like), *like.shape[2:]), like.dtype)
        self._filled = 0
        self._written = 0

    def add(self, values: np.ndarray) -> None:
        while len(values):
            taken = values[: len(self._room) - self._filled]
            self._room[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            values = values[len(taken) :]
            if self._filled == len(self._room):
                self.flush()

    def flush(self) -> None:
        if self._filled:
            filled = self._room[: self._filled]
            self._file.write(self.group, self.name, self._row, self._written, filled)
            self._written += self._filled
            self._filled = 0
