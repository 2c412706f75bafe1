"""Read the address of a dashboard, as it was told, into what is needed to ask there; no network."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from exmc_actors.errors import SettingsError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """Where a dashboard is, and what lets one in."""

    host: str
    port: int
    is_encrypted: bool
    path: str
    """Ends with a stroke."""
    token: str | None = field(repr=False)

    def __str__(self) -> str:
        """Return the address without the token."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_encrypted else 'http'}://{name}:{self.port}{self.path}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return what every request has to bear."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        found = [("Host", f"{name}:{self.port}"), ("User-Agent", "exmc_actors")]
        return found if self.token is None else [*found, ("Authorization", f"Bearer {self.token}")]


def address_of(url: Any, token: Any = None) -> Address:
    """Return what an address says.

    Args:
      url: as ``serve_dashboard`` told it, with or without the token behind its ``#``.
      token: the token, where the address does not have it.

    Raises:
      SettingsError: it is no address of a dashboard, or the token none that a header can bear.
    """
    if not isinstance(url, str):
        raise SettingsError(
            f"url must be a str, got a {type(url).__name__}: write what serve_dashboard told."
        )
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
        (parts.hostname or "").encode("idna")  # as whoever looks the name up does
    except ValueError as error:
        raise _no_address(url) from error
    if not port or parts.scheme not in _PORTS or not parts.hostname or parts.query or not _is_plain(parts):
        raise _no_address(url)
    if token is None:
        token = next(iter(parse_qs(parts.fragment).get("token", ())), None)
    if token is not None and not _is_token(token):
        raise SettingsError("token must be a str of ASCII letters, digits and signs: give the server's own.")
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    is_encrypted = parts.scheme == "https"
    return Address(parts.hostname, port, is_encrypted, path, token)


def _is_plain(parts: SplitResult) -> bool:
    """Whether what goes into a request has no character that ends a line of it."""
    text = f"{parts.hostname}{parts.path}"
    return text.isascii() and text.isprintable() and " " not in text and "@" not in parts.netloc


def _is_token(token: Any) -> bool:
    return isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token


def _no_address(url: str) -> SettingsError:
    place, mark, _ = url.partition("#")[0].partition("?")
    shown = f"{place[:200]}{mark and '?...'}"  # what follows may be a token
    return SettingsError(
        f"url must be the address of a dashboard, got {shown!r}: write what serve_dashboard told, say "
        "'http://127.0.0.1:8080/#token=...'."
    )
