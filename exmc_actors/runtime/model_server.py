"""Answer chains' requests for blocks with one compiled model, a block at a time on each core.

A request becomes a task that waits for one of the process's cores, computes in a worker thread, and replies.
Short requests of chains that ask at once share a call, or one for each core; where that is quick, it is made
on the event loop's own thread, beside those on the cores.  What a block raises is its reply.
"""

import functools
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
import trio

import supervision as sv
from exmc_actors.chain import ChainState, chain_key
from exmc_actors.compiler import Target
from exmc_actors.runtime import cores
from exmc_actors.runtime.block_size import BlockSize
from exmc_actors.runtime.crew import Crew
from exmc_actors.runtime.durability import Durability
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.protocol import Advance, Advanced, BlockFailed, Start, Unstartable
from exmc_actors.runtime.request import Request, are_quick, divided_among_cores, waits_for_others
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.start_position import StartPosition, other_positions, where_tried
from exmc_actors.runtime.typed_stats import with_typed_stats
from exmc_actors.runtime.warmup_requests import WarmupRequests
from exmc_actors.runtime.watchdog import Call, Watchdog
from exmc_actors.runtime.worker import Runner, attempt, in_thread

PATIENCE = 2e-3
"""Seconds for which the start of a chain waits for that of the others."""


@dataclass(frozen=True, slots=True)
class ServeGathered:
    """The server's word to itself, which it reads after the requests that are waiting already."""


