"""Put a dashboard together: for a run of this process, as a guest of its tree, or for a stored one."""

import contextlib
import secrets
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import trio

import supervision as sv
from exmc_actors.arguments import boolean
from exmc_actors.diagnostics.online import Online
from exmc_actors.errors import ExmcError, SettingsError
from exmc_actors.messages import Message
from exmc_actors.model import Model
from exmc_actors.run import Run
from exmc_actors.runtime.journal import Head, Tail
from exmc_actors.runtime.telling import Teller

if TYPE_CHECKING:
    from exmc_actors.views.dashboard import Door

FAREWELL = 1.0
"""Seconds for which those who look at a run, or read its feed, may hear of its end."""
POLL = 0.3
"""Seconds between two looks into a store that has nothing new."""


@contextlib.asynccontextmanager
async def opened_door(
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    names: Iterable[str] = (),
    *,
    control: bool = False,
) -> AsyncIterator["Door"]:
    """Listen for pages, also before there is a run: what cannot be is refused before anything is begun.

    Raises:
      SettingsError: as ``Run.serve_dashboard``.
    """
    dashboard = _loaded()
    if boolean("control", control) and token is None:
        token = secrets.token_urlsafe()
    door: Door = await dashboard.open_door(host, port, token, names)
    with door.listener.socket:
        yield door


@contextlib.asynccontextmanager
async def serving(run: Run, door: "Door", *, control: bool) -> AsyncIterator[str]:
    """Show a run behind a door, as a guest of its tree, until this is left; yields the address."""
    dashboard = _loaded()
    target, settings, chains = run._parts.target, run._log.settings, len(run._log.chains)
    online = Online(chains, dims=target.dims, coords=target.coords)
    picture = dashboard.Picture(chains=chains, draws=settings.draws, tune=settings.tune, online=online)
    board = dashboard.Board(picture, inside=lambda: sv.tree(run.supervisor))

    feeds = dashboard.Feeds(run._feed.subscribe, run._log.identity)
    live = dashboard.Live(feeds, run.statistics)

    async def guest() -> None:
        await dashboard.serve(door, board, run.subscribe, run if control else None, live)

    views = run.supervisor.supervisor("views")
    spec = sv.ChildSpec(f"dashboard {board.epoch}", guest, restart="temporary")
    try:
        await views.start_child(spec)
        yield door.url
        if run._log.is_over:  # they are about to hear of it
            with trio.move_on_after(FAREWELL):
                await feeds.all_left()
                await board.audience.all_have_heard()
    finally:
        with trio.CancelScope(shield=True), contextlib.suppress(sv.ProcessExited, sv.NoSuchChild):
            await views.terminate_child(spec.id)


@contextlib.asynccontextmanager
async def shown(run: Run, control: bool, **where: Any) -> AsyncIterator[str]:
    """Show a run until this is left, behind a door of its own; yields the address."""
    async with opened_door(control=control, **where) as door, serving(run, door, control=control) as url:
        yield url


def show_until_ctrl_c(folder: Path, *where: Any) -> None:
    """Show the run in a folder, with the arguments of ``show_stored``; for the main thread."""
    with contextlib.suppress(KeyboardInterrupt):  # before the signal is received
        trio.run(_shown_until_ctrl_c, folder, *where)


async def _shown_until_ctrl_c(folder: Path, *where: Any) -> None:
    # A KeyboardInterrupt is lost where it is raised in a callback of the garbage collector's: JAX has one.
    refused: ExmcError | None = None

    async def cancel_at(signals: AsyncIterator[int]) -> None:
        await anext(signals)
        nursery.cancel_scope.cancel()

    with trio.open_signal_receiver(signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_at, aiter(signals))
            try:
                await show_stored(folder, *where)
            except ExmcError as error:  # by itself, not in a group
                refused = error
            nursery.cancel_scope.cancel()
    if refused is not None:
        raise refused


async def show_stored(
    folder: Path, host: str, port: int, token: str | None, names: Iterable[str], told: Callable[[str], object]
) -> None:
    """Show the run in a folder, and what another process adds to it, until cancelled.

    Args:
      folder: that was named by ``store``.
      host: an address or a name of this machine.
      port: 0 for one that is free.
      token: what requests for data must bear.
      names: other names by which browsers know this machine.
      told: takes the address of the page.

    Raises:
      StoreError: there is no run there that can be read.
      SettingsError: as ``Run.serve_dashboard``.
    """
    dashboard = _loaded()
    tail = await trio.to_thread.run_sync(Tail, folder)
    settings = tail.head.settings
    online = await trio.to_thread.run_sync(_labelled, tail.head)
    picture = dashboard.Picture(
        chains=settings.chains, draws=settings.draws, tune=settings.tune, online=online
    )
    board = dashboard.Board(picture, is_live=False)
    async with opened_door(host, port, token, names) as door:
        told(door.url)
        await dashboard.serve(door, board, _Stored(tail, board.resize).subscribe)


def _labelled(head: Head) -> Online:
    """Return estimators that know the labels of the stored model's axes, where it is stored."""
    chains = head.settings.chains
    if head.model is None:
        return Online(chains)
    model = Model.from_bytes(head.model)
    return Online(chains, dims=model.dims, coords=model.coords)


def _loaded() -> ModuleType:
    """Return the package that shows runs in browsers."""
    try:
        from exmc_actors.views import dashboard
    except ModuleNotFoundError as error:
        if error.name != "h11":
            raise
        raise SettingsError("a dashboard needs h11: pip install 'exmc-actors[dashboard]'.") from error
    return dashboard


class _Stored:
    """What a store tells, as a subscription does."""

    def __init__(self, tail: Tail, resize: Callable[[int], Any]) -> None:
        self._tail = tail
        self._resize = resize

    @contextlib.asynccontextmanager
    async def subscribe(self, **_: Any) -> AsyncIterator[AsyncIterator[Message]]:
        """Yield all messages of the store, and never end: a longer run may be asked for."""
        async with contextlib.aclosing(self._messages()) as messages:
            yield messages

    async def _messages(self) -> AsyncGenerator[Message, None]:
        teller = Teller(self._tail.head)
        while True:
            records = await trio.to_thread.run_sync(self._tail.more)
            for record in records:
                before, told = teller.draws, teller.told(record)
                if teller.draws != before:
                    await self._resize(teller.draws)
                for message in told:
                    yield message
            if not records:
                await trio.sleep(POLL)
