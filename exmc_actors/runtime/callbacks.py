"""Find programs that call Python, and say what to do where that computes in the precision of the host."""

import contextlib
import re
from collections.abc import Iterator

import jax

from exmc_actors.errors import ModelError


@contextlib.contextmanager
def telling_of_callbacks() -> Iterator[None]:
    """Raise a sentence in the place of what JAX says when a callback returns float32.

    JAX hands callbacks to a thread of XLA's, which knows nothing of the settings that hold in ours.

    Raises:
      ModelError: a callback did.
    """
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "Expected: float64, Actual: float32" not in str(error):
            raise
        raise ModelError(
            "the log density calls back into Python (jax.pure_callback, say), where JAX has the precision of "
            "the host program, float32: call jax.config.update('jax_enable_x64', True) before sampling, or "
            "write it in JAX."
        ) from error


def calls_back(text: str | None) -> bool:
    """Whether a compiled program calls what a user may have written; without its text, it may."""
    if text is None:
        return True
    return any(not name.startswith("lapack_") for name in re.findall(r'custom_call_target="([^"]+)"', text))
