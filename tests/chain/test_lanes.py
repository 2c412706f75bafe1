"""Chains in lanes of one call are those that they are alone, whatever lies in the lanes beside them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.chain import Columns, Lanes, Sampler, ToAdvance, ToStart, WarmupSettings, chain_key
from exmc_actors.chain.lanes import MOST_LANES
from tests.kernel import densities

pytestmark = pytest.mark.usefixtures("exact")

DIM = 3
COLUMNS = Columns(DIM, DIM)
WARMUP = WarmupSettings(30, 12, 0.8)


@pytest.fixture(scope="module")
def lanes():
    sampler = Sampler(lambda q, _: densities.standard_normal(q), lambda q, _: jnp.exp(q), max_treedepth=6)
    return Lanes(sampler, DIM)


def started(lanes, *chains):
    asked = [ToStart(chain_key(1, chain), np.zeros(DIM), 2.0, 0.8) for chain in chains]
    results = jax.jit(lanes.start)(lanes.ask_to_start(asked), np.int64(len(asked)), ())
    return lanes.started(np.asarray(results), len(asked))


def advanced(lanes, *blocks):
    """Return the states and the rows of blocks, each a state and how many transitions it makes."""
    rows, asked = np.full((100, len(COLUMNS)), np.nan), []
    for state, transitions in blocks:
        first = sum(one.transitions for one in asked)
        asked.append(ToAdvance(state, transitions, first, WARMUP, 0.1))
    results, rows = jax.jit(lanes.advance)(lanes.ask_to_advance(asked), np.int64(len(asked)), rows, ())
    made = [np.asarray(rows)[one.first_row : one.first_row + one.transitions] for one in asked]
    return lanes.advanced(np.asarray(results), asked), made, np.asarray(rows)


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


@pytest.mark.slow
def test_a_chain_starts_in_any_lane_as_it_does_alone(lanes):
    alone = [started(lanes, chain)[0] for chain in (0, 1, 2)]
    assert [bits(one) for one in started(lanes, 2, 0, 1)] == [bits(alone[chain]) for chain in (2, 0, 1)]


def test_a_chain_advances_in_any_lane_as_it_does_alone(lanes):
    states = [one.state for one in started(lanes, 0, 1, 2)]
    blocks = list(zip(states, (7, 40, 1), strict=True))
    together, rows, whole = advanced(lanes, *blocks)
    for number, block in enumerate(blocks):
        (alone,), (made,), _ = advanced(lanes, block)
        assert bits(together[number]) == bits(alone)
        assert rows[number].tobytes() == made.tobytes()
    assert np.isnan(whole[48:]).all()


def test_a_state_keeps_the_metric_that_it_came_with(lanes):
    (start,) = started(lanes, 0)
    (state,), _, _ = advanced(lanes, (start.state, 5))
    assert state.metric is start.state.metric


def test_there_are_fewer_lanes_for_large_states():
    sampler = Sampler(None, None, max_treedepth=6)
    assert [Lanes(sampler, dim).count for dim in (1, 20, 1000)] == [MOST_LANES, MOST_LANES, 1]
