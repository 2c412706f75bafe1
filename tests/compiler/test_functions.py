"""The step offered to users against the step that chains make."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.compiler import compile
from exmc_actors.kernel import Point, hamiltonian
from tests.kernel import metrics

from .conftest import eight_schools, radon_like


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("make", [eight_schools, radon_like])
@pytest.mark.parametrize("step_size", [0.002, -0.005])
def test_a_leapfrog_step_is_that_of_the_kernel(make, step_size):
    program = compile(make())

    @jax.jit
    def kernels(position, momentum, slope, step_size, metric, arguments):
        density = jax.value_and_grad(lambda q: program.log_density_at(q, arguments))
        whitening = metrics.diagonal(jnp.sqrt(metric))
        start = Point(position, jnp.zeros(()), slope)
        here = hamiltonian.phase_point(start, momentum * whitening.scale, whitening)
        end, point = hamiltonian.leapfrog(density, position, here, step_size, whitening)
        return point.position, end.momentum / whitening.scale, point.log_density, point.gradient

    metric = np.linspace(0.5, 2.0, program.dim)
    position, momentum = np.linspace(-1.0, 1.0, program.dim), np.cos(np.arange(program.dim))
    slope = program.log_density_and_grad(position)[1]
    theirs = (position, momentum, None, slope)
    for _ in range(3):
        position, momentum, _, slope = theirs
        ours = program.leapfrog(position, momentum, slope, step_size, metric)
        theirs = kernels(position, momentum, slope, np.float64(step_size), metric, program.arguments)
        for mine, its in zip(ours, theirs, strict=True):
            assert np.isfinite(its).all()
            np.testing.assert_allclose(mine, its, rtol=1e-14, atol=1e-14 * np.max(np.abs(its)))
