"""Solve observed affine and matrix functions of a variable for it, and give them their density.

For ``y = m + s z`` that is the density of z at ``(y - m) / s``, less ``log |s|``; for ``y = A z`` that at
``A^-1 y``, less ``log |det A|``.  Normal, StudentT and Cauchy stay what they are, with another location and
scale, so that later passes know them.  A matrix that is known is inverted here, by NumPy, whenever a
model meets its data.
"""

from collections.abc import Callable, Mapping

import numpy as np

from exmc_actors.compiler.images import Multiplied, Scaled, Shifted
from exmc_actors.compiler.passes.report import Rewritten
from exmc_actors.compiler.passes.rows import constant
from exmc_actors.model import (
    Apply,
    Deterministic,
    Distribution,
    Expression,
    Literal,
    Measurement,
    Model,
    Observation,
    Reference,
    Site,
    Variable,
)
from exmc_actors.model.known import Known
from exmc_actors.model.measurable import Step, steps_to


def measurable_operations(model: Model) -> Rewritten:
    """Return the model with observations of distributions only, and what was solved for as deterministics."""
    variables = {site.name: site for site in model.sites if isinstance(site, Variable)}
    solved = {site.variable for site in model.sites if isinstance(site, Measurement)}
    sites: list[Site] = []
    lines = []
    for site in model.sites:
        if isinstance(site, Measurement):
            observed, value = _solved(model, site, variables[site.variable])
            sites += [observed, value]
            lines.append(f"{site.name}: solved for {value}")
        elif site.name not in solved:
            sites.append(site)
    return Rewritten(model.with_sites(tuple(sites)) if lines else model, tuple(lines))


def _solved(model: Model, site: Measurement, variable: Variable) -> tuple[Observation, Deterministic]:
    steps = steps_to(site.expression, site.variable, model.scope.shapes_within(site.expression))
    value: Expression = Reference(site.name)
    for step in steps:
        value = step.undone(value)
    distribution, known = variable.distribution, Known(model.scope.arrays)
    for step in reversed(steps):
        distribution = _image(distribution, step, known)
    observed = Observation(site.name, distribution, site.value, site.dims, None, site.weights)
    return observed, Deterministic(variable.name, value, variable.dims)


def _image(distribution: Distribution, step: Step, known: Known) -> Distribution:
    if step.is_matrix:
        return _multiplied(distribution, step.operand, known)
    if distribution.is_location_scale:
        move = _LOCATION_SCALE[step.operation]
        parameters = distribution.parameters
        mu, sigma = move(parameters["mu"], parameters["sigma"], step.operand)
        return distribution.with_parameters(mu=mu, sigma=sigma)
    match step.operation:
        case "add":
            return Shifted(distribution, step.operand)
        case "subtract":
            return Shifted(distribution, -step.operand)
        case "multiply":
            return Scaled(distribution, step.operand)
        case "divide":
            return Scaled(distribution, _quotient(Literal(1.0), step.operand))
    return Scaled(distribution, Literal(-1.0))


def _multiplied(distribution: Distribution, matrix: Expression, known: Known) -> Distribution:
    if not known.holds(matrix):
        return Multiplied(distribution, matrix)
    values = known.value(matrix)
    log_det = np.linalg.slogdet(values)[1]
    return Multiplied(distribution, matrix, constant(np.linalg.inv(values)), constant(log_det))


_Pair = tuple[Expression, Expression]

_LOCATION_SCALE: Mapping[str, Callable[[Expression, Expression, Expression], _Pair]] = {
    "add": lambda mu, sigma, loc: (_sum(mu, loc), sigma),
    "subtract": lambda mu, sigma, loc: (_sum(mu, -loc), sigma),
    "multiply": lambda mu, sigma, scale: (_product(mu, scale), _product(sigma, _size(scale))),
    "divide": lambda mu, sigma, scale: (_quotient(mu, scale), _quotient(sigma, _size(scale))),
    "negative": lambda mu, sigma, _: (_product(Literal(-1.0), mu), sigma),
}
"""The location and scale after a step."""


def _is(node: Expression, value: float) -> bool:
    return isinstance(node, Literal) and node.value == value


def _sum(one: Expression, other: Expression) -> Expression:
    return other if _is(one, 0.0) else one + other


def _product(one: Expression, other: Expression) -> Expression:
    if isinstance(one, Literal) and isinstance(other, Literal):
        return Literal(float(one.value * other.value))
    if _is(one, 0.0) or _is(other, 0.0):
        return Literal(0.0)
    return other if _is(one, 1.0) else one * other


def _quotient(one: Expression, other: Expression) -> Expression:
    if isinstance(one, Literal) and isinstance(other, Literal):
        return Literal(float(one.value / other.value))
    return one if _is(one, 0.0) else one / other


def _size(node: Expression) -> Expression:
    return Literal(abs(node.value)) if isinstance(node, Literal) else Apply("abs", (node,))
