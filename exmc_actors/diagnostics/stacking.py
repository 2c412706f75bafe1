"""Find the mixture of predictive distributions that predicts best: weights, and nothing else."""

import math

import numpy as np

_LAST_BARRIER = 1e-9
_MOST_STEPS = 100


def stacking_weights(elpd_i: np.ndarray) -> np.ndarray:
    """Return the weights, not negative and of sum one, that maximise the log score of the mixture.

    Newton's method on the log score with a logarithmic barrier, which is convex and self-concordant, so that
    damped steps stay inside; the score of the result is within 1e-9 a model of the best one.

    Args:
        elpd_i: log predictive densities, of shape (observation, model).

    References:
        Yao, Vehtari, Simpson & Gelman (2018), *Using stacking to average Bayesian predictive distributions*;
        Boyd & Vandenberghe (2004), *Convex optimization*, sections 9.6 and 11.3.
    """
    models = elpd_i.shape[1]
    densities = np.exp(elpd_i - elpd_i.max(axis=1, keepdims=True))
    weights: np.ndarray = np.full(models, 1.0 / models)
    barrier = 1.0
    while barrier >= _LAST_BARRIER:
        for _ in range(_MOST_STEPS):
            step, decrement = _newton_step(densities, weights, barrier)
            weights = weights + step / (1.0 + decrement)
            if decrement < 1e-6:
                break
        barrier *= 0.1
    weights /= weights.sum()
    return weights


def _newton_step(densities: np.ndarray, weights: np.ndarray, barrier: float) -> tuple[np.ndarray, float]:
    """Return the step along which the sum of the weights stays, and its length in the local norm."""
    models = len(weights)
    shares = densities / (densities @ weights)[:, np.newaxis]
    system = np.zeros((models + 1, models + 1))
    system[:models, :models] = shares.T @ shares + np.diag(barrier / weights**2)
    system[:models, models] = system[models, :models] = 1.0
    slope = shares.sum(axis=0) + barrier / weights
    step = np.linalg.solve(system, np.append(slope, 0.0))[:models]
    curvature = float(step @ system[:models, :models] @ step)
    return step, math.sqrt(max(curvature, 0.0) / barrier)
