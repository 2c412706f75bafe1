"""Find a step size of the right order of magnitude; fine tuning belongs to warmup."""

import jax.numpy as jnp
from jax import Array, lax

from exmc_actors.kernel.hamiltonian import DensityAndGradient, Point, energy, leapfrog, phase_point
from exmc_actors.kernel.metric import Metric

FIRST_STEP_SIZE = 0.1
_MAX_TRIES = 60


def reasonable_step_size(
    density_and_gradient: DensityAndGradient,
    start: Point,
    momentum: Array,
    metric: Metric,
    target_accept: Array,
) -> Array:
    """Double or halve a step size until the acceptance of one step crosses the target.

    References:
      Hoffman and Gelman (2014), algorithm 4.
    """
    initial_energy = energy(start.log_density, momentum)
    here = phase_point(start, momentum, metric)

    def is_accepted(step_size: Array) -> Array:
        end, point = leapfrog(density_and_gradient, start.position, here, step_size, metric)
        error = energy(point.log_density, end.momentum) - initial_energy
        return -error > jnp.log(target_accept)  # a NaN is not

    def goes_on(carry: tuple[Array, Array, Array, Array]) -> Array:
        tries, _, grows, accepted = carry
        return (tries < _MAX_TRIES) & (grows == accepted)

    def try_next(carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        tries, step_size, grows, _ = carry
        step_size = step_size * jnp.where(grows, 2.0, 0.5)
        return tries + 1, step_size, grows, is_accepted(step_size)

    first = jnp.asarray(FIRST_STEP_SIZE)
    grows = is_accepted(first)
    _, step_size, _, _ = lax.while_loop(goes_on, try_next, (jnp.zeros((), jnp.int64), first, grows, grows))
    return step_size
