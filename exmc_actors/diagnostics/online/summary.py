"""Reduce the estimators of all chains to one frozen record, with the columns of ``ex.summary``."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from exmc_actors.diagnostics.by_quantity import FEWEST_DRAWS
from exmc_actors.diagnostics.online.batch_means import chosen, effective, ladder, unless_contradicted
from exmc_actors.diagnostics.online.bins import Bins
from exmc_actors.diagnostics.online.chain import Chain
from exmc_actors.diagnostics.online.moments import Moments, together
from exmc_actors.diagnostics.online.sketch import quantiles
from exmc_actors.diagnostics.online.split_rhat import Halves, halves

COLUMNS = ("mean", "sd", "q5", "q50", "q95", "mcse_mean", "ess", "r_hat")
LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class OnlineSummary:
    """What was known of a run at one moment.

    Estimates are of all draws seen of the chains that have neither given up nor been stopped, NaN where these
    are too few or not finite.
    """

    names: tuple[str, ...]
    """Of the scalars, as ``ex.summary`` names them: ``tau``, ``theta[0]``, ``theta[Choate]``."""
    mean: np.ndarray
    """Shape (quantity,), as all up to ``r_hat``."""
    sd: np.ndarray
    q5: np.ndarray
    q50: np.ndarray
    q95: np.ndarray
    mcse_mean: np.ndarray
    ess: np.ndarray
    """Effective draws of the mean, by batch means."""
    r_hat: np.ndarray
    """Split R-hat of the values themselves: neither ranked nor folded."""
    chain_mean: np.ndarray
    """Shape (chain, quantity); NaN of a chain without draws."""
    draws: np.ndarray
    """Seen of each chain after warmup."""
    warmup: np.ndarray
    """Warmup transitions seen of each chain."""
    divergences: np.ndarray
    """Seen of each chain after warmup."""
    e_bfmi: np.ndarray
    """Of each chain."""
    missed: int
    """Draws of all chains that went by unseen, where blocks were skipped."""
    kept: tuple[int, ...] = ()
    """Chains that estimates are of: those of the result."""
    failed: tuple[int, ...] = ()
    """Chains that gave up; only what is given for each chain still tells of them."""
    stopped: tuple[int, ...] = ()
    """Chains that the user stopped, which are left out in the same way where others have draws."""

    def __getitem__(self, name: str) -> dict[str, float]:
        """Return the estimates of one quantity by column; KeyError where there is none of that name."""
        place = self._place_of[name]
        return {column: float(getattr(self, column)[place]) for column in COLUMNS}

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}


def estimates(chains: Sequence[Chain], kept: Sequence[int], quantities: int) -> dict[str, np.ndarray]:
    """Return a column a name, and ``chain_mean``.

    Args:
        chains: all of them.
        kept: numbers of those over whose draws estimates are.
        quantities: how many.
    """
    bins = [chain.bins() for chain in chains]
    long_enough = [number for number in kept if chains[number].draws >= FEWEST_DRAWS]
    columns = dict.fromkeys(COLUMNS, np.full(quantities, np.nan))
    if long_enough:
        columns = _columns([chains[number] for number in long_enough], [bins[n] for n in long_enough])
    means = [
        chain.origin + together(one.parts()).mean if chain.draws else np.full(quantities, np.nan)
        for chain, one in zip(chains, bins, strict=True)
    ]
    return columns | {"chain_mean": np.stack(means)}


def _columns(chains: Sequence[Chain], bins: Sequence[Bins]) -> dict[str, np.ndarray]:
    reference = chains[0].origin
    shifts = [chain.origin - reference for chain in chains]
    parts = [_moved(one.parts(), shift) for one, shift in zip(bins, shifts, strict=True)]
    whole = _of_all(parts)
    apart = halves(parts)
    long_run = _long_run_variance(bins, shifts, whole.variance, apart)
    ess = effective(long_run, whole.variance, int(whole.draws))
    sd, mean = np.sqrt(whole.variance), reference + whole.mean
    # A sketch drops draws, and the halves the middle one of an odd number: NaN may be among them.
    between = np.where(np.isnan(mean), np.nan, quantiles([chain.sketch() for chain in chains], LEVELS))
    r_hat = np.where(np.isnan(mean), np.nan, apart.r_hat)
    return dict(zip(COLUMNS, (mean, sd, *between, sd / np.sqrt(ess), ess, r_hat), strict=True))


def _moved(parts: Moments, shift: np.ndarray) -> Moments:
    return parts._replace(mean=parts.mean + shift[:, np.newaxis])


def _of_all(chains: Sequence[Moments]) -> Moments:
    totals = [together(parts) for parts in chains]
    return together(
        Moments(
            np.array([total.draws for total in totals]),
            np.stack([total.mean for total in totals], axis=1),
            np.stack([total.square for total in totals], axis=1),
        )
    )


def _long_run_variance(
    bins: Sequence[Bins], shifts: Sequence[np.ndarray], variance: np.ndarray, apart: Halves
) -> np.ndarray:
    """Return the estimate from batches of all chains, which are as long as the longest bins."""
    size = max(one.size for one in bins)
    batches = [_batches(one, size) + shift[:, np.newaxis] for one, shift in zip(bins, shifts, strict=True)]
    estimate, short = chosen(ladder(batches, size), variance)
    return unless_contradicted(estimate, short, apart.draws * apart.between, apart.number)


def _batches(bins: Bins, size: int) -> np.ndarray:
    """Return means of batches, each of so many draws, of a chain; what does not fill one is left out."""
    means, group = bins.full(), size // bins.size
    number = means.shape[1] // group
    batches: np.ndarray = means[:, : number * group].reshape(len(means), number, group).mean(axis=2)
    return batches
