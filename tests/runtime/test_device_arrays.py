"""A program's arrays are moved to the device once, if they are small and nobody can change them."""

import numpy as np
import pytest

from exmc_actors.runtime import device_arrays
from exmc_actors.runtime.device_arrays import DeviceArrays
from exmc_actors.runtime.pace import CALL_SECONDS


def constants(*values):
    arrays = tuple(np.array(one, dtype=float) for one in values)
    for array in arrays:
        array.flags.writeable = False
    return arrays


@pytest.fixture
def arrays():
    return DeviceArrays(None)


def test_arrays_that_are_there_are_not_moved_again(arrays):
    given = constants([1.0, 2.0], 3.0)
    moved = arrays.put(given)
    assert arrays.put(given) is moved
    assert [one.tolist() for one in moved] == [[1.0, 2.0], 3.0]
    assert all(one.dtype == np.float64 for one in moved)


def test_those_of_another_program_take_their_place(arrays):
    one, other = constants([1.0]), constants([2.0])
    first = arrays.put(one)
    assert arrays.put(other)[0].tolist() == [2.0]
    assert arrays.put(one) is not first
    assert arrays.put(one)[0].tolist() == [1.0]


def of_a_view():
    base = np.zeros(3)
    view = base[:]
    view.flags.writeable = False
    return base, (view,)


def of_its_own():
    base = np.zeros(3)
    return base, (base,)


@pytest.mark.parametrize("make", [of_a_view, of_its_own])
def test_what_may_change_is_moved_every_time(arrays, make):
    base, given = make()
    arrays.put(given)
    base[:] = 7.0
    assert arrays.put(given)[0].tolist() == [7.0] * 3


def test_large_arrays_do_not_stay(arrays, monkeypatch):
    given = constants(np.zeros(100))
    monkeypatch.setattr(device_arrays, "_MOST_KEPT", 800)
    assert arrays.put(given) is arrays.put(given)
    monkeypatch.setattr(device_arrays, "_MOST_KEPT", 799)
    others = constants(np.zeros(100))
    assert arrays.put(others) is not arrays.put(others)


def test_moving_is_expected_to_take_a_call_and_time_by_the_byte(arrays):
    assert arrays.seconds_to_put(()) == CALL_SECONDS
    assert arrays.seconds_to_put(constants(np.zeros(10**6))) == pytest.approx(CALL_SECONDS + 8e-3)
