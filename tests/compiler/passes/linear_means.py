"""Linear means of every kind, for models drawn by hypothesis."""

import numpy as np
from hypothesis import strategies as st

import exmc_actors.model as ex

KINDS = (
    "scalar",
    "column",
    "scaled column",
    "block",
    "dot on the left",
    "gather",
    "scaled gather",
    "weighted gather",
    "gather by other groups",
    "function of gathers",
    "column of a matrix",
    "offset",
    "offset times a scalar",
    "difference",
    "quotient",
)


class Parameters:
    """The variables that all means of a model share, and the data of one of them."""

    def __init__(self, b, groups):
        self.b, self.groups = b, groups
        self.a, self.c = b.rv("a", ex.Normal(0.0, 1.0)), b.rv("c", ex.HalfNormal(1.0))
        self.v, self.w = (b.rv(name, ex.Normal(0.0, 1.0), shape=3) for name in "vw")
        self.u, self.z = (b.rv(name, ex.Normal(0.0, 1.0), shape=groups) for name in "uz")
        self.m = b.rv("m", ex.Normal(0.0, 1.0), shape=(groups, 2))

    def mean(self, kinds, rows, rng):
        """Return the sum of one term of each kind."""
        x, y = rng.normal(size=(2, rows))
        matrix = rng.normal(size=(rows, 3))
        # Some groups may have no rows.
        positions, others = rng.integers(0, self.groups, rows), rng.integers(-3, 3, rows)
        terms = {
            "scalar": lambda: self.a,
            "column": lambda: x * ex.math.exp(self.a),
            "scaled column": lambda: (self.a * y) * self.c,
            "block": lambda: matrix @ (self.v * self.c),
            "dot on the left": lambda: ex.math.dot(self.w, matrix.T),
            "gather": lambda: self.u[positions],
            "scaled gather": lambda: self.a + self.c * self.z[positions],
            "weighted gather": lambda: x * self.z[positions],
            "gather by other groups": lambda: self.v[others],
            "function of gathers": lambda: ex.math.exp(0.1 * self.u[positions]) * self.z[positions],
            "column of a matrix": lambda: self.m[positions, 1] * y + self.m[:, 0][positions],
            "offset": lambda: x + y,
            "offset times a scalar": lambda: (x + self.a) * self.c,
            "difference": lambda: self.a - matrix @ self.v - x,
            "quotient": lambda: (x * self.a - self.u[positions]) / self.c / np.exp(y),
        }
        total = terms[kinds[0]]()
        for kind in kinds[1:]:
            total = total + terms[kind]()
        return total


means = st.lists(st.sampled_from(KINDS), min_size=1, max_size=5)
several_means = st.lists(means, min_size=4, max_size=4)
