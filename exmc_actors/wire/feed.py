"""Say what a feed over a network is made of, item by item, and turn each into a frame and back.

A feed begins with whose it is and where it begins.  Then each message comes with its number in the run's log,
so that whoever was cut off knows where to go on, and with how many were skipped before it.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import msgpack

from exmc_actors.errors import UnreadableFeed
from exmc_actors.messages import Message
from exmc_actors.wire.frames import Stream, framed
from exmc_actors.wire.message_rows import is_count, message_of, row_of

MEDIA_TYPE = "application/octet-stream"
MOST_QUERY = 12 * 1024
"""Characters in which a reader says what it wants: three quarters of a request's head."""
LARGEST_MESSAGE = 256 << 20
"""Bytes of an item, which a reader may have to hold at once."""
FORMAT = "exmc feed"
VERSION = 1
_TEXT = "surrogatepass"  # a reason may quote what is no text


@dataclass(frozen=True, slots=True)
class Hello:
    """Whose feed it is; the first item."""

    run: str
    """Names the run, and the time for which one process holds it open."""
    number: int
    """Of the message that comes next, if it is one that was asked for."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message."""

    number: int
    dropped: int
    """Messages that were skipped since the last item because the reader fell behind."""
    message: Message


@dataclass(frozen=True, slots=True)
class Lost:
    """A message that lay in the run's store and cannot be read there any more."""

    number: int
    dropped: int
    reason: str


@dataclass(frozen=True, slots=True)
class Here:
    """There is nothing new, and somebody to say so."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The run has ended, and everything was told; the last item."""

    dropped: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The feed cannot go on, and why; the last item."""

    reason: str


FeedItem: TypeAlias = Hello | Told | Lost | Here | Ended | Refused


def framed_item(item: FeedItem) -> bytes:
    """Return an item as a frame; one that says so where the item is too long."""
    payload: bytes = msgpack.packb(_row(item), unicode_errors=_TEXT)
    if len(payload) > LARGEST_MESSAGE:
        most = LARGEST_MESSAGE >> 20
        reason = (
            f"a message has more than {most} MiB, the most that a feed carries: subscribe with var_names."
        )
        payload = msgpack.packb(_row(Refused(reason)))
    return framed(payload)


class FeedReader:
    """Puts items together from bytes that come in parts, and refuses what no feed can say."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._stream = Stream(LARGEST_MESSAGE)
        self._next: int | None = None
        """The least number that a message may have; None before the first item."""

    def take(self, part: bytes) -> list[FeedItem]:
        """Return the items that are whole with this part.

        Raises:
          UnreadableFeed: the bytes are no feed, or one of another version.
        """
        try:
            return [self._in_order(decode_item(payload)) for payload in self._stream.take(part)]
        except ValueError as error:
            if isinstance(error, UnreadableFeed):
                raise
            raise UnreadableFeed(f"what comes is no feed of a run: {error}.") from error

    def _in_order(self, item: FeedItem) -> FeedItem:
        if isinstance(item, Hello) != (self._next is None):
            raise ValueError("its beginning is not where it should be")
        if isinstance(item, Hello):
            self._next = item.number
        elif isinstance(item, Told | Lost):
            assert self._next is not None
            if item.number < self._next:
                raise ValueError("its messages are not in order")
            self._next = item.number + 1
        return item


def decode_item(payload: bytes) -> FeedItem:
    """Return the item in a frame.

    Raises:
      ValueError: there is none.
      UnreadableFeed: the feed is one of another version.
    """
    try:
        row = msgpack.unpackb(payload, unicode_errors=_TEXT)
    except (ValueError, msgpack.UnpackException) as error:
        raise ValueError("no msgpack") from error
    match row:
        case ["hello", name, int(version), *_] if name == FORMAT and version != VERSION:
            raise UnreadableFeed(
                f"this feed is of version {version}, and this library reads version {VERSION}: let both "
                "sides have the same exmc_actors."
            )
        case ["hello", name, int(_), str(run), int(number)] if name == FORMAT and is_count(number):
            return Hello(run, number)
        case ["told", int(number), int(dropped), list(message)] if is_count(number, dropped):
            return Told(number, dropped, message_of(message))
        case ["lost", int(number), int(dropped), str(reason)] if is_count(number, dropped):
            return Lost(number, dropped, reason)
        case ["here"]:
            return Here()
        case ["ended", int(dropped)] if is_count(dropped):
            return Ended(dropped)
        case ["refused", str(reason)]:
            return Refused(reason)
    raise ValueError("no item")


def _row(item: FeedItem) -> list[Any]:
    match item:
        case Hello(run, number):
            return ["hello", FORMAT, VERSION, run, number]
        case Told(number, dropped, message):
            return ["told", number, dropped, row_of(message)]
        case Lost(number, dropped, reason):
            return ["lost", number, dropped, reason]
        case Here():
            return ["here"]
        case Ended(dropped):
            return ["ended", dropped]
        case Refused(reason):
            return ["refused", reason]
