"""Answer the chains of an ensemble together: a batch of them is one call, a lane each, on one core.

A chain's batch and lane follow from its number.  Which chains share a call depends on who asks when, and no
draw does.  A batch waits for those of its chains that are on their way back from the last call, so that they
stay together; whoever comes too late goes alone, and joins the others at the next call.
"""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import supervision as sv
from exmc_actors.runtime.ensemble_executables import EnsembleExecutables
from exmc_actors.runtime.model_server import ModelServer
from exmc_actors.runtime.protocol import Advance, Advanced, Start
from exmc_actors.runtime.request import Request

PATIENCE = 2.0
"""Seconds without any news of a batch after which it waits no longer for the chains that are missing.

Those that died are not waited for; this is for chains that a slow subscriber holds back, and for a server
that began again and does not know which chains have ended.
"""


@dataclass(frozen=True, slots=True)
class Late:
    """The server's word to itself: look whether a batch still waits."""

    batch: "Batch"
    news: int


@dataclass(eq=False)
class Batch:
    """The chains that share a kernel: who waits, and for whom."""

    expected: dict[int, int]
    """The chains that are on their way, and how many transitions they have made."""
    requests: dict[int, Request] = field(default_factory=dict)
    calls: int = 0
    """That are under way."""
    news: int = 0
    """Counts whatever happens; for whoever looks again later."""
    is_watched: bool = False

    def ask(self, request: Request) -> None:
        """Take in a request; of a chain that died meanwhile, the one that it makes now."""
        self.requests[request.chain] = request
        self.expected.pop(request.chain, None)
        self.news += 1

    def is_ready(self, lessons: Container[int]) -> bool:
        """Whether all are there that will come before the others have moved on."""
        if self.calls or not self.requests:
            return False
        last = min(int(request.state.transitions) for request in self.requests.values() if request.state)
        # A chain that has come to a lesson waits there for the last one.
        return all(at > last and at in lessons for at in self.expected.values())

    def take(self) -> list[Request]:
        """Return those who wait, to be answered now."""
        taken, self.requests = list(self.requests.values()), {}
        return taken


class EnsembleServer(ModelServer):
    """The shared compiled model of a run whose chains advance together."""

    _executables: EnsembleExecutables

    async def init(self, *args: Any) -> None:
        """Begin with all chains on their way."""
        await super().init(*args)
        self._callers: dict[int, sv.Ref] = {}
        self._chains: dict[sv.Monitor, int] = {}
        self._width = self._settings.ensemble_width
        chains = range(self._settings.chains)
        self._batches = [
            Batch(dict.fromkeys(chains[first : first + self._width], 0)) for first in chains[:: self._width]
        ]

    async def handle_call(self, message: Start | Advance) -> Any:
        """Begin to answer: a start at once, a block when its batch is there."""
        self._watch(message.chain)
        if isinstance(message, Start):
            return await super().handle_call(message)
        at_most = min(self._block_size.choose(message.chain, message.at_most), self._executables.capacity)
        batch = self._batch_of(message.chain)
        batch.ask(Request(message.chain, self.defer(), message.state, at_most, math.inf))
        self._look_at(batch)
        return sv.NO_REPLY

    async def handle_info(self, message: Any) -> None:
        """Wait no longer for who does not come."""
        match message:
            case Late(batch, news):
                batch.is_watched = False
                if batch.news == news and not batch.calls:
                    batch.expected.clear()
                self._look_at(batch)
            case sv.Down(monitor) if monitor in self._chains:
                chain = self._chains.pop(monitor)
                self._batch_of(chain).expected.pop(chain, None)
                self._look_at(self._batch_of(chain))
            case _:
                await super().handle_info(message)

    def _watch(self, chain: int) -> None:
        """Hear of the end of whoever asks for a chain."""
        if self.caller is not None and self._callers.get(chain) != self.caller:
            self._callers[chain] = self.caller
            self._chains[self.monitor(self.caller)] = chain

    def _look_at(self, batch: Batch) -> None:
        if batch.is_ready(self._settings.schedule.lessons):
            self._begin(batch, batch.take())
        elif batch.requests and not batch.is_watched:
            batch.is_watched = True
            self.send_after(PATIENCE, Late(batch, batch.news))

    def _begin(self, batch: Batch, requests: Sequence[Request]) -> None:
        batch.calls += 1
        self.start_soon(self._serve_batch, batch, _alike(requests))

    async def _serve_batch(self, batch: Batch, requests: Sequence[Request]) -> None:
        await self._serve(requests)
        batch.calls -= 1
        batch.news += 1
        self._look_at(batch)

    def _reply(self, requests: Sequence[Request], outcomes: Any, seconds: float) -> None:
        """Expect back those that are answered and have not come to their end."""
        for request in requests:
            if request.state is None:
                continue
            at = int(request.state.transitions) + request.transitions
            batch = self._batch_of(request.chain)
            # One that died during the call and came back waits already.
            if at < self._settings.transitions and request.chain not in batch.requests:
                batch.expected[request.chain] = at
        super()._reply(requests, outcomes, seconds)

    def _share(self, request: Request, seconds: float, transitions: int) -> float:
        return seconds

    def _reply_to_failure(self, requests: Sequence[Request], failure: Any) -> None:
        if len(requests) == 1 or requests[0].state is None:
            super()._reply_to_failure(requests, failure)
            return
        for request in requests:
            batch = self._batch_of(request.chain)
            batch.expected.pop(request.chain, None)
            self._begin(batch, [request])

    def _advance(self, requests: Sequence[Request]) -> Sequence[Advanced]:
        states = {
            request.chain % self._width: request.state for request in requests if request.state is not None
        }
        made = self._executables.advance_together(
            states,
            requests[0].transitions,
            self._arguments,
            self._settings.schedule,
            self._settings.target_accept,
            self._settings.step_size_jitter,
        )
        return [made[request.chain % self._width] for request in requests]

    def _batch_of(self, chain: int) -> Batch:
        return self._batches[chain // self._width]


def _alike(requests: Sequence[Request]) -> list[Request]:
    """Let all make as many transitions as the one that may make the fewest."""
    fewest = min(request.transitions for request in requests)
    return [
        Request(request.chain, request.reply, request.state, fewest, request.expected) for request in requests
    ]
