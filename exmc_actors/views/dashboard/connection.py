"""Speak HTTP/1.1 with one client, for an ASGI application, within limits of size and time; ``h11`` reads it.

A request is read whole, and a short one is all that is taken.  Every write has its time: a client that does
not read is cut off.  What goes wrong with one client ends its connection and no other.
"""

import logging
from typing import Any
from urllib.parse import unquote

import h11
import trio

from exmc_actors.views.dashboard.asgi import GUARDS, Send

MOST_HEADER_BYTES = 16 * 1024
MOST_BODY_BYTES = 4 * 1024
READ_SECONDS = 10.0
"""For a whole request, and for the pause before it."""
WRITE_SECONDS = 10.0
_RECEIVE = 16 * 1024
_LOGGER = logging.getLogger("exmc_actors.dashboard")


class _Gone(Exception):
    """The client left, or does not read."""


class Connection:
    """One client."""

    def __init__(self, stream: trio.SocketStream, app: Any) -> None:
        """Talk over a stream.

        Args:
          stream: to the client.
          app: an ASGI application.
        """
        self._stream = stream
        self._app = app
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEADER_BYTES)
        self._is_head = False

    async def run(self) -> None:
        """Answer requests until one side has had enough."""
        try:
            while await self._answer_one():
                self._http.start_next_cycle()
        except (_Gone, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            await trio.aclose_forcefully(self._stream)

    async def _answer_one(self) -> bool:
        """Answer a request; return whether there may be another one."""
        self._is_head = False
        try:
            with trio.fail_after(READ_SECONDS):
                request = await self._next_event()
                if not isinstance(request, h11.Request):
                    return False
                self._is_head = request.method == b"HEAD"
                body = await self._body()
        except trio.TooSlowError:
            return False
        except h11.RemoteProtocolError as error:
            await self._say(error.error_status_hint, b"this is no request that can be read.")
            return False
        if body is None:
            await self._say(413, b"a body has at most 4096 bytes here.")
            return False
        await self._run_app(_scope(request), body)
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _body(self) -> bytes | None:
        """Return the body of a request; None where it is too long."""
        body = b""
        while True:
            event = await self._next_event()
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > MOST_BODY_BYTES:
                    return None
            elif isinstance(event, h11.EndOfMessage):
                return body
            else:
                raise _Gone

    async def _next_event(self) -> Any:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._stream.receive_some(_RECEIVE))

    async def _run_app(self, scope: dict[str, Any], body: bytes) -> None:
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if not messages:
                await trio.sleep_forever()
            return messages.pop()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._leave_with_client, nursery.cancel_scope)
            await self._call(scope, receive)
            nursery.cancel_scope.cancel()
        if self._http.our_state is h11.SEND_RESPONSE:
            await self._say(500, b"this could not be answered: the log of the program says why.")

    async def _call(self, scope: dict[str, Any], receive: Any) -> None:
        send: Send = self._send
        try:
            await self._app(scope, receive, send)
        except (_Gone, trio.BrokenResourceError, trio.ClosedResourceError):
            self._http.send_failed()
        except Exception:
            _LOGGER.exception("a request for %r could not be answered", scope["path"][:200])

    async def _leave_with_client(self, scope: trio.CancelScope) -> None:
        """End the answer when the client has left; not seen where it has sent more than this request."""
        if self._http.trailing_data[0]:  # what is read now would only pile up
            return
        try:
            data = await self._stream.receive_some(_RECEIVE)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if data:
            self._http.receive_data(data)  # of the next request; the answer goes on
        else:
            self._http.receive_data(b"")
            scope.cancel()

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            await self._write(h11.Response(status_code=message["status"], headers=message["headers"]))
            return
        await self._write_body(message.get("body", b""))
        if not message.get("more_body"):
            await self._write(h11.EndOfMessage())

    async def _say(self, status: int, sentence: bytes) -> None:
        """Answer without the application, and for the last time."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        size = str(len(sentence)).encode()
        headers = [
            (b"content-length", size),
            (b"content-type", b"text/plain"),
            (b"connection", b"close"),
            *GUARDS,
        ]
        await self._write(h11.Response(status_code=status, headers=headers))
        await self._write_body(sentence)
        await self._write(h11.EndOfMessage())

    async def _write_body(self, data: bytes) -> None:
        """Write a part of a body, which an answer to HEAD does not have."""
        if data and not self._is_head:
            await self._write(h11.Data(data=data))

    async def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            with trio.move_on_after(WRITE_SECONDS) as scope:
                await self._stream.send_all(data)
            if scope.cancelled_caught:
                raise _Gone


def _scope(request: h11.Request) -> dict[str, Any]:
    raw_path, _, query = request.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.http_version.decode("ascii"),
        "method": request.method.decode("ascii"),
        "scheme": "http",
        "path": unquote(raw_path.decode("latin-1"), errors="replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": list(request.headers),
    }
