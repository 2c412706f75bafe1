"""Compile a program into the two executables that all its chains share."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import jax
import numpy as np

from exmc_actors.chain import ChainState, Columns, Lanes, Sampler, Started, ToAdvance, ToStart, WarmupSettings
from exmc_actors.compiler import Target
from exmc_actors.kernel import Kernel
from exmc_actors.runtime.callbacks import calls_back, telling_of_callbacks
from exmc_actors.runtime.device_arrays import DeviceArrays
from exmc_actors.runtime.executable_files import executable_files
from exmc_actors.runtime.pace import Pace
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.spare_rows import SpareRows
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.tracing import lower
from exmc_actors.warmup import Schedule
from exmc_actors.xla import calling, compiler_options, is_folded, precise

BUFFER_NUMBERS = 1 << 20
"""Rows times columns of a block's buffer: 8 MB."""
_LARGEST_CAPACITY = 16_384
SMALLEST_CAPACITY = 16


@dataclass(frozen=True)
class Compiled:
    """An executable and what is known of it."""

    call: Callable[..., Any]
    is_folded: bool
    device: str
    """The platform that it runs on, and which of its devices: ``cpu:0``."""
    calls_back: bool = True
    """Whether it may call functions of Python's, which do anything in the thread that calls it."""


@dataclass(frozen=True)
class Traced:
    """What is to be compiled next."""

    lowered: Any
    example: tuple[Any, ...]
    """Arguments of a call."""


def nothing() -> None:
    """Do nothing."""


