"""What goes into a vector comes out of it, to the bit, on the host and inside a program."""

import jax
import numpy as np
import pytest

from exmc_actors.chain import chain_key, empty_state
from exmc_actors.chain.packing import Packing, pack_lanes, pack_traced

pytestmark = pytest.mark.usefixtures("exact")


def a_state(dim):
    """Return a state whose numbers are hard to keep: subnormal, signed zero, infinite, of 32 bits."""
    hard = np.array([5e-324, -0.0, np.inf, 1.0 + 2.0**-52, -1e300])

    def fill(leaf):
        if leaf.dtype.kind == "f":
            return np.resize(hard, leaf.shape)
        return np.full(leaf.shape, 2**31 - 17, leaf.dtype)

    return jax.tree.map(fill, empty_state(dim))._replace(key=chain_key(3, 1))


def packed(packing, tree):
    vector = np.full(packing.size, np.nan)
    packing.pack(tree, vector)
    return vector


def assert_same_bits(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert (a.dtype, a.shape, np.asarray(a).tobytes()) == (b.dtype, b.shape, np.asarray(b).tobytes())


@pytest.mark.parametrize("dim", [0, 1, 7])
def test_a_state_comes_back_to_the_bit(dim):
    state, number = a_state(dim), np.asarray(7)
    packing = Packing((empty_state(dim), np.zeros((), np.int64)))
    assert_same_bits(packing.unpack(packed(packing, (state, number))), (state, number))


def test_a_state_goes_through_a_program_to_the_bit():
    state = a_state(7)
    packing = Packing(empty_state(7))

    @jax.jit
    def through(vector):
        return pack_traced(packing.unpack(vector))

    assert_same_bits(packing.unpack(np.asarray(through(packed(packing, state)))), state)


def test_states_in_lanes_go_through_a_program_to_the_bit():
    states = [a_state(7), a_state(7)._replace(transitions=np.asarray(3))]
    packing = Packing(empty_state(7))

    @jax.jit
    def through(rows):
        return pack_lanes(packing.unpack(rows.T), 2).T

    for row, state in zip(
        np.asarray(through(np.stack([packed(packing, one) for one in states]))), states, strict=True
    ):
        assert_same_bits(packing.unpack(row), state)


def test_floats_on_the_host_are_views():
    packing = Packing((np.zeros(3), np.zeros((), np.int64)))
    vector = np.zeros(packing.size)
    floats, count = packing.unpack(vector)
    assert np.shares_memory(floats, vector)
    assert not np.shares_memory(count, vector)
