"""Listen for the pages of a dashboard and serve them until cancelled, then close every connection at once."""

import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

import trio

from exmc_actors.arguments import is_integer
from exmc_actors.arguments import names as names_of
from exmc_actors.errors import SettingsError
from exmc_actors.views.dashboard.app import App, Live
from exmc_actors.views.dashboard.board import Board
from exmc_actors.views.dashboard.connection import Connection
from exmc_actors.views.dashboard.control import Control
from exmc_actors.views.dashboard.gate import Gate, checked_token, is_loopback
from exmc_actors.views.subscribing import Subscribe

MOST_CONNECTIONS = 128
_SEND_BUFFER = 256 * 1024
"""Bytes that the operating system holds for a client that does not read."""
_LOGGER = logging.getLogger("exmc_actors.dashboard")


@dataclass(frozen=True)
class Door:
    """Where a dashboard listens, and who may come in."""

    listener: trio.SocketListener
    gate: Gate
    url: str


async def open_door(
    host: str = "127.0.0.1", port: int = 0, token: str | None = None, names: Iterable[str] = ()
) -> Door:
    """Listen, so that whoever has the URL can connect from now on.

    Args:
      host: an address or a name of this machine.
      port: 0 for one that is free.
      token: what requests for data must bear.
      names: other names by which browsers know this machine.

    Raises:
      SettingsError: an argument is of the wrong kind, or the host cannot be listened on, or can be reached by
        others and there is no token.
    """
    if not isinstance(host, str):
        raise SettingsError(
            f"host must be a str, an address or a name of this machine, got {host!r}: write, say, "
            'host="127.0.0.1".'
        )
    others = names_of("names", names, example="lab.example.org") or ()
    token = checked_token(token, host)
    if not is_integer(port) or not 0 <= port < 65536:
        raise SettingsError(
            f"port must be an integer from 0 to 65535, got {port!r}: write port=0 for a free one."
        )
    listener = await _listener(host, port)
    known = _known_as(host)
    place = f"[{known}]" if ":" in known else known
    url = f"http://{place}:{listener.socket.getsockname()[1]}/"
    gate = Gate(frozenset(name.lower() for name in (known, *others)), is_loopback(host), token)
    return Door(listener, gate, url if token is None else f"{url}#token={quote(token)}")


async def _listener(host: str, port: int) -> trio.SocketListener:
    try:
        listener, *others = await trio.open_tcp_listeners(port, host=host)
    except (OSError, UnicodeError) as error:  # the latter of what can be no name
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"the dashboard cannot listen on {host!r}, port {port} ({reason}): give another host or port, or "
            "leave both out for 127.0.0.1 and a port that is free."
        ) from error
    for other in others:
        await other.aclose()
    listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    return listener


async def serve(
    door: Door,
    board: Board,
    subscribe: Subscribe,
    control: Control | None = None,
    live: Live | None = None,
) -> None:
    """Show a run until cancelled, also when it has ended.

    Args:
      door: where.
      board: what pages look at.
      subscribe: opens a subscription to the run.
      control: what pages with the token may hold in their hands.
      live: what a run of this process offers to programs; None of a stored run.
    """
    app = App(board, door.gate, control, live)
    room = trio.CapacityLimiter(MOST_CONNECTIONS)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(board.follow, subscribe)
        await trio.serve_listeners(partial(_receive, app, room), [door.listener], handler_nursery=nursery)


async def _receive(app: Any, room: trio.CapacityLimiter, stream: trio.SocketStream) -> None:
    """Talk with one client, if there is room; what fails there costs this connection and no other."""
    if room.available_tokens == 0:
        await trio.aclose_forcefully(stream)
        return
    async with room:
        try:
            await Connection(stream, app).run()
        except Exception:
            _LOGGER.exception("a connection broke off")


def _known_as(host: str) -> str:
    """Return what others call a host; one that means all addresses has the machine's name."""
    try:
        is_every = ip_address(host).is_unspecified
    except ValueError:
        is_every = False
    return (socket.gethostname() if is_every else host).lower()
