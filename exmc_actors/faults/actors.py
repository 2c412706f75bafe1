"""Let the actors of a run die at chosen moments, and let chains get answers that are late or garbled.

A chain sees the others through refs, and servers have handlers: what stands in their place here calls them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

import supervision as sv
from exmc_actors.faults.blocks import Due
from exmc_actors.faults.garbling import garbled
from exmc_actors.faults.kinds import (
    ChainKilled,
    InjectedError,
    Late,
    RecorderDies,
    ServerDies,
    WakeRaises,
    Wrong,
)
from exmc_actors.runtime import Feed
from exmc_actors.runtime.chain_actor import chain
from exmc_actors.runtime.model_server import ModelServer
from exmc_actors.runtime.protocol import Advance, Commit, Start
from exmc_actors.runtime.recorder import Recorder


def chain_with(faults: Due) -> Callable[..., Awaitable[None]]:
    """Return a chain that sees the other actors through faults."""

    async def faulty_chain(
        number: int,
        recorder: sv.Ref,
        model_server: sv.Ref,
        *rest: Any,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Be a chain whose neighbours are not to be relied on."""
        seen: list[Any] = [_SeenRecorder(recorder, faults), _SeenServer(model_server, faults)]
        await chain(number, *seen, *rest, task_status=task_status)

    return faulty_chain


class _Seen:
    """An actor as a chain sees it."""

    def __init__(self, ref: sv.Ref, faults: Due) -> None:
        self._ref = ref
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ref, name)

    async def _call(self, message: Any, kill: ChainKilled | None) -> Any:
        """Call the actor, and die while waiting if that is due."""
        if kill is None:
            return await self._ref.call(message)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_die, kill.checkpoints)
            return await self._ref.call(message)

    async def _kill_if(self, kill: ChainKilled | None) -> None:
        if kill is not None:
            await _die(0)


class _SeenServer(_Seen):
    async def call(self, message: Any) -> Any:
        """Ask for a start or a block."""
        if not isinstance(message, Start | Advance):
            return await self._ref.call(message)
        chain = message.chain
        at = int(message.state.transitions) if isinstance(message, Advance) else 0
        due = self._faults.due
        await self._kill_if(due(ChainKilled, at=at, chain=chain, when="before the block"))
        answer = await self._call(message, due(ChainKilled, at=at, chain=chain, when="in the block"))
        late = due(Late, at=at, chain=chain)
        if late is not None:
            await trio.sleep(late.seconds)
        await self._kill_if(due(ChainKilled, at=at, chain=chain, when="after the block"))
        wrong = due(Wrong, at=at, chain=chain)
        return answer if wrong is None else garbled(answer, message, wrong.how)


class _SeenRecorder(_Seen):
    async def call(self, message: Any) -> Any:
        """Hand over a block."""
        if not isinstance(message, Commit):
            return await self._ref.call(message)
        at, chain = message.transitions, message.block.chain
        due = self._faults.due
        learnt = await self._call(message, due(ChainKilled, at=at, chain=chain, when="in the commit"))
        await self._kill_if(due(ChainKilled, at=at, chain=chain, when="after the commit"))
        return learnt


async def _die(checkpoints: int) -> None:
    """Kill the process that this task belongs to, after so many turns of the others."""
    for _ in range(checkpoints):
        await trio.lowlevel.checkpoint()
    process = sv.current()
    assert process is not None
    process.exit(sv.KILL)
    await trio.lowlevel.checkpoint()


def recorder_with(faults: Due, base: Any) -> type[Recorder]:
    """Return a recorder that dies at some commits."""

    class FaultyRecorder(base):  # type: ignore[misc]  # chosen while running
        """Commits what it is given, unless something happens to it."""

        async def init(self, feed: Feed, *rest: Any) -> None:
            """Adopt the log of the run."""
            self._faulty_feed = _FaultyFeed(feed, faults)
            await super().init(self._faulty_feed, *rest)

        async def handle_call(self, message: Any) -> Any:
            """Answer a chain, or die."""
            if not isinstance(message, Commit):
                return await super().handle_call(message)
            fault: RecorderDies | None = faults.due(RecorderDies)
            self._faulty_feed.is_of_a_commit = True
            try:
                return await _handled(super().handle_call, message, fault)
            finally:
                self._faulty_feed.is_of_a_commit = False

    return FaultyRecorder


def server_with(faults: Due, base: Any) -> type[ModelServer]:
    """Return a model server that dies at some requests."""

    class FaultyServer(base):  # type: ignore[misc]  # chosen while running
        """Answers the chains, unless something happens to it."""

        async def handle_call(self, message: Any) -> Any:
            """Begin to answer, or die."""
            return await _handled(super().handle_call, message, faults.due(ServerDies))

    return FaultyServer


async def _handled(
    handle: Callable[[Any], Awaitable[Any]], message: Any, fault: RecorderDies | ServerDies | None
) -> Any:
    """Handle a message with the death of the server before, meanwhile, or behind it."""
    if fault is None:
        return await handle(message)
    if fault.when == "in" and not fault.raises:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_die, getattr(fault, "checkpoints", 1))
            return await handle(message)
    if fault.when == "after":
        await handle(message)
    if fault.raises:
        raise InjectedError("injected into a server")
    return await _die(0)


class _FaultyFeed:
    """The feed as the recorder sees it."""

    def __init__(self, feed: Feed, faults: Due) -> None:
        self._feed = feed
        self._faults = faults
        self.is_of_a_commit = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def wake(self) -> None:
        """Wake the subscribers, or raise."""
        if self.is_of_a_commit and self._faults.due(WakeRaises) is not None:
            raise InjectedError("injected into the feed")
        self._feed.wake()
