import numpy as np

from exmc_actors.runtime.spare_rows import SpareRows


def test_rows_of_another_program_are_not_taken():
    spare = SpareRows(3)
    a, b, rows = object(), object(), np.zeros(3)
    spare.give(a, rows)
    assert spare.take(b) is None
    assert spare.take(a) is rows
    assert spare.take(a) is None


def test_large_rows_are_not_kept():
    spare, a = SpareRows(3), object()
    spare.give(a, np.zeros(4))
    assert spare.take(a) is None
