"""Sum up the draws of one run by ArviZ's statistics, over all numbers that its variables hold."""

import numpy as np
from arviz_stats.base.array import array_stats


def summarise(values):
    """Return the least bulk ESS, the largest R-hat, and means with their errors by label.

    Args:
      values: arrays (chain, draw, ...) by name; labels are ``mu`` and, counted from one, ``beta[1]``.
    """
    labels, columns = [], []
    for name, array in sorted(values.items()):
        flat = np.asarray(array, dtype=float).reshape(*array.shape[:2], -1)
        one = array.ndim == 2
        labels += [name] if one else [f"{name}[{k + 1}]" for k in range(flat.shape[2])]
        columns.append(flat)
    x = np.concatenate(columns, axis=2).transpose(2, 0, 1)
    errors = x.std(axis=(1, 2)) / np.sqrt(array_stats.ess(x, method="mean"))
    return {
        "ess": float(np.min(array_stats.ess(x, method="bulk"))),
        "rhat": float(np.max(array_stats.rhat(x))),
        "means": dict(zip(labels, x.mean(axis=(1, 2)).tolist(), strict=True)),
        "errors": dict(zip(labels, errors.tolist(), strict=True)),
    }
