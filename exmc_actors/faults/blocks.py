"""Let the compiled functions of a run raise for the blocks of some chains; the draws are theirs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from exmc_actors.chain import ChainState, chain_key
from exmc_actors.faults.kinds import InjectedError, Raises
from exmc_actors.runtime import Settings
from exmc_actors.runtime.executables import Executables


class Due(Protocol):
    """Whoever knows which faults are due; see ``Faults.due``."""

    def due(self, kind: type[Any], *, at: int | None = None, chain: int | None = None, **fields: Any) -> Any:
        """Return the fault of a kind that happens now, if there is one; it then has."""


class FaultyExecutables:
    """The executables of a run, and everything else that they offer."""

    def __init__(self, executables: Executables, settings: Settings, faults: Due) -> None:
        """Find out to which chain a key belongs."""
        self._executables: Any = executables
        self._faults = faults
        keys = (chain_key(settings.random_seed, chain) for chain in range(settings.chains))
        self._chains = {key.tobytes(): chain for chain, key in enumerate(keys)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executables, name)

    def start(self, places: Sequence[tuple[np.ndarray, Any]], *rest: Any) -> Any:
        """Start some chains, or raise."""
        self._raise_if_due((key, 0) for key, _ in places)
        return self._executables.start(places, *rest)

    def advance(self, chains: Sequence[tuple[ChainState, int]], *rest: Any) -> Any:
        """Advance some chains, or raise."""
        self._raise_if_due((state.key, int(state.transitions)) for state, _ in chains)
        return self._executables.advance(chains, *rest)

    def advance_together(self, states: Mapping[int, ChainState], *rest: Any) -> Any:
        """Advance the chains of an ensemble, or raise."""
        self._raise_if_due((state.key, int(state.transitions)) for state in states.values())
        return self._executables.advance_together(states, *rest)

    def _raise_if_due(self, asked: Iterable[tuple[Any, int]]) -> None:
        for key, transitions in asked:
            chain = self._chains.get(np.asarray(key).tobytes())
            if self._faults.due(Raises, at=transitions, chain=chain) is not None:
                raise InjectedError(f"injected into chain {chain} at transition {transitions}")
