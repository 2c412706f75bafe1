"""Send one page what is new, some ten times a second, as server-sent events named by sequence numbers.

Nothing is queued for a page: while it does not read, its cursor stays where it is, and what comes next is
all that happened meanwhile, thinned as everything is.  A page that stalls costs nothing and misses nothing.
"""

import json
from collections.abc import Mapping
from typing import Any

import trio

from exmc_actors.views.dashboard.asgi import Send, begin
from exmc_actors.views.dashboard.board import Board
from exmc_actors.views.dashboard.selection import Selection

HEARTBEAT = 5.0
"""Seconds without news after which a page hears that the server is there."""


async def stream(
    board: Board, chosen: Selection, last_id: str, send: Send, extras: Mapping[str, Any]
) -> None:
    """Send frames for as long as somebody takes them.

    Args:
      board: what is shown.
      chosen: what of it.
      last_id: the last frame that the page has from an earlier connection.
      send: to the page; raises when it is gone.
      extras: what every page is told first.
    """
    with board.audience.page() as note_heard:
        await begin(send, 200, "text/event-stream; charset=utf-8", (b"x-accel-buffering", b"no"))
        await _send(send, f"retry: 1000\nevent: hello\ndata: {json.dumps(dict(extras))}\n\n")
        frame = await board.frame(chosen, None, board.cursor_at(last_id), -1)
        while True:
            await _send(send, f"id: {frame.id}\ndata: {frame.text}\n\n")
            if board.tells_end(frame):
                note_heard()
            with trio.move_on_after(board.pause):  # of the end it is told at once
                await board.complete.wait()
            while True:
                with trio.move_on_after(HEARTBEAT):
                    await board.changed(frame)
                    break
                await _send(send, ": still here\n\n")
            frame = await board.frame(chosen, frame.shown, frame.cursor, frame.revision)


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
