"""The data of the models that the tests write for each library."""

import numpy as np

SCHOOLS_Y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
SCHOOLS_SIGMA = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])

_rng = np.random.default_rng(5)
GROUPS = 6
GROUP = np.sort(_rng.integers(0, GROUPS, 40))
X = _rng.normal(size=(40, 2))
Y = X @ [1.0, -0.5] + _rng.normal(size=GROUPS)[GROUP] + 0.7 * _rng.normal(size=40)
PAIRS = _rng.normal(size=(20, 3))
COUNTS = _rng.poisson(3.0, 30)
KINDS = _rng.integers(0, 3, 30)
