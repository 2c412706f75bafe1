"""Tell which quantities are well beyond doubt by the means of batches of their draws, in a few passes.

It clears quantities and estimates nothing: what it leaves is for ranks and autocorrelations to judge, which
take ten times as long.  The more draws are correlated, the more the means of batches vary; of a quantity that
is well, those of short and of long batches, and of halves of chains, vary little more than those of
independent draws would.  The limits are far on the safe side of those that a warning goes by.

References:
    Flegal, Jones (2010), *Batch means and spectral variance estimators in Markov chain Monte Carlo*.
"""

import numpy as np

FEWEST_DRAWS = 800
"""Of a chain; fewer say too little to clear anything."""
DRAWS_LOOKED_AT = 1000
"""Of a chain, up to twice as many."""
CLEAR_R_HAT = 1.004
"""Of draws that ranks put at 1.01, hardly any series is below this."""
CLEAR_ESS_PER_CHAIN = 250
"""Two and a half times what a warning asks for: estimates from some forty long batches are off by a fifth."""

_SHORT = 20
"""Draws of a short batch."""
_LONG = 5
"""Short batches of a long one."""
_SAMPLED = 256
"""Draws that show where the others lie."""
_STILL = 10
"""Draws after which one is hardly the same again but where a chain stands still, or has few values."""
_MOST_STILL = 0.005
"""Of the draws; a stretch that stands still at a quantile may hide from the tails' series."""
_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
_NUMBERS_AT_ONCE = 1 << 15
_FOLDED = 1
"""Of the four series, the one whose effective size nothing asks for."""
_SINGLE = np.float32
"""Precise enough: each series lies between -1 and 1."""
_WEIGHTS = np.full(_SHORT, 1.0 / _SHORT, _SINGLE)
"""A short batch's mean is a product with them."""


def are_well(draws: np.ndarray) -> np.ndarray:
    """Say of each quantity whether its chains agree and mix so well that ranks will hardly find a fault.

    Constants, draws of few values or that are not finite, and short chains are never cleared.

    Args:
        draws: shape (quantity, chain, draw).
    """
    quantities, chains, length = draws.shape
    if length < FEWEST_DRAWS or not chains or not quantities:
        return np.zeros(quantities, bool)
    stood_still = np.count_nonzero(draws[:, :, _STILL:] == draws[:, :, :-_STILL], axis=(1, 2))
    # Halves are made of long batches; where these do not divide them, they share some draws in the middle.
    half = -(-length // (2 * _SHORT * _LONG)) * _SHORT * _LONG
    if 2 * half > length:
        draws = np.concatenate((draws[:, :, :half], draws[:, :, length - half :]), axis=2)
    with np.errstate(all="ignore"):  # what is not finite compares as not well
        means, variances = _of_batches(draws.reshape(quantities, 2 * chains, half))
        return _vary_little(means, variances, length, stood_still / (chains * length))


def _of_batches(halves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each short batch of four series of each quantity, and the variance of the series.

    Args:
        halves: of chains, shape (quantity, half, draw).

    Returns:
        Shapes (series, quantity, half, batch) and (series, quantity).
    """
    quantities, count, length = halves.shape
    size = count * length
    at_once = max(1, min(quantities, _NUMBERS_AT_ONCE // size))
    places, room = np.empty((at_once, size)), np.empty((5, at_once, size), _SINGLE)
    means = np.empty((4, quantities, count, length // _SHORT), _SINGLE)
    squares = np.empty((4, quantities), _SINGLE)
    for first in range(0, quantities, at_once):
        some = slice(first, min(first + at_once, quantities))
        series = _series(halves[some].reshape(-1, size), places, room)
        np.vecdot(series, series, out=squares[:, some])
        # A half by itself: of larger products, the host's linear algebra wakes a second thread.
        np.matmul(series.reshape(*series.shape[:2], count, -1, _SHORT), _WEIGHTS, out=means[:, some])
    return means, squares / size - means.mean(axis=(2, 3)) ** 2


def _series(draws: np.ndarray, places: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return the draws, their distances from the median, and how far they are in either tail.

    Draws and distances are mapped, rising, to between -1 and 1, with their quartiles in the same places: so
    no part of them outweighs the rest, as with ranks.  A tail's series rises from 0 where a tenth lies beyond
    to 1 where a fortieth does: a step at one quantile would miss what stands just beside it.

    Args:
        draws: shape (quantity, draw).
        places: to compute in, of doubles.
        room: for the series, and one more to compute in.
    """
    count, size = draws.shape
    some = draws[:, :: max(1, size // _SAMPLED)]
    lowest, lower, low, middle, high, higher, highest = _quantiles(some, *_LEVELS)
    (distance,) = _quantiles(np.abs(some - middle), 0.5)
    bulk, folded, low_tail, high_tail, spare = room[:, :count]
    np.subtract(draws, middle, out=places[:count])
    np.multiply(places[:count], 1.0 / distance, out=spare, casting="same_kind")
    for tail, begin, end in ((low_tail, lower, lowest), (high_tail, higher, highest)):
        np.subtract(spare, ((begin - middle) / distance).astype(_SINGLE), out=tail)
        tail *= (distance / (end - begin)).astype(_SINGLE)
        np.clip(tail, _SINGLE(0.0), _SINGLE(1.0), out=tail)
    np.abs(spare, out=folded)
    # Either side of the median in units of its own quartile, without a branch.
    above, below = distance / (high - middle), distance / (middle - low)
    spare *= ((above + below) / 2).astype(_SINGLE)
    np.multiply(folded, ((above - below) / 2).astype(_SINGLE), out=bulk)
    bulk += spare
    for one in (bulk, folded):
        np.abs(one, out=spare)
        spare += _SINGLE(1.0)
        one /= spare
    return room[:4, :count]


def _quantiles(draws: np.ndarray, *levels: float) -> list[np.ndarray]:
    """Return quantiles of each quantity, of shape (quantity, 1); each is one of the draws."""
    in_order = np.sort(draws, axis=1)
    return [in_order[:, int(level * (draws.shape[1] - 1)), None] for level in levels]


def _vary_little(means: np.ndarray, variances: np.ndarray, draws: int, still: np.ndarray) -> np.ndarray:
    """Say of which quantities batches of every length vary no more than is well.

    Args:
        means: of short batches, shape (series, quantity, half, batch).
        variances: of draws, shape (series, quantity).
        draws: of a chain.
        still: which part of the draws repeats an earlier one, of each quantity.
    """
    series, quantities, halves, batches = means.shape
    length = batches * _SHORT
    from_mean = means - means.mean(axis=(2, 3), keepdims=True)
    longer = from_mean.reshape(series, quantities, halves, -1, _LONG).mean(axis=4)
    between = np.square(longer.mean(axis=3)).sum(axis=2)
    r_hat = np.sqrt(between / (halves - 1) / (variances - between / halves) + 1.0 - 1.0 / length)
    times = np.maximum(
        _SHORT * np.square(from_mean).sum(axis=(2, 3)) / (halves * batches - 1),
        _LONG * _SHORT * np.square(longer).sum(axis=(2, 3)) / (halves * batches // _LONG - 1),
    )
    times /= variances
    times[_FOLDED] = 0.0
    agree = (r_hat < CLEAR_R_HAT).all(axis=0) & (still <= _MOST_STILL)
    is_well: np.ndarray = agree & (times < draws / CLEAR_ESS_PER_CHAIN).all(axis=0)
    return is_well