class ModelServer(sv.Server):
    """The shared compiled model of a run."""

    learns = True
    """Whether lessons may be held where blocks are computed."""

    async def init(  # noqa: PLR0913 - what a run is made from
        self,
        target: Target,
        executables: Executables,
        settings: Settings,
        starts: Sequence[StartPosition],
        block_size: BlockSize,
        runner: Runner,
        durability: Durability,
        priority: int,
        feed: Feed,
        meanwhile: Callable[[], None],
    ) -> None:
        """Have the program ready to compute; ``meanwhile`` is called while it is compiled, if it is not."""
        self._target = target
        self._executables = executables
        self._settings = settings
        self._starts = starts
        self._block_size = block_size
        self._runner = runner
        self._computes_in_threads = runner is in_thread
        self._gathered: list[Request] = []
        self._is_about_to_serve = False
        # A lesson lies in a journal by itself, with the legs that led to it, so that it can be held again.
        self._may_go_through_lessons = self.learns and durability.journal is None
        self._warmups = WarmupRequests(executables, settings, block_size)
        self._watchdog = Watchdog(feed.stall)
        await self._make_ready(meanwhile)
        # Threads that a function of Python's begins would be kept from the other CPUs for good.
        may_share = not self._executables.compiled.calls_back
        threads = min(settings.cores, settings.chains) if may_share else 1
        self._cores = cores.PROCESS.share(settings.cores, priority, threads)
        durability.admit(self._executables.compiled)
        self.start_soon(self._watchdog.watch)

    async def _make_ready(self, meanwhile: Callable[[], None]) -> None:
        """Move the data to the device, and compile both executables where that was not done."""
        target, executables, runner = self._target, self._executables, self._runner
        self._arguments: Any = await runner(
            lambda: executables.put(target.arguments), seconds=executables.seconds_to_put(target.arguments)
        )
        if not executables.are_compiled:
            await runner(functools.partial(executables.compile, self._arguments, meanwhile), outlives=True)

    async def handle_call(self, message: Start | Advance) -> Any:
        """Begin to answer; the reply follows when the computation has ended."""
        match message:
            case Start(chain):
                expected = self._executables.start_pace.expect(1)
                others = other_positions(self._target, self._settings, chain)
                request = Request(chain, self.defer(), None, 0, expected, self._starts[chain], others)
            case Advance(chain, state, at_most):
                transitions = min(self._block_size.choose(chain, at_most), self._executables.capacity)
                expected = self._executables.advance_pace.expect(transitions)
                is_last = transitions == at_most
                request = Request(chain, self.defer(), state, transitions, expected, is_last=is_last)
        if waits_for_others(request):
            self._gather(request)
        else:
            self.start_soon(self._serve, [request])
        return sv.NO_REPLY

    def _gather(self, request: Request) -> None:
        """Keep what is short until those are there that come together with it."""
        self._gathered.append(request)
        if request.state is None and len(self._gathered) < self._settings.chains:
            if len(self._gathered) == 1:
                self.send_after(PATIENCE, ServeGathered())  # chains are started one after the other
        elif not self._is_about_to_serve:
            self._is_about_to_serve = True
            self.ref.cast(ServeGathered())  # behind what is in the mailbox already

    async def handle_cast(self, message: ServeGathered) -> None:
        """Answer what was gathered: here if that is quick, on a core if not."""
        requests, self._gathered, self._is_about_to_serve = self._gathered, [], False
        if self._may_go_through_lessons and (whole := self._warmups.among(requests)):
            self.start_soon(self._serve_warmup, whole)
            requests = [request for request in requests if request not in whole]
        while requests:
            together = self._that_fit(requests)
            if self._may_keep_the_loop(together):
                await self._answer(together, seconds=0.0)
            else:
                for batch in divided_among_cores(together, self._settings.cores):
                    self.start_soon(self._serve, batch)
            requests = [request for request in requests if request not in together]
            if requests:  # one batch may keep the loop waiting, not many
                await trio.lowlevel.checkpoint()

    def _may_keep_the_loop(self, requests: Sequence[Request]) -> bool:
        return are_quick(requests)

    async def _serve_warmup(self, requests: Sequence[Request]) -> None:
        """Answer all chains with their whole warmup; by one leg each where that cannot be made."""
        crew = self._warmups.crew() if self._computes_in_threads else Crew(0)
        async with trio.open_nursery() as helpers:
            # Attempted, since one that cannot begin is only one that never comes.
            for _ in range(crew.helpers):
                helpers.start_soon(attempt, self._cores.compute, crew.help)
            try:
                make = functools.partial(self._warmups.make, requests, crew, self._call)
                made, seconds = await self._compute_on_a_core(requests, make, math.inf)
            finally:
                crew.dismiss()
                helpers.cancel_scope.cancel()  # who has no core yet waits for none
        if isinstance(made, BlockFailed):  # the chain whose fault it is comes to it by itself
            for request in requests:
                self.start_soon(self._serve, [request])
            return
        self._warmups.foretell(made, seconds)
        for request in requests:
            request.reply.send(made[request.chain])

    async def handle_info(self, message: Any) -> None:
        """Wait no longer for the start of other chains."""
        if isinstance(message, ServeGathered):
            await self.handle_cast(message)

    async def _serve(self, requests: Sequence[Request]) -> None:
        """Answer in a thread, as soon as a core is free."""
        self._reply(requests, *await self._on_a_core(requests))

    async def _on_a_core(self, requests: Sequence[Request]) -> tuple[Any, float]:
        seconds = sum(request.expected for request in requests)
        return await self._compute_on_a_core(requests, functools.partial(self._compute, requests), seconds)

    async def _compute_on_a_core(
        self, requests: Sequence[Request], compute: Callable[[], Any], seconds: float
    ) -> tuple[Any, float]:
        if self._computes_in_threads:
            return await self._attempt(requests, compute, seconds, is_in_line=True)
        async with self._cores:  # any other runner computes elsewhere, or when it likes
            return await self._attempt(requests, compute, math.inf)

    async def _answer(self, requests: Sequence[Request], seconds: float) -> None:
        compute = functools.partial(self._compute, requests)
        self._reply(requests, *await self._attempt(requests, compute, seconds))

    async def _attempt(
        self,
        requests: Sequence[Request],
        compute: Callable[[], Any],
        seconds: float,
        *,
        is_in_line: bool = False,
    ) -> tuple[Any, float]:
        """Compute for some chains; return what came of it, and how many seconds it took.

        Args:
          requests: of the chains.
          compute: what is to be computed.
          seconds: that it may take.
          is_in_line: whether it waits for a core, whose thread then computes it.
        """
        with self._watched(requests, waits=is_in_line) as call:
            if is_in_line:
                outcomes = await attempt(self._cores.compute, call.timed(compute), seconds=seconds)
            else:
                outcomes = await attempt(self._runner, compute, seconds=seconds)
            return outcomes, call.took()

    def _watched(self, requests: Sequence[Request], *, waits: bool = False) -> AbstractContextManager[Call]:
        """Tell of chains whose call takes far longer than was foretold."""
        chains = [request.chain for request in requests]
        return self._watchdog.over(chains, sum(request.expected for request in requests), waits=waits)

    def _reply(self, requests: Sequence[Request], outcomes: Any, seconds: float) -> None:
        if isinstance(outcomes, BlockFailed):
            self._reply_to_failure(requests, outcomes)
            return
        transitions = sum(request.transitions for request in requests)
        for request, outcome in zip(requests, outcomes, strict=True):
            if request.state is not None:
                share = self._share(request, seconds, transitions)
                self._block_size.observe(request.chain, request.transitions, share)
                request.reply.send(outcome)
            elif outcome.is_finite:
                request.reply.send(outcome.state)
            else:
                position = np.asarray(outcome.state.point.position)
                self.start_soon(self._look_elsewhere, request, position)

    def _share(self, request: Request, seconds: float, transitions: int) -> float:
        """Return how many of a call's seconds a chain's transitions took: here they are made one by one."""
        return seconds * request.transitions / transitions

    def _reply_to_failure(self, requests: Sequence[Request], failure: BlockFailed) -> None:
        if len(requests) == 1:
            requests[0].reply.send(failure)
        else:  # the fault of one of them: let that one have it
            for request in requests:
                self.start_soon(self._serve, [request])

    async def _look_elsewhere(self, request: Request, position: np.ndarray) -> None:
        """Let a chain that found no point look at its next place; reply why, if there is none."""
        async with self._cores:
            find = functools.partial(self._next_place, request, position)
            found = await attempt(self._runner, find)
        if isinstance(found, StartPosition):
            await self._serve([replace(request, place=found)])
        else:
            request.reply.send(found)

    def _next_place(self, request: Request, position: np.ndarray) -> StartPosition | Unstartable:
        place = next(request.others, None)
        return self._diagnose(request.chain, position) if place is None else place

    def _that_fit(self, requests: Sequence[Request]) -> list[Request]:
        """Return the first request, and those like it that one call can take with it."""
        alike = [request for request in requests if (request.state is None) is (requests[0].state is None)]
        rows = accumulate(request.transitions for request in alike)
        fitting = [
            request for request, end in zip(alike, rows, strict=True) if end <= self._executables.capacity
        ]
        return fitting[: self._executables.lanes]

    def _compute(self, requests: Sequence[Request]) -> Any:
        if requests[0].state is not None:  # what shares a call is alike
            return with_typed_stats(self._advance(requests))
        return self._executables.start(self._places(requests), self._arguments, self._settings.target_accept)

    def _places(self, requests: Sequence[Request]) -> list[tuple[np.ndarray, StartPosition]]:
        """Return the key of each chain that asks for its start, and where it looks for it."""
        return [(self._key(one.chain), one.place) for one in requests if one.place is not None]

    def _advance(self, requests: Sequence[Request]) -> Sequence[Advanced]:
        return self._call([(one.state, one.transitions) for one in requests if one.state is not None])

    def _call(self, asked: Sequence[tuple[ChainState, int]]) -> Sequence[Advanced]:
        settings = self._settings
        return self._executables.advance(
            asked, self._arguments, settings.schedule, settings.target_accept, settings.step_size_jitter
        )

    def _key(self, chain: int) -> np.ndarray:
        return chain_key(self._settings.random_seed, chain)

    def _diagnose(self, chain: int, position: np.ndarray) -> Unstartable:
        """Say which variable's term is not finite where the chain should have started."""
        terms = self._target.terms(position)
        wrong = [f"{name} ({value})" for name, value in terms.items() if not np.isfinite(value)]
        at = where_tried(self._target, self._settings, chain)
        terms_text = ", ".join(wrong) if wrong else "none by itself: the gradient is not finite"
        return Unstartable(
            f"the log density is not finite at {at} of chain {chain}; not finite: {terms_text}. "
            "Check the supports and scales of these variables, or give other initvals."
        )
