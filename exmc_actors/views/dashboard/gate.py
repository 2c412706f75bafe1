"""Decide who may ask: by the Host and Origin that a browser sends, by a token, and by how often; pure values.

A page of another site can make a browser send requests here.  A name that somebody points at this machine
(DNS rebinding) shows in Host, another site in Origin or Sec-Fetch-Site, and neither has the token.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

from exmc_actors.errors import SettingsError

SHORTEST_TOKEN = 16


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    sentence: str


@dataclass(frozen=True)
class Gate:
    """Who may come in."""

    names: frozenset[str]
    """By which a browser may know this server, besides addresses."""
    is_loopback: bool
    """Whether only addresses of this machine itself are right."""
    token: str | None
    """What every request for data must bear; None lets everybody read."""

    def page(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why the page itself is not given, which tells nothing of the run."""
        host = headers.get("host", "")
        if not self._knows(_name(host)):
            return Refusal(421, "this server is not known by that name: open the address that it told.")
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return Refusal(403, "other sites get nothing.")
        return None

    def data(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why nothing is told of the run."""
        refusal = self.page(headers)
        if refusal is not None:
            return refusal
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return Refusal(403, "other sites get nothing.")
        if self.token is not None and not self._bears_token(headers.get("authorization", "")):
            return Refusal(401, "a token is needed: open the whole address that the server told.")
        return None

    def _bears_token(self, value: str) -> bool:
        assert self.token is not None
        scheme, _, given = value.partition(" ")
        wanted = self.token.encode()
        return scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), wanted)

    def _knows(self, name: str) -> bool:
        if name in self.names or name == "localhost":
            return True
        try:
            return ip_address(name).is_loopback or not self.is_loopback
        except ValueError:
            return False


def is_loopback(host: str) -> bool:
    """Whether a host names this machine and nothing that others can reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def checked_token(token: object, host: str) -> str | None:
    """Return a token as it was given.

    Raises:
      SettingsError: it is none, too short, or missing where others can reach the host.
    """
    if token is None:
        if not is_loopback(host):
            raise SettingsError(
                f"a dashboard on host={host!r} can be reached by others, and so needs a token: write, say, "
                "token=secrets.token_urlsafe()."
            )
        return None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"token must be a str of ASCII letters, digits and signs, got a {type(token).__name__}: write, "
            "say, token=secrets.token_urlsafe()."
        )
    if len(token) < SHORTEST_TOKEN:
        raise SettingsError(
            f"token must have at least {SHORTEST_TOKEN} characters, got {len(token)}: write, say, "
            "token=secrets.token_urlsafe()."
        )
    return token


class Bucket:
    """Lets through so many requests a second on average, and a few more at once."""

    def __init__(self, rate: float, most: float) -> None:
        """Begin full.

        Args:
          rate: requests a second.
          most: at once.
        """
        self._rate = rate
        self._most = most
        self._level = most
        self._then = 0.0

    def takes(self, now: float) -> bool:
        """Whether one more request is let through at ``now``, in seconds of any clock."""
        self._level = min(self._most, self._level + self._rate * max(0.0, now - self._then))
        self._then = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True


def _name(host: str) -> str:
    """Return the name or address in a Host header, without a port."""
    if host.startswith("["):
        name, bracket, _ = host[1:].partition("]")
        return name if bracket else ""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()
