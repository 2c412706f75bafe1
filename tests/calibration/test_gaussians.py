"""Exact moments of normals that are hard to walk in: ill-conditioned, on many scales, in correlated blocks.

Chains start with the defaults and nothing else.  Each mean and each product of two coordinates is compared
with its exact value, in units of its Monte Carlo error, which is ArviZ's.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from arviz_stats.base.array import array_stats

import exmc_actors as ex

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::exmc_actors.SamplingWarning")]

ERRORS = 5.0
FEWEST_EFFECTIVE = 1000
"""With fewer, a deviation that matters might not be seen."""


def rotated(spectrum, seed):
    rotation = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(spectrum),) * 2))[0]
    return rotation * spectrum @ rotation.T


def in_blocks(blocks, size, correlation):
    one = np.full((size, size), correlation) + (1.0 - correlation) * np.eye(size)
    return np.kron(np.eye(blocks), one)


CASES = {
    "condition 1e2": rotated(np.geomspace(0.1, 10.0, 10), 1),
    "condition 1e4": rotated(np.geomspace(0.01, 100.0, 10), 2),
    "condition 1e6": rotated(np.geomspace(1e-3, 1e3, 10), 3),
    "scales from 1e-5 to 1e5": np.diag(np.geomspace(1e-5, 1e5, 20) ** 2),
    "correlated blocks": in_blocks(4, 5, 0.95),
    "a chain of neighbours": 0.95 ** np.abs(np.subtract.outer(np.arange(30), np.arange(30))),
}


@pytest.mark.parametrize("name", CASES)
def test_moments_are_exact_within_their_error(name, measured):
    """382 comparisons at five standard errors: a right sampler fails with one seed in 4,500."""
    covariance = CASES[name]
    dim = len(covariance)
    # Whitened by exact factors, so that the log density itself loses nothing to the condition number.
    values, vectors = np.linalg.eigh(covariance)
    whiten = vectors / np.sqrt(values)
    target = ex.LogDensity(lambda q: -0.5 * jnp.sum(jnp.square(q @ whiten)), np.zeros(dim))
    tree = ex.sample(target, draws=2500, random_seed=20, progressbar=False)
    (q,) = (variable.values for variable in tree.posterior.data_vars.values())
    pairs = [(i, j) for i in range(dim) for j in range(i, min(i + 3, dim))]
    seen = [q[..., i] for i in range(dim)] + [q[..., i] * q[..., j] for i, j in pairs]
    wanted = [0.0] * dim + [covariance[i, j] for i, j in pairs]
    deviations, effective = [], []
    for draws, exact in zip(seen, wanted, strict=True):
        error = float(array_stats.mcse(draws, chain_axis=0, draw_axis=1, method="mean"))
        effective.append(float(array_stats.ess(draws, chain_axis=0, draw_axis=1, method="mean")))
        deviations.append(abs(draws.mean() - exact) / error)
    measured(f"largest of {len(deviations)} deviations, in standard errors", max(deviations), f"< {ERRORS:g}")
    measured("fewest effective draws", min(effective), f"at least {FEWEST_EFFECTIVE:,}")
    if min(effective) < FEWEST_EFFECTIVE:
        pytest.fail(f"INCONCLUSIVE: only {min(effective):.0f} effective draws")
    assert max(deviations) < ERRORS
