"""Answer chains' requests for blocks with one compiled model, a block at a time on each core.

The server never blocks on a computation: a request becomes a task that waits for a core, computes in a
worker thread, and replies; what would be over before a thread had begun is answered at once.  What a block
raises is its reply.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import trio

import supervision as sv
from exmc_actors.chain import TRIES, Started, chain_key
from exmc_actors.compiler import Target
from exmc_actors.runtime.block_size import BlockSize
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.pace import Pace
from exmc_actors.runtime.protocol import Advance, Advanced, BlockFailed, Start, Unstartable
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.runtime.worker import QUICK, Runner, attempt


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
        """Compile both executables at once, or find them compiled, and move the data to the device."""
        self._target = target
        self._executables = executables
        self._settings = settings
        self._starts = starts
        self._block_size = block_size
        self._runner = runner
        self._pace = Pace()
        self._cores = trio.CapacityLimiter(settings.cores)
        self._arguments: Any = await runner(lambda: executables.put(target.arguments))
        async with trio.open_nursery() as compilers:
            compilers.start_soon(runner, lambda: executables.compile_advance(self._arguments))
            compilers.start_soon(runner, lambda: executables.compile_start(self._arguments))

    async def terminate(self, reason: sv.ExitReason) -> None:
        """Give back what only a run needs."""
        self._executables.release()

    async def handle_call(self, message: Start | Advance) -> Any:
        """Answer what is quick, and begin to answer what is not: its reply follows when it has ended."""
        match message:
            case Start():
                answer = functools.partial(self._start, message)
            case Advance(chain, _, at_most):
                transitions = self._block_size.choose(chain, min(at_most, self._executables.capacity))
                answer = functools.partial(self._advance, message, transitions)
                if self._pace.expect(chain, transitions) < QUICK:
                    return await answer()
        self.start_soon(self._serve, self.defer(), answer)
        return sv.NO_REPLY

    async def _serve(self, reply: sv.Reply, answer: Any) -> None:
        async with self._cores:
            outcome = await answer()
        reply.send(outcome)

    async def _advance(self, request: Advance, transitions: int) -> Advanced | BlockFailed:
        began = trio.current_time()
        outcome: Advanced | BlockFailed = await attempt(
            self._runner,
            lambda: self._executables.advance(
                request.state,
                self._arguments,
                transitions,
                self._settings.schedule,
                self._settings.target_accept,
            ),
            seconds=self._pace.expect(request.chain, transitions),
        )
        took = trio.current_time() - began
        self._pace.observe(request.chain, transitions, took)
        self._block_size.observe(request.chain, transitions, took)
        return outcome

    async def _start(self, request: Start) -> Any:
        outcome = await attempt(self._runner, functools.partial(self._start_chain, request.chain))
        if isinstance(outcome, BlockFailed) or outcome.is_finite:
            return outcome if isinstance(outcome, BlockFailed) else outcome.state
        position = outcome.state.point.position
        return await attempt(self._runner, functools.partial(self._diagnose, request.chain, position))

    def _start_chain(self, chain: int) -> Started:
        return self._executables.start(
            self._key(chain),
            self._arguments,
            self._starts[chain],
            self._settings.target_accept,
        )

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
