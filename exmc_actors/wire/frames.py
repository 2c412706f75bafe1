"""Put payloads into frames and find them again among damaged bytes; a pure function of bytes.

A frame is a mark, the length of its payload, the payload's checksum, a checksum of these three, and the
payload.  Bytes that are no frame are passed over up to the next mark that begins one, so that damage costs
the frames that it lies in and no other.
"""

import struct
import zlib
from dataclasses import dataclass, field

MARK = b"\xe5mcf"
_HEADER = struct.Struct(f"<{len(MARK)}sIII")
_CHECKED = _HEADER.size - 4
LARGEST = 1 << 30
"""Bytes of a payload."""


def framed(payload: bytes) -> bytes:
    """Return the frame that holds a payload."""
    assert len(payload) <= LARGEST
    start = _HEADER.pack(MARK, len(payload), zlib.crc32(payload), 0)[:_CHECKED]
    return start + struct.pack("<I", zlib.crc32(start)) + payload


def frame_length(payload: bytes) -> int:
    """Return how many bytes the frame of a payload takes."""
    return _HEADER.size + len(payload)


def unframed(frame: bytes) -> bytes | None:
    """Return the payload of some bytes that should be one frame; None where they are not."""
    length = _length(frame, 0)
    if length is None or len(frame) != _HEADER.size + length:
        return None
    payload = frame[_HEADER.size :]
    return payload if zlib.crc32(payload) == _HEADER.unpack_from(frame)[2] else None


@dataclass
class Scan:
    """What was found in some bytes."""

    payloads: list[bytes] = field(default_factory=list)
    """Of the frames that are whole, in order."""
    begins: list[int] = field(default_factory=list)
    """At which byte the frame of each payload begins."""
    damaged: list[tuple[int, int]] = field(default_factory=list)
    """From which byte up to which there is something else."""
    end: int = 0
    """Where the next frame belongs: behind the last one, with all that is damaged, and before a torn one."""


def scan(data: bytes, start: int = 0) -> Scan:
    """Return the frames of ``data`` from byte ``start`` on.

    What ends with the first bytes of a frame is torn, not damaged: its writing was interrupted.
    """
    found, at = Scan(end=start), start
    while at < len(data):
        length = _length(data, at)
        if length is None:
            if _is_torn(data, at):
                return found
            behind = _next_frame(data, at + 1)
            found.damaged.append((at, behind))
            found.end = at = behind
            continue
        behind = at + _HEADER.size + length
        if behind > len(data):
            # Either its writing was interrupted, or what comes next tells that bytes are missing.
            following = _next_frame(data, at + 1)
            if following == len(data):
                return found
            found.damaged.append((at, following))
            found.end = at = following
            continue
        payload = data[at + _HEADER.size : behind]
        if zlib.crc32(payload) == _HEADER.unpack_from(data, at)[2]:
            found.payloads.append(payload)
            found.begins.append(at)
        else:
            found.damaged.append((at, behind))
        found.end = at = behind
    return found


class Stream:
    """Puts frames together from bytes that come in parts; nothing may lie between two frames."""

    def __init__(self, largest: int = LARGEST) -> None:
        """Begin before the first byte.

        Args:
          largest: how many bytes a payload may have.
        """
        self._largest = largest
        self._bytes = bytearray()

    def take(self, part: bytes | bytearray) -> list[bytes]:
        """Return the payloads that are whole with this part.

        Raises:
          ValueError: the bytes are no frames, or one that is too large or damaged.
        """
        self._bytes += part
        payloads = []
        while len(self._bytes) >= _HEADER.size:
            length = _length(self._bytes, 0)
            if length is None:
                raise ValueError("bytes that are no frame")
            if length > self._largest:
                raise ValueError(f"a frame of {length} bytes, where {self._largest} are the most")
            if len(self._bytes) < _HEADER.size + length:
                break
            payload = bytes(self._bytes[_HEADER.size : _HEADER.size + length])
            if zlib.crc32(payload) != _HEADER.unpack_from(self._bytes)[2]:
                raise ValueError("a frame whose checksum is another one")
            payloads.append(payload)
            del self._bytes[: _HEADER.size + length]
        return payloads


def _length(data: bytes | bytearray, at: int) -> int | None:
    """Return the length of the payload of the frame that begins here; None where none does."""
    if len(data) - at < _HEADER.size:
        return None
    mark, length, _, checksum = _HEADER.unpack_from(data, at)
    if mark != MARK or length > LARGEST or zlib.crc32(data[at : at + _CHECKED]) != checksum:
        return None
    return int(length)


def _is_torn(data: bytes, at: int) -> bool:
    """Whether nothing follows but the beginning of a header."""
    rest = data[at:]
    return len(rest) < _HEADER.size and rest[: len(MARK)] == MARK[: len(rest)]


def _next_frame(data: bytes, at: int) -> int:
    """Return where the next frame begins, or the end of the data."""
    while (at := data.find(MARK, at)) >= 0:
        length = _length(data, at)
        if length is not None and at + _HEADER.size + length <= len(data):
            return at
        at += 1
    return len(data)
