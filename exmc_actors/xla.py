"""Set up XLA and JAX for exact, fast sampling, and leave the host program's settings as they were.

This is the only module that touches ``XLA_FLAGS`` or JAX's configuration.
"""

import hashlib
import os
import platform
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxlib import xla_client

_FOLD_FLAG = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1000000000"
_WITHOUT_YNN: dict[str, Any] = {"xla_cpu_experimental_ynn_fusion_type": ""}
_FOLDED_CALL = 'xla_cpu_small_call="true"'

_lock = threading.Lock()
_prepared = False


def prepare() -> None:
    """Create JAX's backends with loop folding on, once; later calls do nothing.

    XLA:CPU dispatches each fusion of a loop's body separately (about 50 ns each) unless the whole loop
    is small; the flag says that every loop is small, so that a block of transitions becomes one native
    kernel.  XLA reads its flags when the first backend is made and never again, and refuses this one
    per compilation, hence the environment; it is restored before this function returns.  Where the
    host made a backend earlier, nothing happens, and ``is_folded`` tells.  ``EXMC_FOLD=0`` opts out.
    """
    global _prepared
    with _lock:
        if _prepared:
            return
        before = os.environ.get("XLA_FLAGS")
        if os.environ.get("EXMC_FOLD", "1") != "0":
            os.environ["XLA_FLAGS"] = f"{before or ''} {_FOLD_FLAG}".strip()
        try:
            jax.devices()
        finally:
            if before is None:
                os.environ.pop("XLA_FLAGS", None)
            else:
                os.environ["XLA_FLAGS"] = before
        _prepared = True


def is_prepared() -> bool:
    """Say whether ``prepare`` has been called: until then it takes long, on a GPU seconds."""
    return _prepared


def device_for_calls(device: Any) -> Any:
    """Return where to call what is compiled for a device: processors that compute in the thread that calls.

    JAX's own processors compute in another thread, so that a host goes on meanwhile.  A block has a thread
    already, and two more switches of threads take as long as a short block of a small model.  The code is the
    same, and so are the bits.

    Args:
      device: of JAX, or None for its default.

    Returns:
      For processors those of the same number that are this library's own; any other device as it is.
    """
    prepare()
    wanted = jax.local_devices()[0] if device is None else device
    if wanted.platform != "cpu":
        return device
    return next((own for own in _calling_processors() if own.id == wanted.id), device)


@cache
def _calling_processors() -> list[Any]:
    """Return the devices, or none where JAX's library makes them by another name."""
    try:
        client: Any = xla_client.make_cpu_client(asynchronous=False)
    except (AttributeError, TypeError):  # JAX promises neither
        return []
    devices: list[Any] = client.local_devices()
    return devices


@cache
def compiler_options() -> dict[str, Any]:
    """Return the options that all functions of this library are compiled with; for reading only.

    XLA:CPU hands some sums and products to a library, YNN, unless it is told not to.  A loop that calls it is
    not folded, and what it computes is wrong at times: in JAX 0.12 a few of many normal draws, less each its
    share of their sum, are NaN, others in each run (``tests/test_xla.py``); jax issue 39257 has a program
    that crashes or never ends.  A version of XLA that does not know the option is given none.
    """
    prepare()
    try:
        jax.jit(lambda: 0).lower().compile(compiler_options=_WITHOUT_YNN)
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" not in str(error):
            raise
        return {}
    return _WITHOUT_YNN


def is_folded(compiled_text: str | None) -> bool:
    """Say whether every loop of a compiled program is folded into a native kernel.

    Args:
      compiled_text: what ``as_text`` gives.  A loop that was not folded stands in its entry computation
        as it is; XLA folds small inner loops without any flag.
    """
    _, _, entry = (compiled_text or "").partition("ENTRY ")
    return _FOLDED_CALL in entry and " while(" not in entry


def can_fold() -> bool:
    """Say whether the flag is in force in this process, by compiling a loop that only it would fold."""
    with precise():
        loop = jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda _, y: y * 2.0, x))
        return is_folded(loop.lower(jnp.zeros(1024)).compile().as_text())


