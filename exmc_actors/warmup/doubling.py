"""Move a step size out of the ranges in which trajectories are longer than they need be; sees no draws.

A trajectory turns after about half a period, which in whitened coordinates is a length of pi, but it
comes only in lengths of 3, 7, 15, ... or of 2, 5, 11, ... steps (``kernel.growth``).  Where such a length
falls just short of pi, trajectories double once more, for twice the gradients.  So what a gradient is
worth is no smooth function of the step size.  Of ten independent normals, the geometric mean of the
effective draws of means and of squares in 1,000 gradients is 111 at steps of 0.37, 99 at 0.42, 173 at
0.454, 174 at 0.6, 253 at 0.64, 255 at 0.8, 241 at 0.84, 235 at 1.05 and 366 at 1.06; of fifty 114, 110,
167, 173, 221, 220, 214, 161 and 209.
"""

import math

_MOVED = ((0.41, 0.454, 0.454), (0.6, 0.66, 0.6), (0.7, 0.8, 0.8), (0.84, 1.06, 1.06), (1.2, 1.3, 1.3))
"""Step sizes over the first and up to the second become the third.

Measured on independent normals in 10 to 200 dimensions, and from 0.6 to 0.8 on models, by the worst
variable's effective draws, those of its tails and of squares; smaller step sizes are left alone, because
these belong to posteriors that the metric has not made round.
"""


def clear_of_doubling(log_step_size: float) -> float:
    """Return the log step size, or the better end of the range that it lies in.

    It grows by a factor of 1.27 at most, from an acceptance of 0.8 to one of 0.7 or more, and shrinks by one
    of 1.1; a larger one never becomes the smaller.
    """
    for lowest, highest, better in _MOVED:
        if math.log(lowest) < log_step_size <= math.log(highest):
            return math.log(better)
    return log_step_size
