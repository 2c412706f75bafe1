"""Ask a dashboard for something over HTTP/1.1 and read the answer as it comes, within limits of time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLCertVerificationError, create_default_context
from typing import Any

import h11
import trio

from exmc_actors.errors import ConnectionLost, RemoteError, RemoteRefused, SettingsError
from exmc_actors.remote.address import Address
from exmc_actors.wire import MEDIA_TYPE, FeedReader, Hello

ANSWER_SECONDS = 10.0
"""To connect, to ask, and to hear that there is an answer."""
SILENCE_SECONDS = 20.0
"""Without a byte, where a dashboard says every five seconds that it is there: then nobody is."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds before the next try, doubled from try to try."""
_MOST_HEADER_BYTES = 16 * 1024
_MOST_SENTENCE = 1000
_RECEIVE = 64 * 1024

CUT = (
    OSError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
    h11.RemoteProtocolError,
)
"""What it looks like when a connection does not come about, or breaks."""


class NotNow(RemoteError):
    """The server is there and has no room, or what stands before it does not find it."""


class Answer:
    """The body of an answer, part by part."""

    def __init__(self, stream: Any, http: h11.Connection) -> None:
        """Only ``asked`` makes these."""
        self._stream = stream
        self._http = http

    async def part(self) -> bytes | None:
        """Return what comes next; None at the end.

        Raises:
          trio.TooSlowError: nothing came for so long that nobody is there.
        """
        with trio.fail_after(SILENCE_SECONDS):
            event = await next_event(self._stream, self._http)
        return bytes(event.data) if isinstance(event, h11.Data) else None


@asynccontextmanager
async def asked(address: Address, path: str, seconds: float = ANSWER_SECONDS) -> AsyncIterator[Answer]:
    """Ask, and yield an answer that is a feed; leaving it closes the connection.

    Args:
      address: of the dashboard.
      path: below it, with a query.
      seconds: to connect, to ask, and to hear that there is an answer.

    Raises:
      RemoteRefused: who answers will not tell, or is no dashboard.
      NotNow: who answers has no room at the moment.
      SettingsError: what was asked for does not exist there.
    """
    with trio.fail_after(seconds):
        stream: Any = await _connected(address)
    try:
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADER_BYTES)
        with trio.fail_after(seconds):
            request = h11.Request(method="GET", target=f"{address.path}{path}", headers=address.headers)
            await stream.send_all(http.send(request) + http.send(h11.EndOfMessage()))
            response = await next_event(stream, http)
            answer = Answer(stream, http)
            await _check(response, answer, address)
        yield answer
    finally:
        await trio.aclose_forcefully(stream)


async def next_event(stream: Any, http: h11.Connection) -> Any:
    """Return what comes next on a connection, as HTTP has it, without what is only for the time being."""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await stream.receive_some(_RECEIVE))
        elif not isinstance(event, h11.InformationalResponse):
            return event


async def _connected(address: Address) -> Any:
    if not address.is_encrypted:
        return await trio.open_tcp_stream(address.host, address.port)
    return await trio.open_ssl_over_tcp_stream(
        address.host, address.port, https_compatible=True, ssl_context=create_default_context()
    )


async def _check(response: Any, answer: Answer, address: Address) -> None:
    """Raise what an answer says that is no feed."""
    if not isinstance(response, h11.Response):
        raise trio.BrokenResourceError("the connection was closed before there was an answer")
    kind = dict(response.headers).get(b"content-type", b"").decode("latin-1")
    status = response.status_code
    if status == 200 and kind == MEDIA_TYPE:
        return
    sentence = await _sentence(answer) if kind.startswith("text/plain") else ""
    if status == 400 and sentence:
        raise SettingsError(sentence)
    if status == 429 or status >= 500:
        raise NotNow(f"{address} says: {sentence or f'HTTP status {status}'}")
    if status in (401, 403, 404, 405, 409, 421, 431) and sentence:
        raise RemoteRefused(f"{address} refuses: {sentence}")
    raise RemoteRefused(
        f"{address} is no dashboard of exmc_actors (HTTP status {status}): give the address that "
        "run.serve_dashboard() told."
    )


async def _sentence(answer: Answer) -> str:
    """Return what the server says, as far as a sentence goes."""
    said = b""
    while len(said) < _MOST_SENTENCE and (part := await answer.part()) is not None:
        said += part
    text = said[:_MOST_SENTENCE].decode(errors="replace")
    return "".join(character if character.isprintable() else " " for character in text).strip()


async def identity(address: Address, patience: float) -> str:
    """Return the name of the run that is there.

    Args:
      address: of the dashboard.
      patience: seconds to ask again for when there is no room at the moment.

    Raises:
      RemoteError: as ``connect``.
    """
    deadline, pause = trio.current_time() + patience, FIRST_PAUSE
    while True:
        try:
            return await _told_identity(address)
        except NotNow as error:
            left = deadline - trio.current_time()
            if left <= 0:
                raise RemoteRefused(str(error)) from error
        except CUT as error:
            if isinstance(error.__cause__, SSLCertVerificationError):
                raise RemoteRefused(
                    f"the certificate of {address} is not accepted ({error.__cause__.verify_message}): have "
                    "it signed by somebody whom this machine trusts, or name its signer in SSL_CERT_FILE."
                ) from error
            raise ConnectionLost(
                f"nobody answers at {address} ({str(error) or type(error).__name__}): see that the run is "
                "open, and give the address that its serve_dashboard() told."
            ) from error
        await trio.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)


async def _told_identity(address: Address) -> str:
    reader = FeedReader()
    async with asked(address, "feed") as answer:
        while (part := await answer.part()) is not None:
            for item in reader.take(part):
                assert isinstance(item, Hello)  # the reader lets nothing else be the first one
                return item.run
    raise ConnectionLost(f"{address} closed the connection before it said of which run it is: try again.")
