"""Append frames to numbered files in a folder that one process writes to; what they hold is for others.

A frame has reached the operating system when ``append`` returns, so that it outlives the process; that it
outlives the machine is what ``sync`` is for.  What a write that failed has left is cut off at once.
"""

import contextlib
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from exmc_actors.errors import StoreError
from exmc_actors.wire.frames import Scan, frame_length, framed, scan, unframed

SEGMENT_BYTES = 64 << 20
"""A segment that is longer is followed by another one."""
_MARK = b"exmc-journal"
_VERSION = 1
_HEADER = struct.Struct(f"<{len(_MARK)}sHQI")
_CHECKED = _HEADER.size - 4
HEADER_BYTES = _HEADER.size
_NAME = "{:06d}.journal"
_LOCK = "lock"


class Disk(Protocol):
    """Whoever takes the bytes of a segment: the module ``os``, or a disk that fails on purpose."""

    def pwrite(self, fd: int, buffer: bytes, offset: int, /) -> int:
        """Write at a place of a file; return how many bytes were taken."""

    def fsync(self, fd: int, /) -> None:
        """Wait until a file's bytes outlive the machine."""


@dataclass(frozen=True)
class Damage:
    """Bytes of a segment that cannot be read."""

    segment: str
    first: int
    behind: int

    def __str__(self) -> str:
        return f"{self.segment}, bytes {self.first} to {self.behind}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a frame lies; what is committed never moves."""

    segment: int
    """Its number, from 1 on."""
    first: int
    length: int


def segments_of(folder: Path) -> list[Path]:
    """Return the segments of a folder in order."""
    return sorted(path for path in folder.glob("*.journal") if re.fullmatch(r"\d{6}\.journal", path.name))


def read_segments(folder: Path, take: Callable[[Place, bytes], None]) -> tuple[list[Damage], int]:
    """Hand over all payloads in order, one segment at a time in memory.

    Args:
      folder: that the segments are in.
      take: is called with each payload, and where its frame lies.

    Returns:
      What is damaged, and where in the last segment the next frame belongs.

    Raises:
      StoreError: a segment is of another format or of a newer version.
    """
    damages: list[Damage] = []
    paths = segments_of(folder)
    end = 0
    for number, path in enumerate(paths, start=1):
        if path.name != _NAME.format(number):
            raise StoreError(
                f"{folder} lacks {_NAME.format(number)}: copy the store again, with all its files."
            )
        data = path.read_bytes()
        is_last = number == len(paths)
        found = _scanned(path, data, is_last=is_last)
        for first, payload in zip(found.begins, found.payloads, strict=True):
            take(Place(number, first, frame_length(payload)), payload)
        damages += [Damage(path.name, first, behind) for first, behind in found.damaged]
        end = found.end
        if not is_last:
            # The next one says how long this one was: what is missing at its end is not torn, but lost.
            whole = _length_before(paths[number])
            if found.end < len(data) or (whole is not None and whole != len(data)):
                damages.append(Damage(path.name, found.end, max(len(data), whole or 0)))
    return damages, end


def read_frame(folder: Path, place: Place) -> bytes:
    """Return the payload of one frame, read and checked again.

    Raises:
      StoreError: the bytes that are there now are other ones, or cannot be read.
    """
    path = folder / _NAME.format(place.segment)
    try:
        with path.open("rb") as file:
            file.seek(place.first)
            payload = unframed(file.read(place.length))
    except OSError as error:
        raise StoreError(f"{path} can no longer be read: {error.strerror}.") from error
    if payload is None:
        behind = place.first + place.length
        raise StoreError(
            f"{Damage(path.name, place.first, behind)}, in {folder} have changed since they were written: "
            f"go on with the run by ex.resume({str(folder)!r}), which computes again what is lost."
        )
    return payload


