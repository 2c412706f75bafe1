"""Keep a run in a folder: its head in a file of its own, and behind it, record by record, what is committed.

The head also stands at the beginning of the first segment, so that damage to one of the two loses nothing.
What is read keeps of a block where it lies, not its arrays: those are read when somebody needs them.
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from exmc_actors.errors import StoreError, StoreWarning
from exmc_actors.messages import DrawBlock
from exmc_actors.runtime.journal.contents import Contents
from exmc_actors.runtime.journal.entries import Entry
from exmc_actors.runtime.journal.head import Head, encode_head, identity_of, longer
from exmc_actors.runtime.journal.head_file import HEAD_FILE, HEAD_FILES, heads_in_file, write_head_file
from exmc_actors.runtime.journal.records import (
    BlockRecord,
    LengthRecord,
    MakerRecord,
    Record,
    decode_block,
    decode_record,
    encode_record,
)
from exmc_actors.runtime.journal.removing import remove
from exmc_actors.runtime.journal.segments import (
    Disk,
    Place,
    Segments,
    locked,
    read_frame,
    read_segments,
    segments_of,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Kept:
    """What a folder holds of a run."""

    head: Head
    records: tuple[Entry, ...]
    """In order; of a block only what is known of it without its arrays."""
    shapes: Mapping[str, tuple[int, ...]]
    """Of one draw of each variable; empty before the first block."""
    damages: tuple[str, ...]
    """Where something cannot be read; what was there is not among the records."""
    end: int
    """Where in the last segment the next frame belongs."""

    @property
    def maker(self) -> Mapping[str, str] | None:
        """What computed last; None before anything was."""
        return next((one.maker for one in reversed(self.records) if isinstance(one, MakerRecord)), None)


class Shelf:
    """Where the blocks of a run lie, for whoever asks for one."""

    def __init__(self, folder: Path) -> None:
        """Attach to a folder; nothing is read yet."""
        self._folder = folder

    def record(self, place: Place) -> BlockRecord:
        """Return the block at a place, with the state that follows it.

        Raises:
          StoreError: it is no longer there, or it cannot be read.
        """
        record = self._decoded(place, decode_record)
        if not isinstance(record, BlockRecord):
            raise self._another(place)
        return record

    def block(self, place: Place) -> DrawBlock:
        """Return the block alone.

        Raises:
          StoreError: as above.
        """
        return self._decoded(place, decode_block)

    def _decoded(self, place: Place, decode: Callable[[bytes], T]) -> T:
        payload = read_frame(self._folder, place)
        try:
            return decode(payload)
        except ValueError as error:
            raise self._another(place) from error

    def _another(self, place: Place) -> StoreError:
        return StoreError(
            f"{self._folder} holds something else at {place} than it did: copy the store again."
        )


class Journal:
    """The journal of a run, open for writing."""

    def __init__(self, segments: Segments) -> None:
        """Only ``create`` and ``open_again`` make these, and close them."""
        self._segments = segments

    def append(self, record: Record) -> Place:
        """Hand a record to the operating system, which keeps it whatever becomes of this process.

        Returns:
          Where it lies.

        Raises:
          OSError: it was not taken, and nothing of it is left: it may be tried again.
        """
        return self._segments.append(encode_record(record))

    def sync(self) -> None:
        """Wait until what was appended is on the disk, where it survives a power cut."""
        self._segments.sync()

    def discard(self) -> None:
        """Remove the run from its folder, as ``remove`` does; nothing may be appended any more."""
        remove(self._segments.folder, HEAD_FILES)


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
            try:
                write_head_file(folder, data)
                segments = Segments(folder, 0, disk)
                files.callback(_close, segments, folder)
                segments.append(data)
            except OSError:
                with contextlib.suppress(OSError):  # a run without a draw would keep others out
                    remove(folder, HEAD_FILES)
                raise
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
            if HEAD_FILE in kept.damages or not (folder / HEAD_FILE).exists():
                write_head_file(folder, encode_head(kept.head))
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
    return (folder / HEAD_FILE).exists() or bool(segments_of(folder))


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
      StoreError: it holds no run, one of another version, its head is lost, or it cannot be read.
    """
    with _in_words(folder):
        check_holds_a_run(folder)
        try:
            return _read(folder)
        except FileNotFoundError as error:
            check_holds_a_run(folder)
            raise StoreError(
                f"files of the run in {folder} have vanished while they were read, as when it is cancelled: "
                "look again whether it is still there."
            ) from error


def _read(folder: Path) -> Kept:
    contents = Contents()
    found, end = read_segments(folder, contents.take)
    damages = [str(damage) for damage in found]
    heads = [*heads_in_file(folder, damages), *contents.heads]
    entries, columns = contents.agreeing()
    damages += contents.foreign
    if not heads:
        check_holds_a_run(folder)
        raise StoreError(
            f"the head of the run in {folder} is damaged, and so is its copy: nothing can be made of the "
            "rest. Copy the store again."
        )
    head = heads[0]
    if any(identity_of(other) != identity_of(head) for other in heads[1:]):
        raise StoreError(
            f"the head of the run in {folder} is that of another run than the journal's own copy: copy the "
            f"store again, with all its files, or remove {folder / HEAD_FILE} if the journal is wanted."
        )
    for record in entries:
        if isinstance(record, LengthRecord):
            head = longer(head, record)
    return Kept(head, tuple(entries), dict(columns.draws), tuple(damages), end)


def read_head(folder: Path) -> Head:
    """Return what a folder says of its run, without reading the rest unless it must.

    Raises:
      StoreError: it holds no run, one of another version, its head is lost, or it cannot be read.
    """
    with _in_words(folder):
        check_holds_a_run(folder)
        heads = heads_in_file(folder, [])
    return heads[0] if heads else read(folder).head
