"""Choose what a subscriber sees of a run's messages: chains, variables, every so many draws."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from exmc_actors.arguments import entries, is_integer, names
from exmc_actors.errors import SettingsError
from exmc_actors.messages import DrawBlock, Message
from exmc_actors.runtime.history import WHOLE_RUN, History


@dataclass(frozen=True)
class Choice:
    """What a subscriber asked for; the default is all there is."""

    chains: frozenset[int] | None = None
    """Numbers; None means all."""
    var_names: tuple[str, ...] | None = None
    """None means all."""
    thin: int = 1
    """One draw of so many, counted within the phase."""

    def taken(self, messages: History, begin: int) -> Sequence[int]:
        """Return which messages have something to see: draws, or news of a chain or of the whole run.

        Args:
          messages: of the run.
          begin: number of the first one to look at.

        Returns:
          Their numbers, in order.
        """
        if self.chains is None and self.thin == 1:
            return range(begin, len(messages))
        chain, phase, first, length = messages.positions(begin)[:, :4].T
        has_news = (phase < 0) | (-first % self.thin < length)
        if self.chains is not None:
            has_news &= np.isin(chain, [WHOLE_RUN, *self.chains])
        return (begin + np.flatnonzero(has_news)).tolist()

    def seen(self, message: Message) -> Message:
        """Return what there is to see of a message that it takes."""
        if not isinstance(message, DrawBlock) or (self.var_names is None and self.thin == 1):
            return message
        begin = self._begin(message.first)
        draws: Mapping[str, np.ndarray] = message.draws
        if self.var_names is not None:
            draws = {name: draws[name] for name in self.var_names}
        return replace(
            message,
            first=message.first + begin,
            draws=self._thinned(draws, begin),
            stats=self._thinned(message.stats, begin),
        )

    def _begin(self, first: int) -> int:
        """Return where in a block the first draw is that was asked for; it may lie behind the block."""
        return -first % self.thin

    def _thinned(self, columns: Mapping[str, np.ndarray], begin: int) -> Mapping[str, np.ndarray]:
        return MappingProxyType({name: values[begin :: self.thin] for name, values in columns.items()})


def chosen(chains: Any, var_names: Any, thin: Any, *, of: int, known: Sequence[str]) -> Choice:
    """Return what a user asks for.

    Args:
      chains: numbers of chains, one number, or None.
      var_names: names, one name, or None.
      thin: a positive integer.
      of: how many chains there are.
      known: the names of the variables.

    Raises:
      SettingsError: there is no such chain or variable, or ``thin`` is no positive integer.
    """
    if not is_integer(thin) or thin < 1:
        raise SettingsError(f"thin must be a positive integer, got {thin!r}: write, say, thin=10.")
    numbers = None
    if chains is not None:
        several = entries(chains)
        given = (chains,) if several is None else several
        for number in given:
            if not is_integer(number) or not 0 <= number < of:
                raise SettingsError(f"this run has no chain {number!r}: give numbers from 0 to {of - 1}.")
        numbers = frozenset(map(int, given))
    variables = names("var_names", var_names)
    for name in variables or ():
        if name not in known:
            raise SettingsError(f"var_names: there is no {name!r} in this run: give of {', '.join(known)}.")
    return Choice(numbers, variables, min(int(thin), sys.maxsize))  # no chain has so many draws
