"""Programs of one structure share their executables, and no more than so many programs have any."""

from collections import OrderedDict

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.runtime import executables_for, shared_executables
from tests.runtime.conftest import observe, virtual
from tests.runtime.test_executables import Counted


def test_another_structure_is_another_program():
    a, b = ex.LogDensity(Counted(), np.zeros(3)), ex.LogDensity(Counted(), np.zeros(3))
    assert executables_for(a, 10) is not executables_for(b, 10)
    assert executables_for(a, 10) is executables_for(a, 10)
    assert executables_for(a, 9) is not executables_for(a, 10)


@pytest.mark.slow
def test_one_function_with_starts_of_two_lengths_makes_two_programs():
    density = Counted()
    for dim in (2, 5):
        target = ex.LogDensity(density, np.zeros(dim))
        tree = virtual(lambda target=target: observe(model=target, draws=5, tune=5)).tree
        assert tree.posterior["x"].shape == (3, 5, dim)


def test_no_more_than_so_many_programs_are_kept_and_the_least_used_goes_first(monkeypatch):
    monkeypatch.setattr(shared_executables, "_cache", OrderedDict())
    targets = [ex.LogDensity(Counted(), np.zeros(1)) for _ in range(shared_executables._KEPT + 2)]
    first, second, *others = targets
    used, unused = executables_for(first, 10), executables_for(second, 10)
    for target in others:
        assert executables_for(first, 10) is used
        executables_for(target, 10)
    assert len(shared_executables._cache) == shared_executables._KEPT
    assert executables_for(first, 10) is used
    assert executables_for(second, 10) is not unused
    assert len(shared_executables._cache) == shared_executables._KEPT
