"""A function evaluated in lanes is the function of each lane, and nothing in it stops a loop from folding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import exmc_actors as ex
from exmc_actors.compiler import in_lanes, take_rows
from exmc_actors.xla import compiler_options, is_folded

pytestmark = pytest.mark.usefixtures("exact")

N, WIDTH = 12, 8
CHANCE = np.random.default_rng(3)
LANES = CHANCE.normal(size=(N, WIDTH))
MATRIX, TALL, CUBE = CHANCE.normal(size=(9, N)), CHANCE.normal(size=(130, N)), CHANCE.normal(size=(2, 3, N))
POSITIONS = np.array([3, 0, 3, 11], np.int32)


def scanned(q):
    def step(carry, row):
        total, count = carry
        total = 0.5 * total + row
        return (total, count + 1), total * (count + 1)

    (total, _), made = lax.scan(step, (0.0, 0.0), q)
    return total + made


def fixed_rows_scanned(q):
    return lax.scan(
        lambda total, row: (total + row[0] * q, row[1]), q, jnp.arange(6.0).reshape(3, 2), reverse=True
    )


def updated_in_place(q):
    return lax.fori_loop(0, 5, lambda i, x: lax.dynamic_update_index_in_dim(x, x[i] + x[i + 1], i, 0), q)


def until_small(q):
    """Goes on for as long as the lane says."""
    return lax.while_loop(lambda x: jnp.sum(x * x) > 1e-3, lambda x: 0.5 * x, q)


def for_so_long(q):
    return lax.while_loop(lambda c: c[0] < 4, lambda c: (c[0] + 1, jnp.sin(c[1])), (0, q))[1]


FUNCTIONS = {
    "entries": lambda q: jnp.where(q > 0, jnp.exp(-q), lax.lgamma(q**2 + 1.0)) / (2.0 + jnp.tanh(q)),
    "a number beside a vector": lambda q: q[3] * q + jnp.maximum(q[0], 0.0),
    "sums": lambda q: jnp.sum(q.reshape(3, 4), axis=1) + jnp.max(q) + jnp.prod(q.reshape(4, 3), axis=0)[1],
    "positions of the largest": lambda q: jnp.argmax(q),
    "running sums": lambda q: jnp.cumsum(q)[::-1],
    "slices": lambda q: jnp.concatenate([q[2:9:3], jnp.pad(q[:2], (1, 2)), jnp.ones(2)]),
    "pieces": lambda q: lax.split(q, [5, 7])[1] * 2.0,
    "turned matrices": lambda q: jnp.swapaxes(q.reshape(2, 3, 2), 0, 2)[::-1],
    "positions": lambda q: q[POSITIONS] * take_rows(q.reshape(6, 2), POSITIONS[:2]).sum(),
    "positions that differ": lambda q: jnp.asarray(MATRIX)[:, jnp.argmax(q)],
    "known matrix on the left": lambda q: MATRIX @ q,
    "known matrix on the right": lambda q: q @ MATRIX.T,
    "many rows": lambda q: TALL.T @ jnp.sin(TALL @ q),
    "known matrix and a matrix": lambda q: MATRIX[:, :4] @ q.reshape(4, 3),
    "a matrix and a known matrix": lambda q: q.reshape(3, 4) @ MATRIX[:4, :7],
    "known cube": lambda q: jnp.einsum("ijk,kl->jil", CUBE, q.reshape(12, 1)),
    "several summed axes": lambda q: jnp.einsum("ijk,jk->i", CUBE[:, :, :4], q.reshape(3, 4)),
    "known matrix without rows": lambda q: MATRIX[:0] @ q,
    "known matrix without columns": lambda q: MATRIX[:, :0] @ q[:0],
    "known vector without entries": lambda q: jnp.dot(q[:0], np.zeros(0)),
    "known cube without entries": lambda q: jnp.einsum("ijk,k->ij", CUBE[:, :0], q),
    "products in a wider type": lambda q: lax.dot(
        MATRIX.astype(np.float32), q.astype(np.float32), preferred_element_type=np.float64
    ),
    "inner products in a wider type": lambda q: lax.dot(
        q.astype(np.float32), q.astype(np.float32), preferred_element_type=np.float64
    ),
    "own matrices": lambda q: q.reshape(3, 4) @ q.reshape(4, 3),
    "own matrices in batches": lambda q: jnp.einsum(
        "bij,bjk->bik", q.reshape(2, 2, 3), jnp.sin(q).reshape(2, 3, 2)
    ),
    "inner products": lambda q: jnp.dot(q, jnp.sin(q)) + jnp.dot(q, np.arange(N)),
    "factors": lambda q: jnp.linalg.cholesky(jnp.outer(q, q) + 20.0 * jnp.eye(N)),
    "sorted": jnp.sort,
    "scan": scanned,
    "scan over what is known": fixed_rows_scanned,
    "scan of nothing": lambda q: lax.scan(lambda c, x: (c + x, x), q[0], q[:0]),
    "updates": updated_in_place,
    "loop of each lane": until_small,
    "loop of all lanes": for_so_long,
    "branch of each lane": lambda q: lax.cond(q[0] > 0, jnp.sin, jnp.cos, q),
    "branch of all lanes": lambda q: lax.cond(jnp.sum(MATRIX) > 0, jnp.sin, jnp.cos, q),
    "own derivative": lambda q: jax.nn.relu(q) + jax.nn.softplus(q),
    "nothing of the lane": lambda q: jnp.arange(3.0),
    "several results": lambda q: {"a": q[0], "b": (q > 0, jnp.zeros(()))},
}


NO_SLOPE = ("positions of the largest", "loop of each lane", "loop of all lanes", "sorted")


def with_slope(name):
    """Return the function, and with its results, where there is one, the slope of their sum."""
    function = FUNCTIONS[name]

    def total(q):
        return sum(jnp.sum(one * 1.0) for one in jax.tree.leaves(function(q)))

    return function if name in NO_SLOPE else lambda q: (function(q), jax.grad(total)(q))


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_lane_is_that_of_vmap_and_so_is_its_slope(name):
    expected = jax.jit(jax.vmap(with_slope(name), in_axes=-1, out_axes=-1))(LANES)
    found = jax.jit(lambda lanes: in_lanes(with_slope(name), lanes))(LANES)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


def test_what_is_shared_may_be_any_tree():
    found = in_lanes(lambda q, a, more: a * q + more["b"], LANES, np.arange(N), {"b": 2.0})
    np.testing.assert_allclose(found, np.arange(N)[:, None] * LANES + 2.0)


def radon_like(rows=200, groups=15):
    b = ex.Builder()
    group = CHANCE.integers(0, groups, rows)
    mu, tau = b.rv("mu", ex.Normal(0.0, 5.0)), b.rv("tau", ex.HalfNormal(1.0))
    level = b.rv("level", ex.Normal(mu, tau), shape=groups)
    b.obs("y", ex.StudentT(4.0, level[group], 1.0), CHANCE.normal(size=rows))
    return b.model()


def logistic(rows=500, columns=20):
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 1.0), shape=columns)
    b.obs("y", ex.BernoulliLogit(CHANCE.normal(size=(rows, columns)) @ beta), CHANCE.integers(0, 2, rows))
    return b.model()


@pytest.mark.parametrize("make", [radon_like, logistic])
@pytest.mark.parametrize("width", [8, pytest.param(64, marks=pytest.mark.slow)])
def test_a_gradient_in_lanes_is_that_of_each_and_folds(make, width):
    program = ex.compile(make())

    def both(q, arguments):
        return jax.value_and_grad(lambda x: program.log_density_at(x, arguments))(q)

    def loop(lanes, count, arguments):
        def walk(_, carry):
            return carry[0] + 1e-3 * carry[2], *in_lanes(both, carry[0], arguments)

        return lax.fori_loop(0, count, walk, (lanes, *in_lanes(both, lanes, arguments)))

    lanes = 0.3 * CHANCE.normal(size=(program.dim, width))
    lowered = jax.jit(loop).lower(lanes, np.int64(0), program.arguments)
    compiled = lowered.compile(compiler_options=compiler_options())
    assert is_folded(compiled.as_text())
    _, values, slopes = compiled(lanes, np.int64(0), program.arguments)
    expected = jax.jit(jax.vmap(both, in_axes=(-1, None), out_axes=-1))(lanes, program.arguments)
    np.testing.assert_allclose(values, expected[0], rtol=1e-12)
    np.testing.assert_allclose(slopes, expected[1], rtol=1e-9, atol=1e-10)
