"""Columns that are looked at piece by piece are those that NumPy sees at once."""

import numpy as np
import pytest

from exmc_actors.runtime.piecewise import are_finite, converted

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


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("dtype", [np.bool_, np.int64])
def test_a_column_is_converted_whole(length, dtype):
    column = np.arange(2.0 * length).reshape(length, 2)[:, 1]
    made = converted(column, dtype)
    assert made.dtype == dtype
    np.testing.assert_array_equal(made, column.astype(dtype))


def test_a_column_of_the_type_itself_is_not_copied():
    column = np.zeros(1000)
    assert converted(column, np.float64) is column