def surroundings() -> str:
    """Describe what decides the code that XLA makes of a program, besides the program.

    That is JAX, its settings, XLA's flags, and the processors: their kind, and their number, by which XLA
    cuts large products.  Two processes of one description make the same code.
    """
    settings = sorted((name, repr(value)) for name, value in jax.config.values.items())
    flags = (os.environ.get("XLA_FLAGS", ""), _folds(), *compiler_options())
    return repr((jax.__version__, version("jaxlib"), settings, flags, _processors()))


def numerics() -> dict[str, str]:
    """Name what the last bits of a result depend on besides the program: the compiler and the processor."""
    kind = "\n".join((platform.machine(), *_kind_of_processor()))
    return {
        "jax": jax.__version__,
        "jaxlib": version("jaxlib"),
        "processor": f"{platform.machine()} {hashlib.sha256(kind.encode()).hexdigest()[:12]}",
    }


@cache
def _folds() -> bool:
    return can_fold()


def _processors() -> tuple[Any, ...]:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return (platform.machine(), *_kind_of_processor(), os.cpu_count(), allowed)


@cache
def _kind_of_processor() -> tuple[str, ...]:
    """Return the lines in which Linux names the processor and what it can do; elsewhere, what Python says."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return (platform.processor(),)
    told = {line for line in lines if line.startswith(("model", "flags", "Features", "CPU"))}
    return tuple(sorted(told)) or (platform.processor(),)


def import_aside(module: str) -> None:
    """Import a module that sets JAX's 64-bit mode when it is imported, and set the mode back."""
    if module in sys.modules:
        return

    def load() -> None:
        before = jax.config.values["jax_enable_x64"]
        try:
            import_module(module)
        finally:
            jax.config.update("jax_enable_x64", before)  # type: ignore[no-untyped-call]

    # In a thread of its own, which is inside no context: what it reads and sets is the host's own setting.
    with ThreadPoolExecutor(1) as other:
        other.submit(load).result()


_STILL_READ = (
    ("jax_disable_jit", (False,)),
    ("jax_debug_nans", (False,)),
    ("jax_debug_infs", (False,)),
    ("jax_transfer_guard_host_to_device", (None, "allow")),
    ("jax_transfer_guard_device_to_device", (None, "allow")),
    ("jax_transfer_guard_device_to_host", (None, "allow")),
)
"""Settings that a call still reads, and the values that do not disturb it; ``_undisturbed`` sets the same."""


def calling() -> AbstractContextManager[object]:
    """Hand float64 arrays to a compiled program and take its results, whatever the host's settings.

    What decides bits was decided when the program was compiled, by ``precise``.
    """
    prepare()
    # Each context costs microseconds, and a short block hardly more.
    if all(getattr(jax.config, name) in values for name, values in _STILL_READ):
        only_float64: AbstractContextManager[object] = jax.enable_x64(True)
        return only_float64
    return _undisturbed()


@contextmanager
def _undisturbed() -> Iterator[None]:
    with (
        jax.enable_x64(True),
        jax.disable_jit(False),
        jax.debug_nans(False),
        jax.debug_infs(False),
        jax.transfer_guard("allow"),
    ):
        yield


@contextmanager
def precise() -> Iterator[None]:
    """Compute in float64, under settings that decide bits, for this thread and this block only.

    Each setting is one that a host may have changed and that would change a draw (64-bit types, the
    generator, its splitting, matrix precision, promotion) or raise where a divergence is expected
    (NaN checks).
    """
    prepare()
    with ExitStack() as settings:
        settings.enter_context(jax.enable_x64(True))
        settings.enter_context(jax.default_prng_impl("threefry2x32"))
        settings.enter_context(jax.threefry_partitionable(True))
        settings.enter_context(jax.default_matmul_precision("highest"))
        settings.enter_context(jax.numpy_dtype_promotion("standard"))
        settings.enter_context(jax.numpy_rank_promotion("allow"))
        settings.enter_context(jax.debug_nans(False))
        settings.enter_context(jax.debug_infs(False))
        settings.enter_context(jax.disable_jit(False))
        settings.enter_context(jax.transfer_guard("allow"))
        yield
