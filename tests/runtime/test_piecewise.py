"""What is looked at piece by piece is what NumPy sees at once."""

import numpy as np
import pytest

from exmc_actors.runtime.piecewise import are_finite

LENGTHS = [0, 1, 499, 500, 501, 1000, 1234]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_found_wherever_it_stands(length, bad):
    column = np.zeros((length, 2))[:, 0]
    assert are_finite(column)
    for place in {0, length // 2, length - 1} if length else ():
        changed = column.copy()
        changed[place] = bad
        assert not are_finite(changed)
