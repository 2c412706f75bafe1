"""Sample with PyMC's own NUTS.

``pm.sample`` compiles in every call.  The time without compiling is the one that PyMC reports itself, from
the first transition to the last: what it does around them is left out, in its favour.  Warmup is kept for
its number of gradients.  Whatever BLAS PyTensor finds on the machine is used, none where it finds none.
"""

import functools
import logging
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import arviz
    import pymc as pm

from peers import CHAINS, CORES, Sample

DISTRIBUTIONS = ("pymc", "pytensor", "numpy")
logging.getLogger("pymc").setLevel(logging.ERROR)


class Peer:
    """A problem as a PyMC model."""

    def __init__(self, problem):
        self._model = problem.pymc()
        self._density = None

    @functools.cached_property
    def layout(self):
        """The shapes of the free variables."""
        return {rv.name: tuple(rv.shape.eval()) for rv in self._model.free_RVs}

    def log_density(self, point):
        """Return the log density at unconstrained values."""
        self._density = self._density or self._model.compile_logp()
        names = {rv.name: self._model.rvs_to_values[rv].name for rv in self._model.free_RVs}
        return float(self._density({names[name]: value for name, value in point.items()}))

    def sample(self, draws, seed):
        """Make the whole call."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = pm.sample(
                draws=draws,
                chains=CHAINS,
                cores=CORES,
                random_seed=seed,
                progressbar=False,
                nuts_sampler="pymc",
                discard_tuned_samples=False,
                model=self._model,
            )
        groups = (tree.sample_stats, tree.warmup_sample_stats)
        return Sample(
            values={name: one.values for name, one in tree.posterior.items()},
            diverging=float(tree.sample_stats["diverging"].mean()),
            gradients=lambda: int(sum(group["n_steps"].sum() for group in groups)),
            result=tree,
            seconds=float(tree.posterior.attrs["sampling_time"]),
        )

    def summary(self, sample):
        """Return ArviZ's table."""
        return str(arviz.summary(sample.result))
