"""A block is resumable to the bit, reports what happened, and warms up only while it should."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.chain import Columns, Sampler, WarmupSettings, advance, chain_key, start
from exmc_actors.messages import STATS
from exmc_actors.warmup import Learnt
from exmc_actors.warmup.dual_averaging import with_average
from exmc_actors.warmup.estimation import without_directions
from tests.kernel import densities

pytestmark = pytest.mark.usefixtures("exact")

DIM = 3
TUNE = 30
WARMUP = WarmupSettings(TUNE, 12, 0.8)


def log_density_at(q, arguments):
    return densities.standard_normal(q - arguments[0])


def values_at(q, arguments):
    return jnp.concatenate([q, jnp.exp(q)])


@functools.cache
def compiled():
    sampler = Sampler(log_density_at, values_at, max_treedepth=6)
    return jax.jit(functools.partial(advance, sampler)), jax.jit(functools.partial(start, log_density_at))


def first_state(chain=0):
    _, begin = compiled()
    return begin(chain_key(1, chain), ARGUMENTS, np.zeros(DIM), 2.0, 0.8).state


COLUMNS = Columns(DIM, 2 * DIM)
ROWS = np.full((64, len(COLUMNS)), np.nan)
"""What was there before must not matter."""
ARGUMENTS = (np.array([1.0, -2.0, 0.5]),)


def run(state, *sizes, jitter=0.0):
    make, _ = compiled()
    values, stats = [], []
    for size in sizes:
        block = make(state, ARGUMENTS, size, 0, WARMUP, jitter, ROWS)
        rows = np.asarray(block.rows)[:size]
        values.append(COLUMNS.values_of(rows))
        stats.append(COLUMNS.stats_of(rows))
        state = jax.tree.map(np.asarray, block.state)
    return np.concatenate(values), np.concatenate(stats), state


@pytest.mark.parametrize("sizes", [(1,) * 60, (7, 23, 30), (29, 2, 29), (59, 1)])
def test_cutting_changes_no_bit_of_draws_statistics_or_state(sizes):
    whole = run(first_state(), 60)
    cut = run(first_state(), *sizes)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(cut), strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_pairs_are_the_positions_and_their_gradients():
    state = first_state()
    block = compiled()[0](state, ARGUMENTS, 20, 0, WARMUP, 0.0, ROWS)
    rows = np.asarray(block.rows)[:20]
    positions, gradients = COLUMNS.pairs_of(rows).swapaxes(0, 1)
    np.testing.assert_allclose(positions, COLUMNS.values_of(rows)[:, :DIM], rtol=1e-14)
    np.testing.assert_allclose(gradients, ARGUMENTS[0] - positions, rtol=1e-14)


def test_a_lesson_replaces_the_metric_and_moves_the_step_size():
    state = first_state()
    metric = without_directions(np.array([1.0, 2.0, 3.0]), 4)
    taught = state.with_lesson(Learnt(metric, None))
    assert taught.metric is metric
    assert taught.step_size is state.step_size
    before, after = state.step_size, state.with_lesson(Learnt(metric, -1.5)).step_size
    assert after == with_average(before, -1.5)
    assert after.log_average == -1.5


def test_values_are_those_of_the_positions():
    values, _, _ = run(first_state(), 20)
    np.testing.assert_allclose(values[:, DIM:], np.exp(values[:, :DIM]), rtol=1e-14)


def test_adaptation_ends_with_the_warmup():
    _, stats, after_warmup = run(first_state(), TUNE)
    step_sizes = stats[:, STATS.index("step_size")]
    assert len(set(step_sizes)) == TUNE
    _, later, end = run(after_warmup, 20)
    (step_size,) = set(later[:, STATS.index("step_size")])
    # XLA's exponential and NumPy's may round differently.
    np.testing.assert_allclose(step_size, np.exp(after_warmup.step_size.log_average), rtol=3e-16)
    for a, b in zip(after_warmup[3:], end[3:], strict=True):
        assert jax.tree.all(jax.tree.map(np.array_equal, a, b))


def test_chains_of_one_run_differ_and_a_key_is_a_function_of_seed_and_chain():
    assert not np.array_equal(run(first_state(0), 5)[0], run(first_state(1), 5)[0])
    np.testing.assert_array_equal(chain_key(7, 2), chain_key(7, 2))
    assert not chain_key(7, 2).flags.writeable
    keys = {chain_key(seed, chain).tobytes() for seed in range(50) for chain in range(50)}
    assert len(keys) == 2500


def test_the_step_size_of_each_transition_is_jittered_in_warmup_and_after_and_reported():
    _, stats, _ = run(first_state(), 60, jitter=0.2)
    sampled = stats[TUNE:, STATS.index("step_size")]
    assert len(set(sampled)) == len(sampled)
    assert 1.2 < sampled.max() / sampled.min() < 1.5
    _, plain, _ = run(first_state(), 1)
    _, jittered, _ = run(first_state(), 1, jitter=0.2)
    first = (each[0, STATS.index("step_size")] for each in (plain, jittered))
    assert next(first) != next(first)


def test_statistics_describe_the_transition():
    _, stats, _ = run(first_state(), 60)
    by_name = dict(zip(STATS, stats.T, strict=True))
    assert np.all((by_name["acceptance_rate"] >= 0) & (by_name["acceptance_rate"] <= 1))
    assert np.all(by_name["n_steps"] < 2 ** by_name["tree_depth"])
    assert np.all(by_name["energy"] >= -by_name["lp"])
    assert set(by_name["diverging"]) <= {0.0, 1.0}
