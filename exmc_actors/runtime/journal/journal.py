"""Keep a run in a folder: its head in a file of its own, and behind it, record by record, what is committed.

The head also stands at the beginning of the first segment, so that damage to one of the two loses nothing.
"""

import contextlib
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from exmc_actors.errors import StoreError, StoreWarning
from exmc_actors.runtime.journal.frames import framed, scan
from exmc_actors.runtime.journal.head import Head, decode_head, encode_head
from exmc_actors.runtime.journal.records import (
    LengthRecord,
    MakerRecord,
    Record,
    decode_record,
    encode_record,
)
from exmc_actors.runtime.journal.segments import (
    Disk,
    Segments,
    locked,
    read_segments,
    segments_of,
    sync_folder,
)
from exmc_actors.runtime.settings import MAX_TRANSITIONS

_HEAD = "head"


@dataclass(frozen=True)
class Kept:
    """What a folder holds of a run."""

    head: Head
    records: tuple[Record, ...]
    damages: tuple[str, ...]
    """Where something cannot be read; what was there is not among the records."""
    end: int
    """Where in the last segment the next frame belongs."""

    @property
    def maker(self) -> Mapping[str, str] | None:
        """What computed last; None before anything was."""
        return next((one.maker for one in reversed(self.records) if isinstance(one, MakerRecord)), None)


class Journal:
    """The journal of a run, open for writing."""

    def __init__(self, segments: Segments) -> None:
        """Only ``create`` and ``open_again`` make these, and close them."""
        self._segments = segments

    def append(self, record: Record) -> None:
        """Hand a record to the operating system, which keeps it whatever becomes of this process.

        Raises:
          OSError: it was not taken, and nothing of it is left: it may be tried again.
        """
        self._segments.append(encode_record(record))

    def sync(self) -> None:
        """Wait until what was appended is on the disk, where it survives a power cut."""
        self._segments.sync()


@contextlib.contextmanager
def create(folder: Path, head: Head, disk: Disk = os) -> Iterator[Journal]:
    """Begin a journal in a folder that has none, which is made where it is missing.

    Raises:
      StoreError: the folder holds a run already, or cannot be written to.
    """
    with contextlib.ExitStack() as files:
        with _in_words(folder):
            folder.mkdir(parents=True, exist_ok=True)
            files.enter_context(locked(folder))
            if holds_a_run(folder):
                raise StoreError(
                    f"{folder} holds a run already: go on with it by ex.resume({str(folder)!r}), or "
                    "name another folder."
                )
            data = encode_head(head)
            _write_head(folder, data)
            segments = Segments(folder, 0, disk)
            files.callback(_close, segments, folder)
            segments.append(data)
        yield Journal(segments)


@contextlib.contextmanager
def open_again(folder: Path, disk: Disk = os) -> Iterator[tuple[Journal, Kept]]:
    """Go on with the journal of a folder; what a process that ended has left half written is cut off.

    Raises:
      StoreError: the folder holds no run, another process writes to it, or it cannot be read or written to.
    """
    check_holds_a_run(folder)
    with contextlib.ExitStack() as files:
        with _in_words(folder):
            files.enter_context(locked(folder))
            kept = read(folder)
            if _HEAD in kept.damages or not (folder / _HEAD).exists():
                _write_head(folder, encode_head(kept.head))
            segments = Segments(folder, kept.end, disk)
            files.callback(_close, segments, folder)
        yield Journal(segments), kept


@contextlib.contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    """Say what the operating system refuses."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be used: {error.strerror}.") from error


def _close(segments: Segments, folder: Path) -> None:
    try:
        segments.close()
    except OSError as error:  # no reason to lose the draws that are in memory
        warnings.warn(
            f"the end of the run in {folder} may not be on the disk yet ({error.strerror}): "
            "a power cut could take it.",
            StoreWarning,
            stacklevel=2,
        )


def holds_a_run(folder: Path) -> bool:
    """Whether there is anything of a run in the folder."""
    return (folder / _HEAD).exists() or bool(segments_of(folder))


def check_holds_a_run(folder: Path) -> None:
    """Raise where there is no run to read.

    Raises:
      StoreError: there is none.
    """
    if not holds_a_run(folder):
        raise StoreError(f"{folder} holds no run: give a folder that was named by store=....")


def read(folder: Path) -> Kept:
    """Return what a folder holds, while another process may write to it.

    Raises:
      StoreError: it holds no run, one of another version, or its head is lost.
    """
    check_holds_a_run(folder)
    payloads, found, end = read_segments(folder)
    damages = [str(damage) for damage in found]
    heads = _heads(folder, damages)
    records: list[Record] = []
    for number, payload in enumerate(payloads):
        try:
            records.append(decode_record(payload))
        except ValueError:
            try:
                heads.append(decode_head(payload))
            except ValueError:
                damages.append(f"record {number}")
    if not heads:
        raise StoreError(
            f"the head of the run in {folder} is damaged, and so is its copy: nothing can be made of the "
            "rest. Copy the store again."
        )
    head = heads[0]
    for record in records:
        if isinstance(record, LengthRecord) and head.settings.draws < record.draws <= MAX_TRANSITIONS:
            head = replace(head, settings=replace(head.settings, draws=record.draws))
    return Kept(head, tuple(records), tuple(damages), end)


def _heads(folder: Path, damages: list[str]) -> list[Head]:
    """Return the head of the file that holds nothing else, if it can be read."""
    try:
        data = (folder / _HEAD).read_bytes()
    except FileNotFoundError:
        return []
    found = scan(data)
    try:
        if len(found.payloads) == 1 and not found.damaged and found.end == len(data):
            return [decode_head(found.payloads[0])]
    except ValueError:
        pass
    damages.append(_HEAD)
    return []


def _write_head(folder: Path, data: bytes) -> None:
    """Write the head at once or not at all."""
    part = folder / f"{_HEAD}.part"
    with part.open("wb") as file:
        file.write(framed(data))
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / _HEAD)
    sync_folder(folder)