class Executables:
    """The compiled functions of one program, safe to call from several threads at once.

    They depend on the program's structure and shapes, never on its data's values: the arrays are
    arguments of each call.  A chain's state, the counts and the settings go in as one row of numbers, since
    each array costs a call microseconds, and a small model's block takes some tens of them.
    """

    def __init__(self, target: Target, max_treedepth: int, kernel: Kernel, device: Any) -> None:
        """Compile nothing yet: see ``compile``."""
        self._columns = Columns(target.dim, target.values_layout.size)
        fitting = BUFFER_NUMBERS // len(self._columns)
        self.capacity = int(np.clip(fitting, SMALLEST_CAPACITY, _LARGEST_CAPACITY))
        self._device = device
        self._arrays = DeviceArrays(device)
        self._files = executable_files()
        sampler = Sampler(target.log_density_at, target.values_at, max_treedepth, kernel)
        self._lanes = Lanes(sampler, target.dim)
        self.lanes = self._lanes.count
        """How many chains one call takes."""
        self.start_pace, self.advance_pace = Pace(), Pace()
        self._start = _Once(self._trace_start, self._compiled)
        self._advance = _Once(self._trace_advance, self._compiled)

    @property
    def compiled(self) -> Compiled:
        """Return the executable that advances a chain, which must have been made."""
        assert self._advance.made is not None
        return self._advance.made

    @property
    def are_compiled(self) -> bool:
        """Whether both executables are made."""
        return self._start.made is not None and self._advance.made is not None

    def compile(self, arguments: Any, meanwhile: Callable[[], None] = nothing) -> None:
        """Make both executables: what takes longer is traced first, and compiled beside the other.

        Args:
          arguments: what ``put`` returned.
          meanwhile: called while XLA compiles, which leaves Python's lock free.
        """
        with ThreadPoolExecutor(2, thread_name_prefix="exmc_actors compiles") as beside:
            self._advance.trace(arguments)
            compiling = [beside.submit(self.compile_advance, arguments)]
            self._start.trace(arguments)
            compiling.append(beside.submit(self.compile_start, arguments))
            try:
                meanwhile()
            finally:
                for one in compiling:
                    one.result()

    def compile_start(self, arguments: Any) -> Compiled:
        """Return the executable that starts a chain, made at the first call."""
        return self._start.get(arguments)

    def compile_advance(self, arguments: Any) -> Compiled:
        """Return the executable that advances a chain, made at the first call."""
        return self._advance.get(arguments)

    def put(self, arguments: Any) -> Any:
        """Return the program's arrays on the device, for all calls of a run."""
        return self._arrays.put(arguments)

    def seconds_to_put(self, arguments: Any) -> float:
        """Return how long ``put`` may take."""
        return self._arrays.seconds_to_put(arguments)

    def start(
        self, places: Sequence[tuple[np.ndarray, StartPosition]], arguments: Any, target_accept: float
    ) -> list[Started]:
        """Start some chains, at most one a lane; blocks for about as long as ``start_pace`` foretells.

        Args:
          places: the key of each chain, and where it looks for its start.
          arguments: what ``put`` returned.
          target_accept: what the first step sizes should accept.
        """
        compiled, began = self.compile_start(arguments), time.perf_counter()
        asked = self._lanes.ask_to_start([ToStart(key, *place, target_accept) for key, place in places])
        with calling(), telling_of_callbacks():
            results = np.asarray(compiled.call(asked, np.int64(len(places)), arguments))
        self.start_pace.observe(len(places), time.perf_counter() - began)
        return self._lanes.started(results, len(places))

    def advance(
        self,
        chains: Sequence[tuple[ChainState, int]],
        arguments: Any,
        schedule: Schedule,
        target_accept: float,
        jitter: float,
    ) -> list[Advanced]:
        """Advance some chains, at most one a lane; blocks for about as long as ``advance_pace`` foretells.

        Args:
          chains: where each stands, and how many transitions it makes: at most ``capacity`` together.
          arguments: what ``put`` returned.
          schedule: of the warmup.
          target_accept: what warmup aims at.
          jitter: of the step size.
        """
        compiled, began = self.compile_advance(arguments), time.perf_counter()
        warmup = WarmupSettings(schedule.tune if schedule.adapts else 0, schedule.early, target_accept)
        ends = accumulate(transitions for _, transitions in chains)
        assert sum(transitions for _, transitions in chains) <= self.capacity
        asked = [
            ToAdvance(state, transitions, end - transitions, warmup, jitter)
            for (state, transitions), end in zip(chains, ends, strict=True)
        ]
        with calling(), telling_of_callbacks():
            results, rows = compiled.call(
                self._lanes.ask_to_advance(asked), np.int64(len(asked)), self._rows(), arguments
            )
            states = self._lanes.advanced(np.asarray(results), asked)
            made = [self._copied(rows, one, schedule.frozen) for one in asked]
            self._spare(rows)
        self.advance_pace.observe(sum(one.transitions for one in asked), time.perf_counter() - began)
        return [Advanced(state, *arrays) for state, arrays in zip(states, made, strict=True)]

    def _rows(self) -> Any:
        """Return rows that no call is writing into."""
        rows = _spare_rows.take(self)
        return jax.device_put(self._new_rows(), self._device) if rows is None else rows

    def _new_rows(self) -> np.ndarray:
        return np.zeros((self.capacity, len(self._columns)))

    def _spare(self, rows: Any) -> None:
        """Keep rows for the next call."""
        _spare_rows.give(self, rows)

    def _copied(
        self, rows: Any, asked: ToAdvance, frozen: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        made = np.asarray(rows)[asked.first_row : asked.first_row + asked.transitions]
        return self._parts(made, bool(asked.state.transitions < frozen))

    def _parts(self, made: np.ndarray, learns: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return copies of a chain's values, statistics and, while it learns a metric, pairs."""
        # By itself: pairs are let go of after a lesson, values and statistics stay as long as the run.
        pairs = np.array(self._columns.pairs_of(made)) if learns else None
        kept = np.array(made[:, : self._columns.kept])
        kept.flags.writeable = False
        return self._columns.values_of(kept), self._columns.stats_of(kept), pairs

    def _trace_start(self, arguments: Any) -> Traced:
        function = jax.jit(self._lanes.start, keep_unused=True)
        return self._traced(function, self._lanes.ask_to_start([]), np.int64(0), arguments)

    def _trace_advance(self, arguments: Any) -> Traced:
        function = jax.jit(self._lanes.advance, donate_argnums=2, keep_unused=True)
        asked = self._lanes.ask_to_advance([])
        return self._traced(function, asked, np.int64(0), self._new_rows(), arguments)

    def _traced(self, function: Any, *example: Any) -> Traced:
        with self._numerics():
            return Traced(lower(function, *example), example)

    def _compiled(self, traced: Traced) -> Compiled:
        with self._numerics():
            (device,) = jax.device_put(np.zeros(())).devices()  # which compiles nothing
            name = f"{device.platform}:{device.id}"
            if self._files is None:
                compiled = traced.lowered.compile(compiler_options=compiler_options())
            else:
                compiled = self._files.compiled(traced.lowered, traced.example, name)
        text = compiled.as_text()
        return Compiled(compiled, is_folded(text), name, calls_back(text))

    @contextlib.contextmanager
    def _numerics(self) -> Iterator[None]:
        with precise(), jax.default_device(self._device):
            yield


_spare_rows = SpareRows(BUFFER_NUMBERS)


class _Once:
    """Make an executable at the first call, whichever thread comes first; the others wait for it."""

    def __init__(self, trace: Callable[[Any], Traced], compiled: Callable[[Traced], Compiled]) -> None:
        self._trace = trace
        self._compiled = compiled
        self._traced: Traced | None = None
        self.made: Compiled | None = None
        self._lock = threading.Lock()

    def trace(self, arguments: Any) -> None:
        """Do what comes before compiling, for ``get`` to go on with; not where another thread makes it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self.made is None and self._traced is None:
                self._traced = self._trace(arguments)
        finally:
            self._lock.release()

    def get(self, arguments: Any) -> Compiled:
        with self._lock:
            if self.made is None:
                traced, self._traced = self._traced, None
                self.made = self._compiled(traced or self._trace(arguments))
            return self.made
