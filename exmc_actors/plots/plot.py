"""Be ``ex.plot``: check what is asked for, and hand it to the module that draws it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from exmc_actors.errors import SettingsError

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

KINDS = ("trace", "rank", "pair", "forest", "energy", "ppc", "autocorr")
SUFFIXES = (".png", ".svg")


def plot(
    tree: xr.DataTree,
    kind: str = "trace",
    var_names: str | Sequence[str] | None = None,
    out: str | Path | None = None,
) -> Figure:
    """Draw a picture of draws: ``ex.plot(tree, "pair", ["mu", "tau"])``.

    Of more quantities than fit, those with the highest R-hat are shown, and the picture says so.

    Args:
        tree: as ``ex.sample`` returns it, or any in ArviZ's schema.
        kind: ``trace`` (densities and traces, by chain), ``rank`` (how evenly the chains share the ranks),
            ``pair`` (each quantity against each), ``forest`` (medians with 50 % and 90 % intervals),
            ``energy`` (with each chain's E-BFMI), ``ppc`` (what was observed among what the posterior
            predicts) or ``autocorr``. Divergences are marked in ``trace`` and ``pair``.
        var_names: variables such as ``theta``, or quantities such as ``theta[0]``, named as ``ex.summary``
            does; of ``ppc`` what was predicted. None means all.
        out: a file to write, ``.png`` or ``.svg``.

    Returns:
        A matplotlib ``Figure``: notebooks show it, ``figure.savefig`` writes it, ``pyplot`` does not know it.

    Raises:
        SettingsError: the kind or a name is unknown, ``out`` cannot be written, the tree lacks the group that
            is drawn, or matplotlib is not installed.
    """
    check_kind(kind)
    path = None if out is None else check_picture_file(out)
    check_drawable(tree)
    check_installed("ex.plot")
    from exmc_actors.plots.kinds import drawn
    from exmc_actors.plots.picture import save

    figure = drawn(tree, kind, var_names)
    if path is not None:
        save(figure, path)
    return figure


def check_kind(kind: str) -> None:
    """Refuse a kind of picture that there is not.

    Raises:
        SettingsError: it is unknown.
    """
    if kind not in KINDS:
        near = get_close_matches(str(kind), KINDS, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise SettingsError(f"kind {kind!r} is unknown: {meant}There are {', '.join(KINDS)}.")


def check_picture_file(out: str | Path) -> Path:
    """Return the file to write.

    Raises:
        SettingsError: it has another suffix, or is in no folder that is there.
    """
    path = Path(out)
    if path.suffix.lower() not in SUFFIXES:
        raise SettingsError(
            f"out must end with {' or '.join(SUFFIXES)}, got {str(out)!r}: write {path.stem or 'plot'}.png."
        )
    return check_writable(path)


def check_writable(path: Path) -> Path:
    """Return the path.

    Raises:
        SettingsError: it is a folder, or in no folder that is there.
    """
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise SettingsError(f"out {str(path)!r} cannot be written: give a file in a folder that is there.")
    return path


def check_drawable(tree: object) -> None:
    """Refuse what is no tree.

    Raises:
        SettingsError: it is something else.
    """
    if not hasattr(tree, "children") or not hasattr(tree, "attrs"):
        raise SettingsError(
            f"an xarray.DataTree is expected, got {tree!r}: write ex.load(folder) for a stored run, or "
            "xarray.open_datatree(file) for a netCDF file."
        )


def check_installed(function: str) -> None:
    """Import matplotlib.

    Raises:
        SettingsError: it is not there; says how to install it.
    """
    try:
        import matplotlib  # noqa: F401 - whether it is there is the question
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise SettingsError(
            f"{function} needs matplotlib, which is not installed: pip install 'exmc-actors[plots]'."
        ) from None
