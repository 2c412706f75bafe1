"""Answer chains' requests by worker processes: as the model server does by threads, to the same bits.

A worker that dies, or takes longer than the run's patience, takes the one call with it that it was making:
the reply says by what it ended, and the chain asks again.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
import trio

from exmc_actors.chain import Started, empty_state
from exmc_actors.errors import ExmcError
from exmc_actors.messages import STATS
from exmc_actors.runtime import cores
from exmc_actors.runtime.executables import Compiled, Executables
from exmc_actors.runtime.model_server import ModelServer
from exmc_actors.runtime.piecewise import PIECE
from exmc_actors.runtime.processes.talk import (
    AdvanceChains,
    Failed,
    StartChains,
    decode_answer,
    encode_request,
)
from exmc_actors.runtime.processes.worker_process import WorkerDied, WorkerProcess
from exmc_actors.runtime.processes.workers import Workers
from exmc_actors.runtime.protocol import Advanced, BlockFailed
from exmc_actors.runtime.request import Request
from exmc_actors.runtime.typed_stats import with_typed_stats

_READING_SPEED = 5e8
"""Bytes a second that are checked, decoded and typed, at least."""
_AROUND = 1 << 16
"""Bytes of an answer besides its arrays, or of one that says what was raised; more than there are."""


class WorkerRaised(ExmcError):
    """A block raised in a worker process, which is well; the message says what it raised."""


class RemoteExecutables(Executables):
    """The sizes and paces of a program that worker processes have compiled."""

    made: Compiled | None = None
    """What they have said of it."""

    @property
    def compiled(self) -> Compiled:
        """Return what is known of the executable that advances a chain."""
        assert self.made is not None
        return self.made

    @property
    def largest_answer(self) -> int:
        """Return how many bytes an answer may have."""
        state = int(sum(leaf.nbytes for leaf in jax.tree.leaves(empty_state(self._columns.dim))))
        lanes: int = self.lanes
        return 8 * self.capacity * len(self._columns) + lanes * (state + _AROUND)


class ProcessServer(ModelServer):
    """The shared compiled model of a run whose blocks are computed in processes of their own."""

    learns = False

    _executables: RemoteExecutables

    async def init(self, *args: Any, **more: Any) -> None:
        """Have the program ready to compute.

        Args:
          args: as those of the model server.
          more: ``workers``, which compute, and ``patience``: the seconds that a call may take before its
            worker is ended.
        """
        self._workers: Workers = more["workers"]
        self._patience: float = more["patience"]
        await super().init(*args)

    async def _make_ready(self, meanwhile: Callable[[], None]) -> None:
        """Start as many workers as can be busy at once; these compile."""
        settings = self._settings
        self.start_soon(partial(self._runner, meanwhile, outlives=True))
        count = min(settings.cores, settings.chains, cores.available_cores())
        ready = await self._workers.begin(count, self._patience)
        self._executables.made = Compiled(_elsewhere, ready.is_folded, ready.device)

    def _may_keep_the_loop(self, requests: Sequence[Request]) -> bool:
        return False

    async def _on_a_core(self, requests: Sequence[Request]) -> tuple[Any, float]:
        """Let a worker compute for some chains; return what came of it, and how many seconds it took."""
        try:
            async with self._cores, self._workers.one(self._patience) as worker:
                began = trio.current_time()
                outcomes = await self._asked(worker, requests)
                return outcomes, trio.current_time() - began
        except WorkerDied as error:
            return BlockFailed(error), 0.0

    async def _asked(self, worker: WorkerProcess, requests: Sequence[Request]) -> Any:
        with self._watched(requests), trio.move_on_after(self._patience):
            data = await worker.ask(encode_request(self._question(requests)))
            read = partial(self._read, data, requests)
            # A loop that lets go of Python's lock may get it back late.
            is_long = any(request.transitions > PIECE for request in requests)
            seconds = math.inf if is_long else len(data) / _READING_SPEED
            return await self._runner(read, seconds=seconds)
        raise WorkerDied(
            f"a worker process was ended, since its block took longer than the run's patience of "
            f"{self._patience:g} s"
        )

    def _question(self, requests: Sequence[Request]) -> StartChains | AdvanceChains:
        asked = [(request.state, request.transitions) for request in requests if request.state is not None]
        if asked:
            return AdvanceChains(asked)
        return StartChains(self._places(requests))

    def _read(self, data: bytes, requests: Sequence[Request]) -> Any:
        """Return what a worker has made, checked."""
        try:
            answer = decode_answer(data)
        except ValueError as error:
            raise WorkerDied(f"a worker process answered with {error}") from error
        if isinstance(answer, Failed):
            return BlockFailed(WorkerRaised(f"{answer.kind}: {answer.text}"))
        made: Sequence[Any] = answer if isinstance(answer, list) else ()
        if len(made) != len(requests) or not all(map(self._is_answer_to, requests, made)):
            raise WorkerDied("a worker process answered something else than was asked")
        return with_typed_stats(made)

    def _is_answer_to(self, request: Request, one: Started | Advanced) -> bool:
        dim, values = self._target.dim, self._target.values_layout.size
        if np.shape(one.state.point.position) != (dim,):
            return False
        if request.state is None:
            return isinstance(one, Started)
        made, before = request.transitions, int(request.state.transitions)
        return (
            isinstance(one, Advanced)
            and int(one.state.transitions) == before + made
            and _is_real(one.values, made, values)
            and _is_real(one.stats, made, len(STATS))
            and (one.pairs is not None) == (before < self._settings.schedule.frozen)
            and (one.pairs is None or _is_real(one.pairs, made, 2, dim))
        )


def _is_real(array: np.ndarray, *shape: int) -> bool:
    return array.shape == shape and array.dtype == np.float64


def _elsewhere(*_: Any) -> Any:
    raise AssertionError("what workers have compiled runs there")
