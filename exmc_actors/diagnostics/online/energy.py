"""Follow a chain's energies: how much it changes them from draw to draw, against how much they vary."""

from math import nan

import numpy as np

from exmc_actors.diagnostics.online.moments import Moments, merged, moments


class Energy:
    """The energies of one chain."""

    def __init__(self) -> None:
        """Begin with no draw."""
        self._moments: Moments | None = None
        self._changes = 0.0
        self._last = nan

    def add(self, energies: np.ndarray) -> None:
        """Take in the energies of the next draws, at least one."""
        part = moments(energies[np.newaxis])
        if self._moments is None:
            self._moments, before = part, energies[:1]
        else:
            self._moments, before = merged(self._moments, part), np.array([self._last])
        changes = np.diff(energies, prepend=before)
        self._changes += float(changes @ changes)
        self._last = float(energies[-1])

    def e_bfmi(self) -> float:
        """Return the estimated Bayesian fraction of missing information; NaN of less than two draws.

        References:
            Betancourt (2016), *Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo*.
        """
        if self._moments is None or self._moments.draws < 2:
            return nan
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.float64(self._changes) / (self._moments.draws - 1)
            return float(change / self._moments.variance[0])
