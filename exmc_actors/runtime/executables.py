"""Compile a program into the two executables that all its chains share, once a process."""

import contextlib
import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.chain import (
    ChainState,
    Columns,
    Packing,
    Sampler,
    Started,
    advance,
    empty_state,
    pack,
    pack_traced,
    start,
)
from exmc_actors.compiler import Target
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.warmup import Schedule
from exmc_actors.xla import calling, is_folded, precise

_BUFFER_NUMBERS = 1 << 20
"""Rows times columns of a block's buffer: 8 MB."""
_LARGEST_CAPACITY = 2048
_SMALLEST_CAPACITY = 16
_KEPT = 32
"""Programs that a process keeps compiled."""

_REAL, _COUNT, _FLAG = (np.zeros((), dtype) for dtype in (np.float64, np.int64, np.bool_))


@dataclass(frozen=True)
class Compiled:
    """An executable and what is known of it."""

    call: Callable[..., Any]
    is_folded: bool
    device: str
    """The platform that it runs on, and which of its devices: ``cpu:0``."""


class Executables:
    """The compiled functions of one program, safe to call from several threads at once.

    They depend on the program's structure and shapes, never on its data's values: the arrays are
    arguments of each call.  Everything else goes in and out as one vector, since each array costs a call
    microseconds, and a small model's block takes some tens of them.
    """

    def __init__(self, target: Target, max_treedepth: int, device: Any) -> None:
        """Compile nothing yet: see ``compile_start`` and ``compile_advance``."""
        self._columns = Columns(target.dim, target.values_layout.size)
        fitting = _BUFFER_NUMBERS // len(self._columns)
        self.capacity = int(np.clip(fitting, _SMALLEST_CAPACITY, _LARGEST_CAPACITY))
        self._device = device
        sampler = Sampler(target.log_density_at, target.values_at, max_treedepth)
        state = empty_state(target.dim)
        self._asked_to_start = Packing(state.key, state.point.position, _REAL, _REAL)
        self._started = Packing(Started(state, _FLAG))  # type: ignore[arg-type] # shapes and dtypes
        self._asked_to_advance = Packing(state, _COUNT, _COUNT, _COUNT, _REAL)
        self._moved = Packing(_without_metric(state))
        self._spare_rows: list[Any] = []
        self._start = _Once(functools.partial(self._make_start, sampler))
        self._advance = _Once(functools.partial(self._make_advance, sampler))

    @property
    def compiled(self) -> Compiled:
        """Return the executable that advances a chain, which must have been made."""
        assert self._advance.made is not None
        return self._advance.made

    def compile_start(self, arguments: Any) -> Compiled:
        """Return the executable that starts a chain, made at the first call."""
        return self._start.get(arguments)

    def compile_advance(self, arguments: Any) -> Compiled:
        """Return the executable that advances a chain, made at the first call."""
        return self._advance.get(arguments)

    def put(self, arguments: Any) -> Any:
        """Move the program's arrays to the device, once for a run."""
        with self._numerics():
            return jax.device_put(arguments)

    def start(
        self, key: np.ndarray, arguments: Any, position: StartPosition, target_accept: float
    ) -> Started:
        """Start a chain; blocks, so it belongs in a worker thread."""
        compiled = self.compile_start(arguments)
        centre, radius = position
        with calling():
            vector = compiled.call(pack(key, centre, radius, target_accept), arguments)
            (started,) = self._started.unpack(np.asarray(vector))
            result: Started = started
            return result

    def advance(
        self, state: ChainState, arguments: Any, transitions: int, schedule: Schedule, target_accept: float
    ) -> Advanced:
        """Make transitions, at most the capacity; blocks, so it belongs in a worker thread."""
        compiled = self.compile_advance(arguments)
        tune = schedule.tune if schedule.adapts else 0
        asked = pack(state, transitions, tune, schedule.early, target_accept)
        with calling():
            vector, rows = compiled.call(asked, self._rows(), arguments)
            (moved,) = self._moved.unpack(np.asarray(vector))
            made = self._copied(rows, transitions, with_pairs=bool(state.transitions < schedule.frozen))
            self._spare_rows.append(rows)
        return Advanced(moved._replace(metric=state.metric), *made)

    def release(self) -> None:
        """Let go of the rows that are not written into: a program is kept for longer than a run."""
        self._spare_rows.clear()

    def _rows(self) -> Any:
        """Return rows that no call is writing into."""
        with contextlib.suppress(IndexError):
            return self._spare_rows.pop()
        return jax.device_put(self._new_rows(), self._device)

    def _new_rows(self) -> np.ndarray:
        return np.zeros((self.capacity, len(self._columns)))

    def _copied(
        self, rows: Any, transitions: int, *, with_pairs: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the values, the statistics and, if wanted, the pairs; the next block overwrites the rows."""
        width = len(self._columns) if with_pairs else self._columns.kept
        copied = np.array(np.asarray(rows)[:transitions, :width])
        copied.flags.writeable = False
        pairs = self._columns.pairs_of(copied) if with_pairs else None
        return self._columns.values_of(copied), self._columns.stats_of(copied), pairs

    def _make_start(self, sampler: Sampler, arguments: Any) -> Compiled:
        def packed(asked: Any, arguments: Any) -> Any:
            key, centre, radius, target_accept = self._asked_to_start.unpack(asked)
            started = start(sampler.log_density_at, key, arguments, centre, radius, target_accept)
            return pack_traced(started)

        return self._compiled(jax.jit(packed), self._asked_to_start.empty(), arguments)

    def _make_advance(self, sampler: Sampler, arguments: Any) -> Compiled:
        def packed(asked: Any, rows: Any, arguments: Any) -> Any:
            state, transitions, tune, early, target_accept = self._asked_to_advance.unpack(asked)
            block = advance(sampler, state, arguments, transitions, tune, early, target_accept, rows)
            return pack_traced(_without_metric(block.state)), block.rows

        function = jax.jit(packed, donate_argnums=1)
        return self._compiled(function, self._asked_to_advance.empty(), self._new_rows(), arguments)

    def _compiled(self, function: Any, *example: Any) -> Compiled:
        with self._numerics():
            compiled = function.lower(*example).compile()
            (device,) = jnp.zeros(()).devices()
        return Compiled(compiled, is_folded(compiled.as_text()), f"{device.platform}:{device.id}")

    @contextlib.contextmanager
    def _numerics(self) -> Iterator[None]:
        with precise(), jax.default_device(self._device):
            yield


class _Once:
    """Make an executable at the first call, whichever thread comes first; the others wait for it."""

    def __init__(self, make: Callable[[Any], Compiled]) -> None:
        self._make = make
        self.made: Compiled | None = None
        self._lock = threading.Lock()

    def get(self, arguments: Any) -> Compiled:
        with self._lock:
            if self.made is None:
                self.made = self._make(arguments)
            return self.made


_cache: OrderedDict[Any, Executables] = OrderedDict()
_cache_lock = threading.Lock()


def executables_for(target: Target, max_treedepth: int) -> Executables:
    """Return the executables of a program: the same ones for every program of the same structure.

    Call it in the host's thread: JAX's default device may be set for that thread alone.
    """
    device = jax.config.values["jax_default_device"]
    identity = (target.key, target.dim, max_treedepth, str(device))
    with _cache_lock:
        if identity not in _cache:
            _cache[identity] = Executables(target, max_treedepth, device)
        _cache.move_to_end(identity)
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
        return _cache[identity]


def _without_metric(state: ChainState) -> Any:
    """Return what a block changes of a state: a metric is the largest part of it, and stays."""
    return state._replace(metric=())  # type: ignore[arg-type] # a tree with nothing in this place
