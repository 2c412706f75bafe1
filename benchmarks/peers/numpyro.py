"""Sample with NumPyro's NUTS: a host device for each chain, chains in parallel, double precision.

``chain_method="parallel"`` compiles again in every run, which would be most of its time.  So chains run as
the documentation of ``MCMC`` has it for many devices: one ``pmap`` over a function that samples a chain,
compiled once.  NumPyro has no default for the length of warmup; its documentation's 1,000 is used.  Its
result holds no warmup, so that the gradients of warmup are counted in a second one of the same seed.
"""

import contextlib
import functools
import io

import jax
import numpy as np
import numpyro
from numpyro.diagnostics import print_summary
from numpyro.infer import MCMC, NUTS, init_to_uniform
from numpyro.infer.util import potential_energy

from peers import CHAINS, Sample

DISTRIBUTIONS = ("numpyro", "jax", "jaxlib", "numpy")
WARMUP = 1000


class Peer:
    """A problem as a NumPyro model."""

    def __init__(self, problem):
        self._model = problem.numpyro()
        self._density = jax.jit(lambda point: -potential_energy(self._model, (), {}, point))
        self._compiled = {}

    @functools.cached_property
    def layout(self):
        """The shapes of the free variables."""
        return {name: np.shape(site["value"]) for name, site in free_variables(self._model).items()}

    def log_density(self, point):
        """Return the log density at unconstrained values."""
        return float(self._density(point))

    def sample(self, draws, seed):
        """Make the whole call."""
        if draws not in self._compiled:
            self._compiled[draws] = jax.pmap(functools.partial(self._chain, draws))
        keys = jax.random.split(jax.random.PRNGKey(seed), CHAINS)
        found, fields = self._compiled[draws](keys)
        values = {name: np.asarray(array) for name, array in found.items()}
        return Sample(
            values=values,
            diverging=float(np.mean(fields["diverging"])),
            gradients=lambda: int(np.sum(fields["num_steps"])) + self._gradients_of_warmup(keys),
            result=values,
        )

    def summary(self, sample):
        """Return NumPyro's table."""
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            print_summary(sample.result)
        return text.getvalue()

    def _chain(self, draws, key):
        mcmc = self._sampler(draws)
        mcmc.run(key, extra_fields=("diverging", "num_steps"))
        return mcmc.get_samples(), mcmc.get_extra_fields()

    def _warmup(self, key):
        mcmc = self._sampler(1)
        mcmc.warmup(key, extra_fields=("num_steps",), collect_warmup=True)
        return mcmc.get_extra_fields()["num_steps"]

    def _sampler(self, draws):
        return MCMC(NUTS(self._model), num_warmup=WARMUP, num_samples=draws, progress_bar=False)

    def _gradients_of_warmup(self, keys):
        if "warmup" not in self._compiled:
            self._compiled["warmup"] = jax.pmap(self._warmup)
        return int(np.sum(self._compiled["warmup"](keys)))


def free_variables(model):
    """Return a model's free variables by name, as sites of a trace; flat priors have values too."""
    started = numpyro.handlers.substitute(numpyro.handlers.seed(model, 0), substitute_fn=init_to_uniform)
    sites = numpyro.handlers.trace(started).get_trace()
    return {
        name: site for name, site in sites.items() if site["type"] == "sample" and not site["is_observed"]
    }
