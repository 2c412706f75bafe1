"""Log densities with known answers, for tests of the kernel and of what stands on it."""

import jax.numpy as jnp


def standard_normal(q):
    return -0.5 * jnp.dot(q, q)


def scaled_normal(q):
    z = q / jnp.array([0.01, 1.0, 30.0])
    return -0.5 * jnp.dot(z, z)


def correlated_normal(q):
    """Unit variances, correlation 0.9 between neighbours in pairs."""
    precision = jnp.array([[1.0, -0.9], [-0.9, 1.0]]) / (1.0 - 0.81)
    return -0.5 * q @ precision @ q


def banana(q):
    return -0.5 * q[0] ** 2 - 0.5 * ((q[1] - q[0] ** 2) / 0.3) ** 2


def funnel(q):
    return -0.5 * (q[0] / 3.0) ** 2 - 4.0 * 0.5 * q[0] - 0.5 * jnp.sum(q[1:] ** 2) * jnp.exp(-q[0])


def cliff(q):
    """Normal where q[0] < 1 and NaN beyond: every trajectory that crosses diverges."""
    return jnp.where(q[0] < 1.0, -0.5 * jnp.dot(q, q), jnp.nan)
