"""A chain in a lane of an ensemble goes on to the bit, and does not see the chains beside it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors.chain import Columns, Ensemble, EnsembleSampler, WarmupSettings, advance, chain_key, start
from exmc_actors.chain.block import Sampler
from exmc_actors.messages import STATS
from exmc_actors.warmup.estimation import without_directions
from tests.kernel import densities, metrics

pytestmark = pytest.mark.usefixtures("exact")

DIM, WIDTH, CAPACITY = 3, 8, 40
TUNE = 30
WARMUP = WarmupSettings(TUNE, 12, 0.8)
COLUMNS = Columns(DIM, DIM)


def log_density_at(q, _):
    """A funnel with a cliff: step sizes, trees and divergences are of all kinds."""
    return densities.funnel(q) + jnp.where(q[1] < 2.0, 0.0, jnp.nan)


def values_at(q, _):
    return jnp.exp(q)


@functools.cache
def laid_out():
    of_lanes = jax.vmap(jax.value_and_grad(lambda q: log_density_at(q, ())), in_axes=-1, out_axes=-1)
    sampler = EnsembleSampler(lambda q, _: of_lanes(q), values_at, max_treedepth=4)
    ensemble = Ensemble(sampler, DIM, WIDTH)
    return ensemble, jax.jit(ensemble.advance)


@functools.cache
def first_states(seed=1):
    begin = jax.jit(functools.partial(start, log_density_at))
    with jax.enable_x64(True):
        states = [
            jax.tree.map(np.asarray, begin(chain_key(seed, chain), (), np.zeros(DIM), 2.0, 0.8).state)
            for chain in range(WIDTH)
        ]
    # Some lanes have learnt directions and some have not; one has steps far too small, one far too large.
    learnt = metrics.with_directions(np.ones(DIM), 2)
    states[2], states[5] = states[2]._replace(metric=learnt), states[5]._replace(metric=learnt)
    for lane, log_step in ((3, -9.0), (6, 4.0)):
        step = states[lane].step_size._replace(
            log_step_size=np.float64(log_step), log_average=np.float64(log_step)
        )
        states[lane] = states[lane]._replace(step_size=step)
    return states


def advanced(states, transitions):
    """Return, by lane, the state and the rows of a block; whatever was in the rows before must not matter."""
    ensemble, compiled = laid_out()
    rows = np.full((CAPACITY, len(COLUMNS), WIDTH), np.nan)
    results, rows = compiled(*ensemble.ask(states, transitions, WARMUP, 0.0), rows, ())
    after = ensemble.advanced(np.asarray(results), states)
    assert np.isnan(np.asarray(rows)[transitions:]).all()
    return {lane: (state, np.asarray(rows)[:transitions, :, lane]) for lane, state in after.items()}


def bits(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


@functools.cache
def whole():
    return advanced(dict(enumerate(first_states())), 35)


@pytest.mark.slow
def test_the_lanes_are_of_all_kinds():
    stats = np.stack([COLUMNS.stats_of(rows) for _, rows in whole().values()])
    by_name = dict(zip(STATS, np.moveaxis(stats, -1, 0), strict=True))
    assert by_name["diverging"].any()
    assert by_name["reached_max_treedepth"].any()
    assert len(np.unique(by_name["tree_depth"])) == 4


@pytest.mark.parametrize("sizes", [(1,) * 35, (29, 2, 4), (34, 1)])
def test_cutting_changes_no_bit(sizes):
    states, rows = dict(enumerate(first_states())), {lane: [] for lane in range(WIDTH)}
    for size in sizes:
        made = advanced(states, size)
        states = {lane: state for lane, (state, _) in made.items()}
        for lane, (_, block) in made.items():
            rows[lane].append(block)
    for lane, (state, block) in whole().items():
        assert bits(states[lane]) == bits(state)
        assert np.concatenate(rows[lane]).tobytes() == block.tobytes()


@pytest.mark.slow
@settings(max_examples=30)
@given(order=st.permutations(range(WIDTH)), held=st.integers(0, WIDTH), others=st.integers(0, 3))
def test_a_chain_draws_the_same_bits_whatever_the_lanes_beside_it_hold(order, held, others):
    """Some of the chains, in any lanes; in the others chains of another seed, or nothing."""
    states = {lane: first_states()[chain] for lane, chain in enumerate(order) if lane < held}
    if others:
        states |= {lane: first_states(10 + others)[lane] for lane in range(held, WIDTH)}
    if not states:
        return
    made = advanced(states, 35)
    for lane in range(held):
        assert bits(made[lane]) == bits(whole()[order[lane]])


def test_a_lane_draws_what_the_chain_draws_alone_as_long_as_rounding_allows():
    alone = jax.jit(functools.partial(advance, Sampler(log_density_at, values_at, max_treedepth=4)))
    rows = np.zeros((CAPACITY, len(COLUMNS)))
    for lane, (_, block) in whole().items():
        expected = np.asarray(alone(first_states()[lane], (), 8, 0, WARMUP, 0.0, rows).rows)[:8]
        np.testing.assert_allclose(block[:4], expected[:4], rtol=1e-7, atol=1e-8)
        np.testing.assert_array_equal(
            *(COLUMNS.stats_of(part)[:4, STATS.index("n_steps")] for part in (block, expected))
        )


def test_chains_at_different_places_share_a_call():
    """One lane is in its warmup while another samples: each adapts as it does alone."""
    (behind, _), (ahead, _) = advanced({0: first_states()[0]}, 20)[0], advanced({1: first_states()[1]}, 34)[1]
    together = advanced({0: behind, 1: ahead}, 15)
    assert bits(together[0]) == bits(advanced({0: behind}, 15)[0])
    assert bits(together[1]) == bits(advanced({1: ahead}, 15)[1])
    step_sizes = [COLUMNS.stats_of(together[lane][1])[:, STATS.index("step_size")] for lane in (0, 1)]
    assert [len(np.unique(one)) for one in step_sizes] == [11, 1]


def test_a_state_keeps_the_metric_that_it_came_with():
    before = first_states()[2]
    (state, _) = advanced({2: before}, 2)[2]
    assert state.metric is before.metric


def test_values_are_those_of_the_positions():
    for _, block in whole().values():
        positions = COLUMNS.pairs_of(block)[:, 0]
        np.testing.assert_allclose(COLUMNS.values_of(block), np.exp(positions), rtol=1e-14)


def test_no_directions_are_no_directions():
    """The rows of a metric that are not used are not read."""
    state = first_states()[0]
    diagonal = without_directions(state.metric.scale, 4)
    assert int(state.metric.rank) == 0
    assert bits(advanced({0: state._replace(metric=diagonal)}, 9)[0][1]) == bits(whole()[0][1][:9])
