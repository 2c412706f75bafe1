"""Every lane makes the transition that the kernel makes of its chain alone, whatever the other lanes hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.kernel import Metric, Point
from exmc_actors.kernel.ensemble.algebra import displacement
from exmc_actors.kernel.growth import base_for
from exmc_actors.kernel.room import MOST_BYTES
from tests.kernel import densities, metrics
from tests.kernel.transitions import bytes_for, moved, moved_in_lanes

pytestmark = pytest.mark.usefixtures("exact")

WIDTH = 8
CASES = [
    (densities.scaled_normal, 3, 0.012),
    (densities.correlated_normal, 2, 0.25),
    (densities.funnel, 5, 0.4),
    (densities.cliff, 2, 0.3),
    # In some lanes trajectories double from two leaves, in some from three.
    (densities.standard_normal, 3, 0.5),
    (densities.cliff, 2, 0.8),
]
COUNTS = ("tree_depth", "n_steps", "diverging", "reached_max_treedepth")


def stacked(trees):
    """Return the trees of several lanes as one, with the lanes on the last axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves, axis=-1), *trees)


def in_lanes(density):
    return jax.vmap(jax.value_and_grad(density), in_axes=-1, out_axes=-1)


def compiled(density, max_depth, most_bytes=MOST_BYTES):
    """Return the transition of one chain, and that of a lane each, as functions of the same arguments."""

    def alone(q, key, index, step_size, metric):
        value_and_grad = jax.value_and_grad(density)
        start = Point(q, *value_and_grad(q))
        return moved(value_and_grad, start, key, index, step_size, metric, max_depth, most_bytes=most_bytes)

    def together(q, key, index, step_size, metric, used):
        start = Point(q, *in_lanes(density)(q))
        return moved_in_lanes(
            in_lanes(density),
            start,
            key,
            index,
            step_size,
            metric,
            used,
            max_depth,
            most_bytes=8 * most_bytes,
        )

    return jax.jit(alone), jax.jit(together)


def chains_of(dim, step_size):
    """Return what eight lanes hold: other keys, indices, step sizes, and metrics of other ranks."""
    chance = np.random.default_rng(5)
    scale = np.sqrt(np.linspace(0.5, 1.5, dim))
    ranks = [0, min(dim, 2), 0, 1, min(dim, 2), 0, 1, 0]
    return [
        (
            0.1 + 0.05 * chance.normal(size=dim),
            np.array([7, lane], np.uint32),
            np.int64(100 * lane),
            step_size * chance.uniform(0.7, 1.4),
            padded(metrics.with_directions(scale * chance.uniform(0.8, 1.2), rank, seed=lane)),
        )
        for lane, rank in enumerate(ranks)
    ]


def padded(metric, capacity=8):
    missing = capacity - len(metric.stretch)
    return metric._replace(
        directions=np.pad(metric.directions, ((0, missing), (0, 0))),
        stretch=np.pad(metric.stretch, (0, missing)),
    )


@pytest.mark.slow
@pytest.mark.parametrize("leaves", [64, 4, 2])
@pytest.mark.parametrize(("density", "dim", "step_size"), CASES)
def test_a_lane_makes_the_decisions_of_the_chain_alone_and_comes_to_the_same_place(
    density, dim, step_size, leaves
):
    max_depth = 6
    alone, together = compiled(density, max_depth, bytes_for(leaves, dim))
    seen = {name: set() for name in COUNTS}
    for turn in range(12):
        chains = [(*chain[:2], chain[2] + turn, *chain[3:]) for chain in chains_of(dim, step_size)]
        points, reports = together(*stacked(chains), np.ones(WIDTH, bool))
        for lane, chain in enumerate(chains):
            point, report = alone(*chain)
            np.testing.assert_allclose(points.position[:, lane], point.position, rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(points.gradient[:, lane], point.gradient, rtol=1e-7, atol=1e-8)
            for name in ("energy", "acceptance_rate", "symmetric_acceptance_rate", "max_energy_error"):
                ours, theirs = getattr(reports, name)[lane], getattr(report, name)
                np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)
            for name in COUNTS:
                assert getattr(reports, name)[lane] == getattr(report, name), (turn, lane, name)
                seen[name].add(int(getattr(report, name)))
    assert len(seen["tree_depth"]) > 1
    if density is densities.standard_normal:
        sizes = np.array([chain[3] for chain in chains_of(dim, step_size)])
        assert set(np.asarray(base_for(sizes, 6))) == {2, 3}
    if density is densities.cliff:
        assert seen["diverging"] == {0, 1}
    if density is densities.scaled_normal:
        assert seen["reached_max_treedepth"] == {0, 1}


def bits(tree, lane):
    return [np.asarray(leaf)[..., lane].tobytes() for leaf in jax.tree.leaves(tree)]


