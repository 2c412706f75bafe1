"""Answer requests: a page's files, the stream of what is new, feed, metrics, control; an ASGI application.

Nothing here depends on which server runs it.  Whoever may not come in gets one sentence and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import trio

from exmc_actors.errors import SettingsError
from exmc_actors.messages import RunStatistics
from exmc_actors.views.dashboard import metrics
from exmc_actors.views.dashboard.asgi import Receive, Scope, Send, answer, headers_of
from exmc_actors.views.dashboard.board import Board
from exmc_actors.views.dashboard.control import Control, action
from exmc_actors.views.dashboard.feed import Feeds
from exmc_actors.views.dashboard.gate import Bucket, Gate, Refusal
from exmc_actors.views.dashboard.selection import Unclear, asked, selection
from exmc_actors.views.dashboard.stream import stream

MOST_STREAMS = 32
MOST_FEEDS = 32
_TEXT = "text/plain; charset=utf-8"
_FILES: Mapping[str, tuple[str, str]] = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/charts.js": ("charts.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/uplot.js": ("uplot.js", "text/javascript; charset=utf-8"),
    "/uplot.css": ("uplot.css", "text/css; charset=utf-8"),
    "/uplot.LICENSE": ("uplot.LICENSE", _TEXT),
}


_TOO_MANY = Refusal(429, "too many requests: wait a second.")
_DATA = ("/events", "/feed", "/metrics")
_LIVE = "this dashboard shows a stored run, which it only reads: ask one that run.serve_dashboard() opened."


@dataclass(frozen=True)
class Live:
    """What a run of this process offers to other programs."""

    feeds: Feeds
    statistics: Callable[[], RunStatistics]


class App:
    """The dashboard of one run."""

    def __init__(
        self, board: Board, gate: Gate, control: Control | None = None, live: Live | None = None
    ) -> None:
        """Answer for a board.

        Args:
          board: what is shown.
          gate: who may come in.
          control: what pages with the token may hold in their hands; None for nothing.
          live: what the run offers to programs; None of a stored run.
        """
        self._board = board
        self._gate = gate
        self._live = live
        self._control = control if gate.token is not None else None
        folder = files(__package__) / "page"
        self._files = {path: ((folder / name).read_bytes(), kind) for path, (name, kind) in _FILES.items()}
        # One for each kind of guest, so that none uses up another's: pages' files ask for no token.
        self._requests = Bucket(rate=50, most=200)
        self._file_requests = Bucket(rate=50, most=200)
        self._actions = Bucket(rate=5, most=20)
        self._refusals = Bucket(rate=2, most=20)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers = headers_of(scope)
        refusal = self._refused(scope, headers)
        if refusal is not None:
            await _refuse(send, refusal)
        elif scope["path"] in self._files:
            body, kind = self._files[scope["path"]]
            await answer(send, 200, body, kind)
        elif scope["path"] == "/events":
            await self._stream(scope, headers, send)
        elif scope["path"] == "/feed":
            await self._feed(scope, send)
        elif scope["path"] == "/metrics":
            await self._metrics(send)
        else:
            await self._act(scope["path"].removeprefix("/control/"), send)

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request is not answered, if it is not."""
        path, now = scope["path"], trio.current_time()
        is_file, is_control = path in self._files, path.startswith("/control/")
        is_data = is_control or path in _DATA
        refusal = self._gate.data(headers) if is_data else self._gate.page(headers)
        if refusal is None and not (is_file or is_data):
            refusal = Refusal(404, "there is no such page.")
        if refusal is not None:
            return refusal if self._refusals.takes(now) else _TOO_MANY
        if not (self._file_requests if is_file else self._requests).takes(now):
            return _TOO_MANY
        if scope["method"] != ("POST" if is_control else "GET"):
            return Refusal(405, f"this takes {'POST' if is_control else 'GET'} alone.")
        if is_control and not self._actions.takes(now):
            return _TOO_MANY
        return None

    async def _stream(self, scope: Scope, headers: Mapping[str, str], send: Send) -> None:
        try:
            chosen = selection(scope["query_string"])
        except Unclear as error:
            await _refuse(send, Refusal(400, str(error)))
            return
        if len(self._board.audience) >= MOST_STREAMS:
            await _refuse(send, Refusal(503, f"{MOST_STREAMS} pages are open already: close one."))
            return
        await stream(self._board, chosen, headers.get("last-event-id", ""), send, self._extras())

    async def _feed(self, scope: Scope, send: Send) -> None:
        if self._live is None:
            await _refuse(send, Refusal(404, _LIVE))
            return
        feeds = self._live.feeds
        try:
            wanted = asked(scope["query_string"])
            if wanted.run not in (None, feeds.run):
                await _refuse(send, Refusal(409, "this is another run than before: connect to it anew."))
            elif feeds.open >= MOST_FEEDS:
                await _refuse(send, Refusal(503, f"{MOST_FEEDS} feeds are open already: close one."))
            else:
                await feeds.send(wanted, send)
        except (Unclear, SettingsError) as error:
            await _refuse(send, Refusal(400, str(error)))

    async def _metrics(self, send: Send) -> None:
        if self._live is None:
            await _refuse(send, Refusal(404, _LIVE))
            return
        text = metrics.text(
            self._live.statistics(), tune=self._board.picture.tally.tune, run=self._live.feeds.run
        )
        await answer(send, 200, text.encode(), metrics.MEDIA_TYPE)

    def _extras(self) -> dict[str, Any]:
        return {"control": self._control is not None}

    async def _act(self, name: str, send: Send) -> None:
        if self._control is None:
            await _refuse(send, Refusal(403, "this dashboard only shows: open one with control=True."))
            return
        act = action(self._control, name, self._board.picture.chains)
        if act is None:
            await _refuse(send, Refusal(404, "there is no such action."))
            return
        await act()
        await answer(send, 200, b"done", _TEXT)


async def _refuse(send: Send, refusal: Refusal) -> None:
    """Say why not, and close the connection: who is refused pays for another one with each request."""
    body = refusal.sentence.encode()
    await answer(send, refusal.status, body, _TEXT, (b"connection", b"close"))
