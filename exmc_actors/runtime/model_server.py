"""Answer chains' requests for blocks with one compiled model, a block at a time on each core.

The server never blocks on a computation: a request becomes a task that waits for a core, computes in a
worker thread, and replies.  What would be over before a thread had begun is computed where it is, for all
chains that ask at once in one call.  What a block raises is its reply.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import trio

import supervision as sv
from exmc_actors.chain import TRIES, ChainState, Started, chain_key
from exmc_actors.compiler import Target
from exmc_actors.runtime.block_size import BlockSize
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.protocol import Advance, BlockFailed, Start, Unstartable
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.runtime.worker import QUICK, Runner, attempt

PATIENCE = 2e-3
"""Seconds for which the start of a chain waits for that of the others, where it is quick itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a chain waits for."""

    chain: int
    reply: sv.Reply
    state: ChainState | None
    """None before its start, which is what it then waits for."""
    transitions: int


class ModelServer(sv.Server):
    """The shared compiled model of a run."""

    async def init(
        self,
        target: Target,
        executables: Executables,
        settings: Settings,
        starts: Sequence[StartPosition],
        block_size: BlockSize,
        runner: Runner,
    ) -> None:
        """Move the data to the device, and compile both executables at once where that was not done."""
        self._target = target
        self._executables = executables
        self._settings = settings
        self._starts = starts
        self._block_size = block_size
        self._runner = runner
        self._quick: list[Request] = []
        self._cores = trio.CapacityLimiter(settings.cores)
        self._arguments: Any = await runner(
            lambda: executables.put(target.arguments), seconds=executables.seconds_to_put(target.arguments)
        )
        compiling = 0.0 if executables.are_compiled else math.inf
        async with trio.open_nursery() as compilers:
            for compile_one in (executables.compile_advance, executables.compile_start):
                compute = functools.partial(compile_one, self._arguments)
                compilers.start_soon(functools.partial(runner, compute, seconds=compiling))

    async def handle_call(self, message: Start | Advance) -> Any:
        """Begin to answer; the reply follows when the computation has ended."""
        match message:
            case Start(chain):
                request = Request(chain, self.defer(), None, 0)
            case Advance(chain, state, at_most):
                transitions = self._block_size.choose(chain, min(at_most, self._executables.capacity))
                request = Request(chain, self.defer(), state, transitions)
        if self._expected(request) >= QUICK:
            self.start_soon(self._serve, request)
            return sv.NO_REPLY
        self._gather(request)
        return sv.NO_REPLY

    def _gather(self, request: Request) -> None:
        """Keep what is quick until those are there that come together with it."""
        self._quick.append(request)
        if request.state is not None or len(self._quick) == self._settings.chains:
            self.ref.cast(ServeQuick())  # behind what is in the mailbox already
        elif len(self._quick) == 1:
            self.send_after(PATIENCE, ServeQuick())  # chains are started one after the other

    async def handle_cast(self, message: "ServeQuick") -> None:
        """Answer all that is quick."""
        requests, self._quick = self._quick, []
        while requests:
            together = self._that_fit(requests)
            await self._answer(together)
            requests = [request for request in requests if request not in together]

    async def handle_info(self, message: Any) -> None:
        """Wait no longer for the start of other chains."""
        if isinstance(message, ServeQuick):
            await self.handle_cast(message)

    async def _serve(self, request: Request) -> None:
        async with self._cores:
            computed = await self._attempt([request])
        # The core's next request goes to its thread before anybody takes time over this one's block.
        await trio.lowlevel.checkpoint()
        await self._reply([request], *computed)

    async def _answer(self, requests: Sequence[Request]) -> None:
        """Compute for some chains in one call, and reply to each."""
        outcomes, seconds = await self._attempt(requests)
        if isinstance(outcomes, BlockFailed) and len(requests) > 1:
            for request in requests:  # the fault of one of them: let that one have it
                await self._answer([request])
        else:
            await self._reply(requests, outcomes, seconds)

    async def _attempt(self, requests: Sequence[Request]) -> tuple[Any, float]:
        """Return what came of a call, and how many seconds each request took."""
        began = trio.current_time()
        outcomes = await attempt(
            self._runner,
            functools.partial(self._compute, requests),
            seconds=max(map(self._expected, requests)),
        )
        return outcomes, (trio.current_time() - began) / len(requests)

    async def _reply(self, requests: Sequence[Request], outcomes: Any, seconds: float) -> None:
        if isinstance(outcomes, BlockFailed):
            requests[0].reply.send(outcomes)
            return
        for request, outcome in zip(requests, outcomes, strict=True):
            if request.state is not None:
                self._block_size.observe(request.chain, request.transitions, seconds)
                request.reply.send(outcome)
            else:
                request.reply.send(await self._first_state(request.chain, outcome))

    def _that_fit(self, requests: Sequence[Request]) -> list[Request]:
        """Return the first request, and those like it that one call can take with it."""
        alike = [request for request in requests if (request.state is None) is (requests[0].state is None)]
        rows = accumulate(request.transitions for request in alike)
        fitting = [
            request for request, end in zip(alike, rows, strict=True) if end <= self._executables.capacity
        ]
        return fitting[: self._executables.lanes]

    def _compute(self, requests: Sequence[Request]) -> Any:
        asked = [(request.state, request.transitions) for request in requests if request.state is not None]
        if asked:
            return self._executables.advance(
                asked, self._arguments, self._settings.schedule, self._settings.target_accept
            )
        places = [(self._key(request.chain), self._starts[request.chain]) for request in requests]
        return self._executables.start(places, self._arguments, self._settings.target_accept)

    def _expected(self, request: Request) -> float:
        """Return how many seconds a request may take."""
        if request.state is None:
            return self._executables.start_pace.expect(1)
        return self._executables.advance_pace.expect(request.transitions)

    async def _first_state(self, chain: int, started: Started) -> Any:
        if started.is_finite:
            return started.state
        position = np.asarray(started.state.point.position)
        return await attempt(self._runner, functools.partial(self._diagnose, chain, position))

    def _key(self, chain: int) -> np.ndarray:
        return chain_key(self._settings.random_seed, chain)

    def _diagnose(self, chain: int, position: np.ndarray) -> Unstartable:
        """Say which variable's term is not finite where the chain should have started."""
        terms = self._target.terms(position)
        wrong = [f"{name} ({value})" for name, value in terms.items() if not np.isfinite(value)]
        at = "the given start" if self._starts[chain].radius == 0.0 else f"{TRIES} random starts"
        terms_text = ", ".join(wrong) if wrong else "none by itself: the gradient is not finite"
        return Unstartable(
            f"the log density is not finite at {at} of chain {chain}; not finite: {terms_text}. "
            "Check the supports and scales of these variables, or give other initvals."
        )


@dataclass(frozen=True, slots=True)
class ServeQuick:
    """The server's word to itself, which it reads after the requests that are waiting already."""
