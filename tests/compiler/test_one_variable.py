"""What chains sample against the references of the distributions: programs of one variable, term by term."""

import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.model import Identity
from tests.model.distributions.grids import PARAMETERS, reference

from .conftest import build

WHOLE_LINE = ("Normal", "Cauchy", "StudentT")
ENTRIES = 3
"""Of the variable, so that what is computed once for all entries is counted for each."""


def log_logistic_slope(z):
    return -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z)))


def log_odds(x):
    return np.log(x) - np.log1p(-x)


def unconstrained(name, parameters, x):
    """Return the points of the whole line that the compiler's choice leads to ``x``, and the log Jacobian."""
    if name in WHOLE_LINE:
        return x, np.zeros_like(x)
    if name == "Beta":
        return log_odds(x), log_logistic_slope(log_odds(x))
    if name == "Uniform":
        low, high = parameters
        z = log_odds((x - low) / (high - low))
        return z, np.log(high - low) + log_logistic_slope(z)
    return np.log(x), np.log(x)


def part_of_reference(name):
    # Seven divides no side of a grid, so that a seventh of a large one still has every parameter's values.
    return reference(name, every=7 if len(PARAMETERS[name]) > 10 else 1)


def program(name, parameters, data=None, **options):
    """Return the program of one variable ``x``; parameters are arguments, so that one name compiles once."""

    def declare(b):
        distribution = getattr(ex, name)(*map(np.array, parameters))
        if data is None:
            b.rv("x", distribution, shape=ENTRIES, **options)
        else:
            b.rv("other", ex.Flat())
            b.obs("x", distribution, np.full(ENTRIES, data))

    return compile(build(declare))


def check(program, flat, density, jacobian=0.0):
    term, whole = program.terms(flat)["x"], program.log_density(flat)
    assert term == whole
    if density == -np.inf:  # SciPy underflows in far tails
        assert term / ENTRIES - jacobian < -600
    else:
        error = 1e-10 * (abs(density) + abs(jacobian)) + 1e-13
        assert term / ENTRIES == pytest.approx(density + jacobian, rel=0, abs=error)


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_observation_adds_its_log_density(name):
    for parameters, points, wanted in part_of_reference(name):
        first = program(name, parameters, data=points[0])
        for x, density in zip(points, wanted, strict=True):
            check(first.with_data(x=np.full(ENTRIES, x)), np.zeros(1), density)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_free_variable_adds_its_log_density_and_its_jacobian(name):
    for parameters, points, wanted in part_of_reference(name):
        inside = slice(1, -1) if name == "Uniform" else slice(None)
        flat, jacobian = unconstrained(name, parameters, points[inside])
        free = program(name, parameters)
        for z, density, slope in zip(flat, wanted[inside], jacobian, strict=True):
            check(free, np.full(ENTRIES, z), density, slope)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PARAMETERS if name not in WHOLE_LINE])
def test_a_free_variable_that_is_not_transformed_adds_its_log_density(name):
    for parameters, points, wanted in part_of_reference(name):
        free = program(name, parameters, transform=Identity())
        for x, density in zip(points, wanted, strict=True):
            check(free, np.full(ENTRIES, x), density)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE_LINE)
def test_a_non_centred_variable_adds_its_log_density_and_its_jacobian(name):
    for parameters, points, wanted in part_of_reference(name):
        *_, mu, sigma = parameters
        free = program(name, parameters, centered=False)
        for x, density in zip(points, wanted, strict=True):
            check(free, np.full(ENTRIES, (x - mu) / sigma), density, np.log(sigma))
