"""Name and type the statistics of a block, in the thread that made it: the loop has other things to do."""

from dataclasses import replace
from typing import Any

import numpy as np

from exmc_actors.messages import STAT_TYPES, STATS
from exmc_actors.runtime.protocol import Advanced


def columns_of(stats: np.ndarray) -> dict[str, np.ndarray]:
    """Return the statistics by name: views of the rows, or copies of another type."""
    columns = zip(STATS, stats.T, strict=True)
    return {name: column.astype(STAT_TYPES.get(name, float), copy=False) for name, column in columns}


def with_columns(answers: Any) -> Any:
    """Return answers with the statistics of each by name; those that have none as they are."""
    return [
        replace(one, columns=columns_of(one.stats)) if isinstance(one, Advanced) else one for one in answers
    ]
