"""Sample with nutpie: the PyMC model through PyTensor's numba backend, compiled once.

nutpie keeps warmup by default, and with it the number of gradients.
"""

import ctypes
import functools
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import arviz
    import nutpie

import numpy as np

from peers import CHAINS, CORES, Sample

DISTRIBUTIONS = ("nutpie", "pymc", "pytensor", "numba", "numpy")
_POINTER = ctypes.c_void_p
_DENSITY = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, _POINTER, _POINTER, _POINTER, _POINTER)


class Peer:
    """A problem, compiled by nutpie."""

    def __init__(self, problem):
        self._model = problem.pymc()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._compiled = nutpie.compile_pymc_model(self._model)

    @functools.cached_property
    def layout(self):
        """The shapes of the free variables."""
        return {rv.name: tuple(rv.shape.eval()) for rv in self._model.free_RVs}

    def log_density(self, point):
        """Return the log density at unconstrained values, as nutpie's sampler computes it."""
        density = _DENSITY(self._compiled.compiled_logp_func.address)
        x = np.concatenate([np.ravel(point[name]) for name in self.layout])
        slope, value = np.zeros(x.size), np.zeros(())
        user_data = self._compiled.user_data.ctypes.data
        density(x.size, x.ctypes.data, slope.ctypes.data, value.ctypes.data, user_data)
        return float(value)

    def sample(self, draws, seed):
        """Make the whole call."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = nutpie.sample(
                self._compiled, draws=draws, chains=CHAINS, cores=CORES, seed=seed, progress_bar=False
            )
        groups = (tree.sample_stats, tree.warmup_sample_stats)
        return Sample(
            values={name: one.values for name, one in tree.posterior.items()},
            diverging=float(tree.sample_stats["diverging"].mean()),
            gradients=lambda: int(sum(group["n_steps"].sum() for group in groups)),
            result=tree,
        )

    def summary(self, sample):
        """Return ArviZ's table."""
        return str(arviz.summary(sample.result))
