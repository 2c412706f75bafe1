"""Grids over a support on which an integral is a sum: finely spaced where a change of variables is smooth."""

import numpy as np
from scipy.integrate import simpson

from exmc_actors.model.supports import AtLeast, AtMost, Interval, Real, UnitInterval

HALF = 20000


def line_of(distribution):
    """Return points all over the support, and their slope in a variable that is evenly spaced.

    The middle point is where the density of a location family may have a corner.
    """
    t = np.linspace(-1.0, 1.0, 2 * HALF + 1)
    support = distribution.support
    match support:
        case Real():
            _, *scale = distribution.parameters.values()
            place = distribution.parameters["mu"]
            return place + scale[-1] * np.sinh(35 * t), 35 * scale[-1] * np.cosh(35 * t)
        case UnitInterval():
            return _logistic(0.0, 1.0, 40 * t, 40)
        case Interval():
            return _logistic(support.low, support.high, 40 * t, 40)
        case AtMost():
            return support.high - np.exp(-80 * t), 80 * np.exp(-80 * t)
    low = support.low if isinstance(support, AtLeast) else 0.0
    return low + np.exp(80 * t), 80 * np.exp(80 * t)


def _logistic(low, high, z, speed):
    share = 1 / (1 + np.exp(-z))
    return low + (high - low) * share, speed * (high - low) * share / (1 + np.exp(z))


def integral(values):
    """Return the integral over the evenly spaced variable."""
    halves = np.split(values, [HALF])
    return sum(simpson(half, dx=1.0 / HALF) for half in (values[: HALF + 1], halves[1]))


def distribution_function(x, density, points):
    """Return the share of the mass below each point, by the trapezoidal rule."""
    steps = 0.5 * (density[1:] + density[:-1])
    mass = np.concatenate([[0.0], np.cumsum(steps)])
    return np.interp(points, x, mass / mass[-1])
