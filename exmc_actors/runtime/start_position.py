"""Say where chains are to start: where the user or the target says, or at random; nothing is tried here."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from exmc_actors.chain import RANDOM_RADIUS, TRIES, chain_key
from exmc_actors.compiler import Target
from exmc_actors.errors import ModelError
from exmc_actors.runtime.settings import Settings


class StartPosition(NamedTuple):
    """Where a chain looks for its start: a cube of the unconstrained space."""

    centre: np.ndarray
    radius: float
    """Where it is 0, the centre is the start."""


def start_positions(
    target: Target, settings: Settings, chains: Iterable[int] | None = None
) -> list[StartPosition]:
    """Return where each chain looks for its start first.

    Args:
      target: of the run.
      settings: of the run.
      chains: numbers; None means those that the run begins with.

    Raises:
      ModelError: a name is unknown, or a value does not fit its variable.
    """
    numbers = range(settings.chains) if chains is None else chains
    return [next(_positions(target, settings, chain)) for chain in numbers]


def other_positions(target: Target, settings: Settings, chain: int) -> Iterator[StartPosition]:
    """Yield where else a chain may look, which is where some variables have given values and others none."""
    return islice(_positions(target, settings, chain), 1, None)


def where_tried(target: Target, settings: Settings, chain: int) -> str:
    """Name the places at which a start of a chain was looked for."""
    given = _given(target, settings.start_of(chain))
    if len(given) == len(target.names) or (target.init is not None and not target.jitter):
        return "the given start"
    return f"{TRIES} random starts" + (f" ({', '.join(given)} as given)" if given else "")


def _positions(target: Target, settings: Settings, chain: int) -> Iterator[StartPosition]:
    """Where some values are given, the others are random, from the chain's own key."""
    centre, radius = np.zeros(target.dim), RANDOM_RADIUS
    if target.init is not None:
        centre, radius = target.init, target.jitter
    values = settings.start_of(chain)
    if values is None:
        yield StartPosition(centre, radius)
        return
    random = np.random.default_rng(chain_key(settings.random_seed, chain))
    tries = 1 if len(_given(target, values)) == len(target.names) else TRIES
    refusals = []
    for _ in range(tries):
        around = centre + random.uniform(-radius, radius, target.dim)
        try:
            position = target.unconstrain(values, around=around)
        except ModelError as error:  # a bound of what is given may depend on what is not
            refusals.append(error)
        else:
            yield StartPosition(position, 0.0)
    if len(refusals) == tries:
        raise refusals[0]


def _given(target: Target, values: Mapping[str, Any] | None) -> list[str]:
    """Return the free variables that have values."""
    return [name for name in target.names if values and name in values]
