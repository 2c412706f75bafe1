"""Sample with this library: ``ex.sample`` on a program that was compiled once.

Everything but draws, chains and cores is left at its default.  Warmup is not part of the result by default,
so that gradients are counted in a second run of the same seed, which has the same draws.
"""

import numpy as np

import exmc_actors as ex
from peers import CHAINS, CORES, Sample

DISTRIBUTIONS = ("exmc-actors", "jax", "jaxlib", "numpy")


class Peer:
    """A problem, compiled by this library."""

    def __init__(self, problem):
        self._program = ex.compile(problem.ours())
        self.layout = {place.name: place.shape for place in self._program.layout.places}

    def log_density(self, point):
        """Return the log density at unconstrained values."""
        return self._program.log_density(np.concatenate([np.ravel(point[name]) for name in self.layout]))

    def sample(self, draws, seed):
        """Make the whole call."""
        tree = self._call(draws, seed)
        return Sample(
            values={name: one.values for name, one in tree.posterior.items()},
            diverging=float(tree.sample_stats["diverging"].mean()),
            gradients=lambda: self._gradients(draws, seed),
            result=tree,
        )

    def summary(self, sample):
        """Return the table of means, spreads and diagnostics."""
        return str(ex.summary(sample.result))

    def _call(self, draws, seed, **kept):
        return ex.sample(
            self._program,
            draws=draws,
            chains=CHAINS,
            cores=CORES,
            random_seed=seed,
            progressbar=False,
            **kept,
        )

    def _gradients(self, draws, seed):
        tree = self._call(draws, seed, save_warmup=True)
        return int(sum(tree[group]["n_steps"].sum() for group in ("sample_stats", "warmup_sample_stats")))
