"""Move a step size out of the ranges in which trajectories double once too often; sees a number, never draws.

A trajectory turns after about half a period, which in whitened coordinates is a length of pi, but it comes
only in lengths of 3, 7, 15, ... steps.  Where such a length falls just short of pi, trajectories double once
more and come back to where they began, for twice the gradients.  So what a gradient is worth is no smooth
function of the step size.  Of ten independent normals, 1,000 gradients give 329 effective draws at steps of
0.66, 277 at 0.88, the step size whose acceptance is 0.8, and 615 at 1.06.
"""

import math

_WASTEFUL = ((0.37, 0.454), (0.66, 1.06))
"""Between these step sizes trajectories of 15 steps, and of 7, are longer than they need to be, or mixed with
those of half the length.  Measured on independent normals in 4 to 1,000 dimensions; ranges of smaller step
sizes are left alone, because these belong to posteriors that the metric has not made round."""


def clear_of_doubling(log_step_size: float) -> float:
    """Return the log step size, or the nearer end of the wasteful range that it lies in.

    It moves by a factor of 1.27 at most; from an acceptance of 0.8, to one of 0.7 or more.
    """
    for lowest, highest in ((math.log(low), math.log(high)) for low, high in _WASTEFUL):
        if lowest < log_step_size < highest:
            return lowest if log_step_size - lowest < highest - log_step_size else highest
    return log_step_size
