"""Decide what counts: agreement of densities, convergence, means near the reference; and form the ratios.

Pure functions of numbers: nothing here samples, measures or prints.
"""

import math
import statistics

import numpy as np

RELATIVE = 1e-9
LONG, RHAT_OF_LONG, RHAT = 10_000, 1.01, 1.03
DIVERGING, STANDARD_ERRORS = 0.01, 4.0


def disagreement(ours, theirs):
    """Say how far two log densities are apart, up to a constant; None where they agree."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if not (np.all(np.isfinite(ours)) and np.all(np.isfinite(theirs))):
        return "the log density is not finite at every point"
    apart = np.abs(theirs + np.median(ours - theirs) - ours) / np.maximum(np.abs(ours), 1.0)
    worst = float(apart.max())
    return f"log densities differ by {worst:.1e}" if worst > RELATIVE else None


def faults(runs, draws, reference):
    """Say why the runs of one cell do not count; an empty list where they do.

    Args:
      runs: for each seed the numbers of one call: seed, rhat, diverging, means and errors by label.
      draws: kept draws a chain.
      reference: mean and error by label.
    """
    found = [f"R-hat {one['rhat']:.3f}, seed {one['seed']}" for one in runs if not is_mixed(one, draws)]
    found += [
        f"{100 * one['diverging']:.1f} % divergences, seed {one['seed']}"
        for one in runs
        if not one["diverging"] < DIVERGING
    ]
    apart = distances(runs, reference)
    if not apart:
        return [*found, "no reference"]
    far = {label: z for label, z in apart.items() if not abs(z) <= STANDARD_ERRORS}  # so that NaN is far
    if far:
        label = max(far, key=lambda one: abs(far[one]))
        found.append(f"mean of {label} is off by {far[label]:+.1f} standard errors")
    return found


def is_mixed(run, draws):
    """Say whether the largest R-hat of a run is small enough for its length."""
    return run["rhat"] < (RHAT_OF_LONG if draws >= LONG else RHAT)


def distances(runs, reference):
    """Return how many standard errors each mean lies from the reference, all seeds together.

    Together they show a bias that one seed hides, and there is one comparison for a parameter, not one for
    each seed: of thousands of honest ones, some would be beyond four standard errors.
    """
    apart = {}
    for label in reference.keys() & runs[0]["means"].keys():
        expected, error = reference[label]
        mean = statistics.fmean(one["means"][label] for one in runs)
        pooled = math.hypot(*(one["errors"][label] for one in runs)) / len(runs)
        apart[label] = (mean - expected) / math.hypot(pooled, error)
    return apart


def spread(values):
    """Return the median, the least and the largest."""
    return [statistics.median(values), min(values), max(values)]


def geometric_mean(values):
    """Return the geometric mean of positive numbers; NaN of none."""
    return math.exp(statistics.fmean(map(math.log, values))) if values else math.nan


def ratios(cells, peer, draws, what):
    """Return ours over theirs by problem, of medians, where both count.

    Args:
      cells: records of kind ``cell``.
      peer: whose.
      draws: of which length.
      what: of which quantity.
    """
    by = {(one["peer"], one["problem"]): one for one in cells if one["draws"] == draws and one["counts"]}
    mine = [problem for who, problem in by if who == "ours" and (peer, problem) in by]
    return {problem: by["ours", problem][what][0] / by[peer, problem][what][0] for problem in mine}
