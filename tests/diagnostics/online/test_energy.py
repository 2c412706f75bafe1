"""E-BFMI is that of all energies of a chain, however they come."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.diagnostics.checks import e_bfmi
from exmc_actors.diagnostics.online.energy import Energy

ENERGIES = 1e4 + np.random.default_rng(1).normal(size=300).cumsum()


@given(st.lists(st.integers(1, 299), max_size=9, unique=True))
def test_it_is_the_offline_value_for_any_cut(cuts):
    energy = Energy()
    for begin, end in pairwise([0, *sorted(cuts), 300]):
        energy.add(ENERGIES[begin:end])
    np.testing.assert_allclose(energy.e_bfmi(), e_bfmi(ENERGIES[np.newaxis])[0], rtol=1e-9)


def test_it_is_unknown_of_less_than_two_energies_and_of_equal_ones():
    energy = Energy()
    assert np.isnan(energy.e_bfmi())
    energy.add(np.array([1.0]))
    assert np.isnan(energy.e_bfmi())
    energy.add(np.array([1.0, 1.0]))
    assert np.isnan(energy.e_bfmi())
