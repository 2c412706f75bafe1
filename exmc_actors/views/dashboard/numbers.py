"""Turn arrays into what JSON can say: what is not finite is null."""

from math import isfinite
from typing import Any

import numpy as np


def plain(values: np.ndarray) -> list[Any]:
    """Return the numbers of an array of one axis with nine digits: enough where they stand for themselves."""
    return [number(value) for value in values.tolist()]


def exact(values: np.ndarray) -> list[Any]:
    """Return the numbers of an array of one axis as they are: of places in a chart any digit may matter."""
    return [value if isfinite(value) else None for value in values.tolist()]


def number(value: float) -> float | None:
    """Return a number with nine digits; None for one that is not finite."""
    return float(f"{value:.9g}") if isfinite(value) else None
