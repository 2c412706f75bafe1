"""Tell draws, and chains, that are on their way from those that have arrived; what these teach, others judge.

Where a chain stays, the gradient at a draw times the way from there to the mean is the squared distance
between the two, in standard deviations: chi-squared with as many degrees of freedom as there are dimensions,
for normals in whatever coordinates (the virial).  Where a chain is on its way that product is ten or a
thousand times as large, whether gradients are larger than they will be or, on a plateau, smaller.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from exmc_actors.warmup.estimation import Pairs

_FEWEST = 10
"""Draws of the later half of a window that say where the chain stays."""
_FEWEST_OF_A_CHAIN = 2
"""Draws of the later half of a window that say whether the chain is on its way."""
_NEARLY_ALL = 0.75
"""More of its draws than this part are on the way if a chain is; of a chain in another mode half are."""
_MOST_AIMS = 64
"""Chains, of those of a run, that others may be on their way to: a thousand chains have a million pairs."""
_FAR_OUT = 6.0
"""Standard deviations of a chi-squared beyond which a draw is on the way."""


def settled(pairs: Pairs) -> Pairs:
    """Return a window without the beginning that leads to where the chain is in the later half.

    A few draws of the way decide a metric that is made of variances.  A chain that has arrived may be far
    out for a draw, so what is left out is the beginning in which the draws on the way are ahead of the
    others by the most.  It is at most half of the window, and nothing of one that is short.

    Args:
      pairs: positions and gradients of one chain in their order, shape (n, 2, d).
    """
    half = len(pairs) // 2
    if half < _FEWEST:
        return pairs
    on_the_way = _on_the_way(pairs[:half], _means([pairs[half:]]))[:, 0]
    ahead = np.cumsum(np.where(on_the_way, 1, -1))
    most = int(ahead.argmax())
    return pairs[most + 1 if ahead[most] > 0 else 0 :]


def arrived(windows: Mapping[int, Pairs]) -> set[int]:
    """Return the chains that are not on their way to where another one is; all where none has said a thing.

    A chain is where it was in the later half of its window.  It is on its way to another one if nearly all
    its draws are, and those of the other one are not on their way to it.  One that has hardly moved has not
    arrived.

    Args:
      windows: positions and gradients of each chain in their order, shape (n, 2, d), by number.
    """
    late = {chain: pairs[len(pairs) // 2 :] for chain, pairs in windows.items()}
    told = [chain for chain, pairs in late.items() if len(pairs) >= _FEWEST_OF_A_CHAIN]
    if not told:
        return set(windows)
    means = _means([late[chain] for chain in told])
    aims = range(0, len(told), -(-len(told) // _MOST_AIMS))
    leads = np.array([_leads_to(late[chain], means[aims]) for chain in told])
    back = leads if len(aims) == len(told) else np.array([_leads_to(late[told[aim]], means) for aim in aims])
    is_behind = (leads & ~back.T).any(axis=1)
    return {chain for chain, behind in zip(told, is_behind, strict=True) if not behind} or set(windows)


def _leads_to(pairs: Pairs, means: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether a chain is on its way to each of the means, those of other chains' draws."""
    shares = np.add.reduce(_on_the_way(pairs, means)) / len(pairs)
    return np.asarray(shares > _NEARLY_ALL)


def _means(windows: list[Pairs]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return np.array([np.add.reduce(pairs[:, 0]) / len(pairs) for pairs in windows])


def _on_the_way(pairs: Pairs, means: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each draw, shape (n,), whether it is on the way to each of the means, shape (n, m)."""
    dim = pairs.shape[2]
    with np.errstate(all="ignore"):  # what overflows is as far out as can be
        away = pairs[:, 1] @ means.T - np.add.reduce(pairs[:, 0] * pairs[:, 1], axis=1)[:, None]
        found: NDArray[np.bool_] = ~(away <= dim + _FAR_OUT * math.sqrt(2.0 * dim))
    return found