@pytest.mark.slow
@pytest.mark.parametrize("density", [densities.funnel, densities.cliff])
def test_no_bit_of_a_lane_depends_on_what_the_others_hold(density):
    dim = 5
    _, together = compiled(density, 6)
    chains = chains_of(dim, 0.3)
    everyone = np.ones(WIDTH, bool)
    whole = together(*stacked(chains), everyone)

    order = [3, 7, 0, 5, 1, 6, 2, 4]
    turned = together(*stacked([chains[lane] for lane in order]), everyone)
    assert [bits(turned, place) for place in range(WIDTH)] == [bits(whole, lane) for lane in order]

    for lane in range(WIDTH):
        only = np.arange(WIDTH) == lane
        nothing = jax.tree.map(np.zeros_like, stacked(chains))
        alone = jax.tree.map(lambda a, b, only=only: np.where(only, a, b), stacked(chains), nothing)
        assert bits(together(*alone, only), lane) == bits(whole, lane)


@pytest.mark.slow
def test_what_is_not_finite_stays_in_its_lane():
    _, together = compiled(densities.standard_normal, 6)
    chains = chains_of(3, 0.5)
    whole = together(*stacked(chains), np.ones(WIDTH, bool))
    for poison in (np.nan, np.inf):
        broken = [
            (q * poison, key, index, step, Metric(metric.scale * poison, *metric[1:])) if lane % 2 else chain
            for lane, chain in enumerate(chains)
            for q, key, index, step, metric in [chain]
        ]
        points, reports = together(*stacked(broken), np.ones(WIDTH, bool))
        for lane in range(0, WIDTH, 2):
            assert bits((points, reports), lane) == bits(whole, lane)
        assert reports.diverging[1::2].all()


@pytest.mark.slow
def test_idle_lanes_are_not_waited_for():
    """Of two lanes, the one with small steps needs the deep tree; unused, it makes nobody go deep."""
    _, together = compiled(densities.standard_normal, 8)
    chains = chains_of(3, 0.9)
    slow = [(*chain[:3], 1e-3, chain[4]) if lane == 1 else chain for lane, chain in enumerate(chains)]
    used = np.arange(WIDTH) != 1
    _, reports = together(*stacked(slow), used)
    assert reports.n_steps[1] == 0
    assert reports.tree_depth[1] == 0
    assert min(np.asarray(reports.n_steps)[used]) > 0
    _, reports = together(*stacked(slow), np.ones(WIDTH, bool))
    assert reports.n_steps[1] == 255


@pytest.mark.slow
def test_draws_in_lanes_have_the_moments_of_the_normal_they_came_from():
    """Four standard errors of 8 lanes of 20,000 draws, from batch means: two per cent of the sd are seen."""
    draws = 20_000

    def run(point, step_sizes, metric):
        def step(point, index):
            keys = jnp.stack([jnp.full(WIDTH, 3), jnp.arange(WIDTH)]).astype(jnp.uint32)
            point, _ = moved_in_lanes(
                in_lanes(densities.correlated_normal),
                point,
                keys,
                jnp.full(WIDTH, index),
                step_sizes,
                metric,
                jnp.ones(WIDTH, bool),
                10,
            )
            return point, point.position

        return jax.lax.scan(step, point, jnp.arange(draws))[1]

    q = np.zeros((2, WIDTH))
    start = Point(q, *in_lanes(densities.correlated_normal)(q))
    metric = stacked([padded(metrics.with_directions([0.3, 0.3], rank), 4) for rank in (0, 2) * 4])
    made = np.asarray(jax.jit(run)(start, np.linspace(0.6, 1.2, WIDTH), metric))
    x, y = np.moveaxis(made, 1, 0)
    for values, truth in ((x, 0.0), (y, 0.0), (x**2, 1.0), (y**2, 1.0), (x**4, 3.0), (x * y, 0.9)):
        means = values.reshape(100, -1, WIDTH).mean(axis=1).ravel()
        error = means.std(ddof=1) / np.sqrt(means.size)
        assert abs(means.mean() - truth) < 4 * error, (means.mean(), truth, error)
        assert error < (0.1 if truth == 3.0 else 0.012)


def test_where_four_rows_are_all_there_is_they_are_multiplied_only_if_a_lane_uses_one():
    """XLA takes what does not change out of a loop, and computes it even if the loop makes no round."""

    def steps(metric, x, count):
        return jax.lax.fori_loop(0, count, lambda _, x: displacement(metric, x), x)

    metric = stacked([metrics.with_directions([1.0, 2.0, 0.5], 1)] * WIDTH)
    text = jax.jit(steps).lower(metric, np.ones((3, WIDTH)), np.int64(5)).compile().as_text()
    assert " conditional(" in text
