"""Call nutpie's compiled gradient as its sampler does, from native code: without Python between the calls."""

import ctypes
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import numba
    import nutpie
    import pymc as pm
    import suite_pymc

import numpy as np

_POINTER = ctypes.c_void_p
_GRADIENT = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, _POINTER, _POINTER, _POINTER, _POINTER)


@numba.njit
def _leapfrogs(gradient, position, momentum, slope, value, user_data, step_size, count):
    size = np.uint64(position.size)
    for _ in range(count):
        momentum += 0.5 * step_size * slope
        position += step_size * momentum
        gradient(size, position.ctypes.data, slope.ctypes.data, value.ctypes.data, user_data)
        momentum += 0.5 * step_size * slope


class NutpieGradient:
    """One model of the suite, compiled by nutpie."""

    def __init__(self, name, data):
        with pm.Model() as model:
            getattr(suite_pymc, name)(**data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._compiled = nutpie.compile_pymc_model(model)
        self._function = _GRADIENT(self._compiled.compiled_logp_func.address)
        self.dim = self._compiled.n_dim

    def value(self, position):
        """Return the log density."""
        return self._value_and_slope(position)[0]

    def _value_and_slope(self, position):
        x, slope, value = np.array(position), np.zeros(self.dim), np.zeros(())
        self._function(
            self.dim,
            x.ctypes.data,
            slope.ctypes.data,
            value.ctypes.data,
            self._compiled.user_data.ctypes.data,
        )
        return float(value), slope

    def leapfrogs(self, position, step_size, count):
        """Take that many steps from rest."""
        x, momentum, value = np.array(position), np.zeros(self.dim), np.zeros(())
        _, slope = self._value_and_slope(x)
        user_data = self._compiled.user_data.ctypes.data
        _leapfrogs(self._function, x, momentum, slope, value, user_data, step_size, count)
        return x