def _scanned(path: Path, data: bytes, *, is_last: bool) -> Scan:
    """Return what is in a segment."""
    if len(data) < _HEADER.size:
        # Of the last one, the process ended while it was begun.
        return Scan() if is_last else Scan(damaged=[(0, len(data))], end=len(data))
    found = scan(data, _HEADER.size)
    mark, version, _, checksum = _HEADER.unpack_from(data)
    if zlib.crc32(data[:_CHECKED]) != checksum:
        if not found.payloads and mark != _MARK:
            raise StoreError(
                f"{path} is no journal of exmc_actors: give the folder that a run was stored in."
            )
        found.damaged.insert(0, (0, _HEADER.size))
    elif version != _VERSION:
        raise StoreError(
            f"{path} is of version {version}, and this library reads version {_VERSION}: install another one."
        )
    return found


def _length_before(path: Path) -> int | None:
    """Return how long the segment before this one was, as this one's header says."""
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    is_whole = len(header) == _HEADER.size and zlib.crc32(header[:_CHECKED]) == _HEADER.unpack(header)[3]
    return int(_HEADER.unpack(header)[2]) if is_whole else None


def _header(length_before: int) -> bytes:
    start = _HEADER.pack(_MARK, _VERSION, length_before, 0)[:_CHECKED]
    return start + struct.pack("<I", zlib.crc32(start))


class Segments:
    """The segments of a folder, open for appending."""

    def __init__(self, folder: Path, end: int, disk: Disk = os) -> None:
        """Go on where the last segment ends, or begin the first.

        Args:
          folder: a folder that this process has locked.
          end: where the last segment is to be cut, as ``read_segments`` says.
          disk: takes what is written.
        """
        self.folder = folder
        self._disk = disk
        self._number = len(segments_of(folder))
        self._file = -1
        self._length = end
        self._is_synced = True
        if self._number and end < _HEADER.size:  # the process ended while it was begun
            self._path.unlink()
            self._number -= 1
            self._length = self._path.stat().st_size if self._number else 0
            self._begin_segment()
        elif self._number:
            self._file = os.open(self._path, os.O_WRONLY)
            os.ftruncate(self._file, end)
        else:
            self._begin_segment()

    @property
    def _path(self) -> Path:
        return self.folder / _NAME.format(self._number)

    def append(self, payload: bytes) -> Place:
        """Hand a frame to the operating system, and return where it lies.

        Raises:
          OSError: it was not taken; nothing of it is left, and it may be tried again.
        """
        if self._length >= SEGMENT_BYTES:
            self._begin_segment()
        frame = framed(payload)
        self._write(self._file, frame, self._length)
        place = Place(self._number, self._length, len(frame))
        self._length += len(frame)
        self._is_synced = False
        return place

    def sync(self) -> None:
        """Wait until what was appended is on the disk."""
        if not self._is_synced:
            self._disk.fsync(self._file)
            self._is_synced = True

    def close(self) -> None:
        """Sync and close."""
        try:
            self.sync()
        finally:
            os.close(self._file)

    def _begin_segment(self) -> None:
        path = self.folder / _NAME.format(self._number + 1)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        header = _header(self._length)
        try:
            self._write(file, header, 0)
            if self._file >= 0:
                self.sync()
        except OSError:
            os.close(file)
            path.unlink()
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._number, self._length = file, self._number + 1, len(header)
        self._is_synced = False
        sync_folder(self.folder)

    def _write(self, file: int, data: bytes, at: int) -> None:
        """Write all of the data, or leave the file as long as it was."""
        written = 0
        try:
            while written < len(data):
                written += self._disk.pwrite(file, data[written:], at + written)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, at)
            raise


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one who writes to a folder.

    Raises:
      StoreError: another process, or another run of this one, writes to it.
    """
    try:
        import fcntl
    except ImportError:
        raise StoreError(
            "a run can be stored on Linux and macOS only: this system has no such locks."
        ) from None
    opened = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"{folder} is being written to by another run: wait for its end, or read it with ex.load."
            ) from None
        yield
    finally:
        os.close(opened)
