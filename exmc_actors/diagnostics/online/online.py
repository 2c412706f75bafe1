"""Follow a run by its messages: estimates of every quantity at any moment, in memory that hardly grows.

What is kept depends on the number of quantities and chains (some 80 kB for a quantity of four chains), and
on the logarithm of the number of draws.  Draws that went by unseen are counted; those on both sides of the
gap are taken for neighbours.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from exmc_actors.arguments import integer
from exmc_actors.diagnostics.online.chain import Chain
from exmc_actors.diagnostics.online.divergences import Divergence, Divergences
from exmc_actors.diagnostics.online.layout import Layout
from exmc_actors.diagnostics.online.pictures import Histogram, RunningMean, histogram, running_means
from exmc_actors.diagnostics.online.summary import OnlineSummary, estimates
from exmc_actors.errors import SettingsError
from exmc_actors.messages import ChainFailed, ChainStopped, DrawBlock, Message

LAGS = 50
"""The longest lag of autocorrelations, unless told otherwise."""

# Draws may be NaN, infinite or all the same: what cannot be computed then is NaN, and no warning.
_UNKNOWN_IS_NAN = np.errstate(all="ignore")


class Online:
    """Online estimates of all quantities of one run.

    The state after some draws of a chain is the same, bit for bit, however they were cut into blocks, and
    whatever other chains did meanwhile.
    """

    def __init__(
        self,
        chains: int,
        *,
        dims: Mapping[str, Sequence[str]] = MappingProxyType({}),
        coords: Mapping[str, Any] = MappingProxyType({}),
        lags: int = LAGS,
    ) -> None:
        """Begin with nothing seen; variables and shapes come with the first block of draws.

        Args:
          chains: how many the run has; those that are added to it are taken in as they come.
          dims: names of a variable's axes, where they have labels.
          coords: labels by name of dimension.
          lags: the longest lag of autocorrelations; each costs some 0.2 ns a draw of a quantity.

        Raises:
          SettingsError: a number is no integer, or too small.
        """
        chains = integer("chains", chains, 1, example=4)
        lags = integer("lags", lags, 0, example=LAGS)
        self._dims, self._coords, self._lags_wanted = dims, coords, lags
        self._layout: Layout | None = None
        self._chains: list[Chain] = [Chain(number, 0, lags) for number in range(chains)]
        self._next = np.zeros(chains, dtype=int)
        self._warmup = np.zeros(chains, dtype=int)
        self._missed = 0
        self._failed: set[int] = set()
        self._stopped: set[int] = set()
        self._divergences = Divergences(chains)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all scalars; none before the first draw after warmup."""
        return () if self._layout is None else self._layout.names

    @property
    def divergences(self) -> tuple[Divergence, ...]:
        """The last hundred divergences of all chains; their values stand in the order of ``names``."""
        return tuple(self._divergences.last)

    def rows(self, draws: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the values of all scalars in the draws of a block, of shape (draw, quantity).

        Raises:
          SettingsError: the block has other variables than those before it.
        """
        if self._layout is None:
            self._layout = Layout(draws, self._dims, self._coords)
            self._chains = [
                Chain(number, len(self.names), self._lags_wanted) for number in range(len(self._chains))
            ]
        return self._layout.flat(draws)

    def observe(self, message: Message) -> None:
        """Take in a message: draws, or that a chain gave up or was stopped; others change nothing.

        Draws that were seen before are passed over, so that a feed may be read again.

        Raises:
          SettingsError: the block has other variables than those before it.
        """
        if isinstance(message, ChainFailed | ChainStopped | DrawBlock):
            self._make_room(message.chain)
        if isinstance(message, ChainFailed):
            self._failed.add(message.chain)
        elif isinstance(message, ChainStopped):
            self._stopped.add(message.chain)
        elif isinstance(message, DrawBlock) and message.phase == "warmup":
            self._warmup[message.chain] = max(self._warmup[message.chain], message.first + len(message))
        elif isinstance(message, DrawBlock):
            self._observe_draws(message)

    def _make_room(self, chain: int) -> None:
        """Begin with a chain that was added to the run, and with those before it."""
        more = chain + 1 - len(self._chains)
        for _ in range(more):
            self._chains.append(Chain(len(self._chains), len(self.names), self._lags_wanted))
        if more > 0:
            self._next = np.append(self._next, np.zeros(more, dtype=int))
            self._warmup = np.append(self._warmup, np.zeros(more, dtype=int))
            self._divergences.make_room(more)

    @_UNKNOWN_IS_NAN
    def summary(self) -> OnlineSummary:
        """Return what is known now."""
        kept = self._kept()
        return OnlineSummary(
            names=self.names,
            **estimates(self._chains, kept, len(self.names)),
            draws=np.array([chain.draws for chain in self._chains]),
            warmup=self._warmup.copy(),
            divergences=self._divergences.counts.copy(),
            e_bfmi=np.array([chain.energy.e_bfmi() for chain in self._chains]),
            missed=self._missed,
            kept=tuple(kept),
            failed=tuple(sorted(self._failed)),
            stopped=tuple(sorted(self._stopped)),
        )

    def _kept(self) -> list[int]:
        """Return the chains that estimates are of: those of the result."""
        with_draws = [number for number, chain in enumerate(self._chains) if chain.draws]
        kept = [number for number in with_draws if number not in self._failed | self._stopped]
        return kept or [number for number in with_draws if number in self._stopped]

    @_UNKNOWN_IS_NAN
    def autocorrelation(self, name: str) -> np.ndarray:
        """Return a quantity's autocorrelation in each chain, of shape (chain, lag), from lag 0 on."""
        which = self._place(name)
        return np.concatenate([chain.autocorrelation(which) for chain in self._chains])

    @_UNKNOWN_IS_NAN
    def histogram(self, name: str, bins: int = 40) -> Histogram:
        """Return how many draws of each chain lie where, over the central 99 % of a quantity's draws."""
        which = self._place(name)
        return histogram([chain.sketch(which) for chain in self._chains], bins)

    @_UNKNOWN_IS_NAN
    def running_mean(self, name: str) -> tuple[RunningMean, ...]:
        """Return how a quantity's mean came about in each chain, at up to 256 places."""
        which = self._place(name)
        return tuple(running_means([(chain.bins(which), chain.origin[which]) for chain in self._chains]))

    def recent(self, name: str) -> tuple[np.ndarray, ...]:
        """Return a quantity's last draws in each chain: all up to 511, then 256 to 511 of them."""
        which = self._place(name)
        return tuple(chain.recent(which)[0] for chain in self._chains)

    def _place(self, name: str) -> slice:
        if self._layout is None:
            raise SettingsError(f"there is no quantity {name!r} yet: no draw after warmup was seen.")
        return self._layout.place(name)

    @_UNKNOWN_IS_NAN
    def _observe_draws(self, block: DrawBlock) -> None:
        seen = int(self._next[block.chain])
        fresh = slice(max(0, seen - block.first), None)
        first = block.first + fresh.start
        draws = self.rows(block.draws)[fresh]
        if not len(draws):
            return
        self._missed += first - seen
        self._next[block.chain] = first + len(draws)
        self._chains[block.chain].add(draws)
        self._chains[block.chain].energy.add(np.asarray(block.stats["energy"][fresh], dtype=float))
        self._divergences.add(block.chain, first, block.stats["diverging"][fresh], draws)
