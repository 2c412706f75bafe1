"""Read what is added to a journal while another process writes to it; lock nothing and repair nothing."""

from pathlib import Path

from exmc_actors.runtime.journal.journal import read_head
from exmc_actors.runtime.journal.records import Record, decode_record
from exmc_actors.runtime.journal.segments import HEADER_BYTES, segments_of
from exmc_actors.wire.frames import scan

_AT_ONCE = 4 << 20


class Tail:
    """A place in a journal that moves on as this grows."""

    def __init__(self, folder: Path) -> None:
        """Begin at the start of the journal.

        Raises:
          StoreError: the folder holds no run that can be read.
        """
        self.head = read_head(folder)
        """What the store said of the run at that time."""
        self._folder = folder
        self._segment = 0
        self._at = HEADER_BYTES

    def more(self) -> list[Record]:
        """Return records that were not returned before, a few megabytes of them; none where nothing is new.

        What is damaged is left out, and what is half written is left for later.
        """
        segments = segments_of(self._folder)
        while self._segment < len(segments):
            payloads = self._read(segments[self._segment])
            if payloads:
                return [record for payload in payloads if (record := _record(payload)) is not None]
            if self._segment + 1 == len(segments):
                break
            self._segment += 1
            self._at = HEADER_BYTES
        return []

    def _read(self, segment: Path) -> list[bytes]:
        with segment.open("rb") as file:
            file.seek(self._at)
            data = file.read(_AT_ONCE)
            found = scan(data)
            if not found.payloads and len(data) == _AT_ONCE:  # one that is longer
                found = scan(data + file.read())
        self._at += found.end
        return found.payloads


def _record(payload: bytes) -> Record | None:
    """Return a record; None for a copy of the head, and for what is none."""
    try:
        return decode_record(payload)
    except ValueError:
        return None
