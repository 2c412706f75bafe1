"""Say how many chains share a call, and how many threads make calls; no draw depends on it."""

WORTH_A_CALL = 1e-3
"""Seconds of one chain.  A call costs as much as many transitions of a small model."""
WORTH_A_THREAD = 1e-3
"""Seconds of all chains together.  A thread that is to take part costs as much as a call."""


def threads_for(chains: int, seconds: float, threads: int) -> int:
    """Return how many of some threads are worth their while.

    Args:
      chains: that go on.
      seconds: that each of them takes.
      threads: that there are.
    """
    return threads if chains * seconds > WORTH_A_THREAD else 1


def chains_a_call(chains: int, seconds: float, threads: int) -> int:
    """Return how many chains go together in a call.

    Each goes alone where it is worth a call: whoever has had a quick one then takes another.

    Args:
      chains: that go on.
      seconds: that each of them takes.
      threads: that there are.
    """
    return 1 if seconds > WORTH_A_CALL else even_share(chains, seconds, threads)


def even_share(chains: int, seconds: float, threads: int) -> int:
    """Return how many chains go together in a call where each thread makes one, if it is worth its while.

    Args:
      chains: that go on.
      seconds: that each of them takes.
      threads: that there are.
    """
    return -(-chains // threads_for(chains, seconds, threads))
