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

from exmc_actors.chain import ChainState, Rows, Sampler, Started, advance, empty_rows, empty_state, start
from exmc_actors.compiler import Target
from exmc_actors.messages import STATS
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.warmup import Schedule
from exmc_actors.xla import is_folded, precise

_BUFFER_NUMBERS = 1 << 20
"""Rows times columns of a block's buffers: 8 MB, so that clearing them costs little."""
_LARGEST_CAPACITY = 2048
_SMALLEST_CAPACITY = 16
_KEPT = 32
"""Programs that a process keeps compiled."""


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
    arguments of each call.
    """

    def __init__(self, target: Target, max_treedepth: int, device: Any) -> None:
        """Compile nothing yet: see ``compile_start`` and ``compile_advance``."""
        columns = 2 * target.dim + len(STATS) + target.values_layout.size
        self.capacity = int(np.clip(_BUFFER_NUMBERS // columns, _SMALLEST_CAPACITY, _LARGEST_CAPACITY))
        self._device = device
        sampler = Sampler(target.log_density_at, target.values_at, max_treedepth)
        self._new_rows = functools.partial(empty_rows, self.capacity, target.dim, target.values_layout.size)
        self._spare_rows: list[Rows] = []
        self._start = _Once(functools.partial(self._make_start, sampler, target.dim))
        self._advance = _Once(functools.partial(self._make_advance, sampler, target.dim))

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
        with self._numerics():
            started = compiled.call(key, arguments, centre, np.float64(radius), np.float64(target_accept))
            on_host: Started = _to_host(started)
            return on_host

    def advance(
        self, state: ChainState, arguments: Any, transitions: int, schedule: Schedule, target_accept: float
    ) -> Advanced:
        """Make transitions, at most the capacity; blocks, so it belongs in a worker thread."""
        compiled = self.compile_advance(arguments)
        with self._numerics():
            rows = self._rows()
            block = compiled.call(
                state,
                arguments,
                np.int64(transitions),
                np.int64(schedule.tune if schedule.adapts else 0),
                np.int64(schedule.early),
                np.float64(target_accept),
                rows,
            )
            values, stats = (_first(rows, transitions) for rows in (block.rows.values, block.rows.stats))
            pairs = _first(block.rows.pairs, transitions) if state.transitions < schedule.frozen else None
            self._spare_rows.append(block.rows)
            return Advanced(_to_host(block.state), values, stats, pairs)

    def release(self) -> None:
        """Let go of the rows that are not written into: a program is kept for longer than a run."""
        self._spare_rows.clear()

    def _rows(self) -> Rows:
        """Return rows that no call is writing into."""
        with contextlib.suppress(IndexError):
            return self._spare_rows.pop()
        rows: Rows = jax.device_put(self._new_rows())
        return rows

    def _make_start(self, sampler: Sampler, dim: int, arguments: Any) -> Compiled:
        state = empty_state(dim)
        function = jax.jit(functools.partial(start, sampler.log_density_at))
        return self._compiled(
            function, state.key, arguments, state.point.position, np.float64(0.0), np.float64(0.8)
        )

    def _make_advance(self, sampler: Sampler, dim: int, arguments: Any) -> Compiled:
        function = jax.jit(functools.partial(advance, sampler), donate_argnums=6)
        return self._compiled(
            function,
            empty_state(dim),
            arguments,
            np.int64(0),
            np.int64(0),
            np.int64(0),
            np.float64(0.8),
            self._new_rows(),
        )

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


def _to_host(tree: Any) -> Any:
    return jax.tree.map(np.asarray, tree)


def _first(buffer: Any, count: int) -> np.ndarray:
    # A copy: the next block writes into the same buffer.
    rows = np.array(np.asarray(buffer)[:count])
    rows.flags.writeable = False
    return rows
