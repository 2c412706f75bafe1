"""Say what to do where a log density calls back into Python, which computes in the precision of the host."""

import contextlib
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
