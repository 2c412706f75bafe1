"""Sample with BlackJAX: its window adaptation, 1,000 transitions by default, and then its NUTS.

The log density is that of the NumPyro model, in double precision, as BlackJAX's documentation has it.  Each
chain runs on a host device of its own, by ``pmap``, which its documentation advises on a CPU: under ``vmap``
chains wait for the longest tree of all.  Starts are uniform between -2 and 2 on the unconstrained scale;
BlackJAX has none of its own.  One compiled function holds warmup and sampling, and later calls use it again.
"""

import functools

import blackjax
import jax
import numpy as np
import numpyro
from arviz_stats.base.array import array_stats
from numpyro.infer.util import constrain_fn, potential_energy

from peers import CHAINS, Sample
from peers.numpyro import free_variables

DISTRIBUTIONS = ("blackjax", "numpyro", "jax", "jaxlib", "numpy")


class Peer:
    """A problem as a log density for BlackJAX."""

    def __init__(self, problem):
        model = problem.numpyro()
        self._free = free_variables(model)
        self._density = jax.jit(lambda point: -potential_energy(model, (), {}, point))
        values = functools.partial(constrain_fn, model, (), {})
        self._start = _start_of(self._free)
        self._values = jax.jit(jax.vmap(jax.vmap(values)))
        self._compiled = {}

    @property
    def layout(self):
        """The shapes of the free variables."""
        return {name: np.shape(site["value"]) for name, site in self._free.items()}

    def log_density(self, point):
        """Return the log density at unconstrained values."""
        return float(self._density(point))

    def sample(self, draws, seed):
        """Make the whole call."""
        if draws not in self._compiled:
            self._compiled[draws] = jax.pmap(functools.partial(self._chain, draws))
        start_key, key = jax.random.split(jax.random.PRNGKey(seed))
        starts = jax.vmap(self._start)(jax.random.split(start_key, CHAINS))
        positions, diverging, steps, warmup_steps = self._compiled[draws](
            jax.random.split(key, CHAINS), starts
        )
        values = {name: np.asarray(array) for name, array in self._values(positions).items()}
        return Sample(
            values=values,
            diverging=float(np.mean(diverging)),
            gradients=lambda: int(np.sum(steps) + np.sum(warmup_steps)),
            result=values,
        )

    def summary(self, sample):
        """Return what ArviZ's tables hold; BlackJAX has none."""
        return "\n".join(
            f"{name} {x.mean():.3f} {x.std():.3f} {array_stats.ess(x):.0f} {array_stats.rhat(x):.3f}"
            for label, array in sample.values.items()
            for name, x in _numbers(label, array)
        )

    def _chain(self, draws, key, start):
        warmup_key, key = jax.random.split(key)
        warmup = blackjax.window_adaptation(blackjax.nuts, self._density)
        (state, parameters), before = warmup.run(warmup_key, start)
        kernel = blackjax.nuts(self._density, **parameters)

        def step(state, key):
            state, info = kernel.step(key, state)
            return state, (state.position, info.is_divergent, info.num_integration_steps)

        _, kept = jax.lax.scan(step, state, jax.random.split(key, draws))
        return (*kept, before.info.num_integration_steps)


def _start_of(free):
    shapes = {name: _free_shape(site) for name, site in free.items()}

    def start(key):
        keys = jax.random.split(key, len(shapes))
        return {
            name: jax.random.uniform(one, shape, minval=-2.0, maxval=2.0)
            for one, (name, shape) in zip(keys, shapes.items(), strict=True)
        }

    return jax.jit(start)


def _free_shape(site):
    transform = numpyro.distributions.biject_to(site["fn"].support)
    return transform.inverse_shape(np.shape(site["value"]))


def _numbers(label, array):
    flat = array.reshape(*array.shape[:2], -1)
    return [(f"{label}[{k + 1}]", flat[..., k]) for k in range(flat.shape[-1])]
