"""Put off Python's search for unreachable cycles while much is made that stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collected_later() -> Iterator[None]:
    """Let Python look for unreachable cycles afterwards.

    Where much is made that stays, as by imports and by tracing, Python looks through all that the process
    has each time that it has grown by a quarter: a tenth of a second where little more than JAX is loaded.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
