"""Keep NumPy's linear algebra to one thread for a moment; it computes nothing itself.

With more threads, OpenBLAS splits its sums by how many there are, so that last bits would depend on the
machine's processors; and its threads wait for each other by spinning, which takes a hundred times as long
as the work where the cores are busy sampling.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

# The setting belongs to the process, so that two who set it and put it back would get in each other's way.
_only_one = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread in this block; waits for whoever else does.

    Whatever the host multiplies meanwhile uses one thread, too; afterwards it has as many as before.
    """
    with _only_one, _libraries().limit(limits=1, user_api="blas"):
        yield


def must_wait() -> bool:
    """Whether somebody else is inside ``one_thread``."""
    return _only_one.locked()


@cache
def _libraries() -> ThreadpoolController:
    """Return the libraries that are loaded, NumPy's among them; finding them takes a millisecond."""
    return ThreadpoolController()
