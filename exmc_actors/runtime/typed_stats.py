"""Name and type the statistics of a block where it is computed or read, and not on the loop of all chains."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from exmc_actors.messages import STAT_TYPES, STATS
from exmc_actors.runtime.protocol import Advanced


def typed_stats(stats: np.ndarray) -> dict[str, np.ndarray]:
    """Return the statistics by name: views of the rows, or copies of another type."""
    columns = zip(STATS, stats.T, strict=True)
    with np.errstate(invalid="ignore"):  # what is not finite is refused elsewhere, in a sentence
        return {name: column.astype(STAT_TYPES.get(name, float), copy=False) for name, column in columns}


def with_typed_stats(answers: Sequence[Any]) -> list[Any]:
    """Return answers with the statistics of each by name; those that have none as they are."""
    return [
        replace(one, typed_stats=typed_stats(one.stats)) if isinstance(one, Advanced) else one
        for one in answers
    ]
