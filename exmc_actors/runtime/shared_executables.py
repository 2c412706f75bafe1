"""Find the executables of a program: those of the same structure share them, in the whole process."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import jax

from exmc_actors.compiler import Program, Target
from exmc_actors.kernel import Kernel, Nuts
from exmc_actors.runtime.executables import Executables
from exmc_actors.xla import device_for_calls, prepare

_KEPT = 32
"""Programs that a process keeps compiled."""
_NUTS = Nuts()

_cache: OrderedDict[Any, Executables] = OrderedDict()
_cache_lock = threading.Lock()


def default_device() -> Any:
    """Return the device of the host's thread, or None: whichever JAX takes."""
    device = jax.config.values["jax_default_device"]
    return jax.local_devices(backend=device)[0] if isinstance(device, str) else device


def default_platform() -> str:
    """Return what JAX calls the kind of the device that a run of the host's thread would use."""
    prepare()
    device = default_device()
    return str(jax.default_backend() if device is None else device.platform)


def executables_for(
    target: Target,
    max_treedepth: int,
    kernel: Kernel = _NUTS,
    make: Callable[..., Executables] = Executables,
    **options: Any,
) -> Executables:
    """Return the executables of a program: the same ones for every program of the same structure.

    Call it in the host's thread: JAX's default device may be set for that thread alone.

    Args:
      target: the program.
      max_treedepth: how often a trajectory can grow, to under 2^max_treedepth steps.
      kernel: how a trajectory moves on.
      make: the class of the executables.
      options: what else it takes; it is compiled in.
    """
    with _cache_lock:
        device = default_device()
        if isinstance(target, Program):  # a function of the user's own may name JAX's devices
            device = device_for_calls(device)
        identity = (target.key, target.dim, max_treedepth, kernel, str(device), make, *options.items())
        if identity not in _cache:
            _cache[identity] = make(target, max_treedepth, kernel, device, **options)
        _cache.move_to_end(identity)
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
        return _cache[identity]
