"""Write what ``--out`` of ``exmc`` names: find out early whether that can be, and say what became of it."""

import sys
from pathlib import Path
from typing import Any


def check_out(out: Path | None) -> Path | None:
    """Refuse early what could not be written after an hour of sampling; return where it is to be.

    That is where it is meant now: a model's file may change the working directory.

    Raises:
      SettingsError: nothing can be written there.
    """
    from exmc_actors.errors import SettingsError
    from exmc_actors.whole_files import check_writable

    if out is None:
        return None
    if out.is_dir():
        raise SettingsError(f"--out {str(out)!r} is a folder: give a file, draws.nc say.")
    check_writable(out, f"--out {str(out)!r}")
    return out.absolute()


def written(tree: Any, out: Path, store: Path | None) -> bool:
    """Write draws, and say so; False where the disk does not take them, or the file's format."""
    from exmc_actors.whole_files import write_netcdf

    try:
        write_netcdf(tree, out)
    except (OSError, ValueError, TypeError, OverflowError) as error:
        sys.stderr.write(f"exmc: {unwritten(out, error, store)}\n")
        return False
    sys.stderr.write(f"exmc: wrote {_called(out)}\n")
    return True


def unwritten(out: Path, error: Exception, store: Path | None) -> str:
    """Say that a file was not written, and what can be done now."""
    if store is None:
        advice = "name another place, or keep the run by --store DIR, from where it can be written again"
    else:
        advice = f"make room, or write it elsewhere by 'exmc export {_called(store)} OUT'"
    reason = getattr(error, "strerror", None) or error
    return f"{_called(out)} cannot be written: {reason}. It is as it was: {advice}."


def _called(path: Path) -> Path:
    """Return a shorter name, where the path is below the working directory."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
