"""Give what is written its name once it is complete, and take from HDF5 what the disk does not take.

What goes wrong on the way leaves no trace: what had the name before still has it.
"""

import contextlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from exmc_actors.errors import SettingsError

if TYPE_CHECKING:
    import xarray


def check_writable(path: Path, called: str) -> None:
    """Find out early whether something can be written under a name.

    Permissions do not tell: a file system may be read-only, or have no room for names.

    Args:
      path: of what is to be written.
      called: what the sentence calls it.

    Raises:
      SettingsError: nothing can be.
    """
    whole = path.resolve()
    if not whole.parent.is_dir():
        raise SettingsError(f"{called} cannot be written: name a folder that is there.")
    try:
        _beside(whole).cleanup()
    except OSError as error:
        raise SettingsError(f"{called} cannot be written: {error.strerror}. Name another place.") from error
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise SettingsError(f"{called} is a device, which is not replaced: give the name of a file.")


def _beside(path: Path) -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix=f"{path.name}.part-", dir=path.parent)


@contextlib.contextmanager
def completed(path: Path) -> Iterator[Path]:
    """Yield a name in a new folder beside a path, which takes the place of the path at the end.

    Raises:
      OSError: the disk does not take it.
    """
    path = path.resolve()  # what a link leads to is replaced, and not the link
    with _beside(path) as room:
        part = Path(room) / path.name
        yield part
        if part.is_dir():  # the system gives a folder no name that is taken, but a file that of a file
            _remove(path)
        part.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_netcdf(tree: "xarray.DataTree", path: Path) -> None:
    """Write a tree as a netCDF file.

    Raises:
      OSError: the disk does not take it.
    """
    with completed(path) as part, opened_for_hdf5(part) as file:
        tree.to_netcdf(file, engine="h5netcdf")


@contextlib.contextmanager
def opened_for_hdf5(path: Path) -> Iterator["PatientFile"]:
    """Make a file for HDF5 to write to; it must have closed it by the end.

    Raises:
      OSError: the disk has not taken all of it.
    """
    with path.open("w+b", buffering=0) as file:
        patient = PatientFile(file)
        yield patient
        patient.check()


class PatientFile(io.RawIOBase):
    """A file that fails only when it is asked whether it has: HDF5 crashes the process after a failed write.

    What the disk has not taken stays in memory, so that HDF5 reads what it wrote, and can close in peace.
    """

    def __init__(self, file: io.FileIO) -> None:
        """Write to a file that is open for reading, too; it is closed by somebody else."""
        self._file = file
        self._at = 0
        self._error: OSError | None = None
        self._untaken: list[tuple[int, bytes]] = []
        """Where it belongs, and what it is."""

    def check(self) -> None:
        """Raise what the disk has said, if it has refused anything.

        Raises:
          OSError: it has.
        """
        if self._error is not None:
            raise self._error

    def readable(self) -> bool:
        """Say yes."""
        return True

    def writable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end()}[whence]
        self._at = begin + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def write(self, data: Any, /) -> int:
        """Take all of the data."""
        view, done = memoryview(data).cast("B"), 0
        try:
            while self._error is None and done < len(view):
                done += os.pwrite(self._file.fileno(), view[done:], self._at + done)
        except OSError as error:
            self._error = error
        if done < len(view):
            self._untaken.append((self._at + done, bytes(view[done:])))
        self._at += len(view)
        return len(view)

    def readinto(self, room: Any, /) -> int:
        """Read what was written."""
        view = memoryview(room).cast("B")
        data = os.pread(self._file.fileno(), len(view), self._at)
        view[: len(data)] = data
        for begin, untaken in self._untaken:
            first, behind = max(begin, self._at), min(begin + len(untaken), self._at + len(view))
            if first < behind:
                view[first - self._at : behind - self._at] = untaken[first - begin : behind - begin]
        length = min(len(view), self._end() - self._at)
        self._at += length
        return length

    def truncate(self, size: int | None = None, /) -> int:
        """Make the file as long as is said."""
        length = self._at if size is None else size
        if self._error is None:
            os.ftruncate(self._file.fileno(), length)
        return length

    def _end(self) -> int:
        ends = [begin + len(untaken) for begin, untaken in self._untaken]
        return max(os.fstat(self._file.fileno()).st_size, *ends, 0)
