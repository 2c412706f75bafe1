"""Write Bernoulli-logit and Poisson-log observations with a linear predictor as one sum over a matrix.

The predictor of all rows is one product with the transposed matrix, whose long axis is contiguous.  For
Bernoulli observations its rows carry the sign of their outcome: ``log p(y) = -softplus((1 - 2 y) eta)`` loses
nothing where the outcome was all but certain.  For Poisson ones ``sum(y eta)`` is linear, and ``X'y`` is
computed beforehand.  Where rows differ by their group alone, counts for each group take their place.
"""

import math

import numpy as np

from exmc_actors.compiler.passes.linear import Gather, Linear
from exmc_actors.compiler.passes.linear_form import LinearForms
from exmc_actors.compiler.passes.report import Rewritten
from exmc_actors.compiler.passes.rows import constant, filled
from exmc_actors.model import (
    Apply,
    BernoulliLogit,
    Deterministic,
    Expression,
    Index,
    Literal,
    Model,
    Observation,
    Poisson,
    Potential,
    Reference,
    Site,
)

_FAR = 300.0
"""Up to here exponentials of offsets, and sums of them, are far from too large and too small."""


def glm_fusion(model: Model) -> Rewritten:
    """Return the model with a potential, under the observation's name, for each such observation."""
    sites: list[Site] = []
    lines = []
    for site in model.sites:
        fused = _fused(model, site)
        sites.append(site if fused is None else Potential(site.name, fused[0]))
        lines += [] if fused is None else [f"{site.name}: {fused[1]}"]
    return Rewritten(model.with_sites(tuple(sites)) if lines else model, tuple(lines))


def _fused(model: Model, site: Site) -> tuple[Expression, str] | None:
    if not isinstance(site, Observation) or site.weights is not None or not site.value.array.size:
        return None
    eta = _predictor(model, site)
    forms = LinearForms(model, site.value.array.shape)
    form = None if eta is None else forms.of(eta)
    if form is None or form.is_known:
        return None
    form, outcomes = form.merged(), forms.stretched(site.value.array)
    is_poisson = isinstance(site.distribution, Poisson)
    effect = _only_effect(form)
    if effect is not None and 4 * effect.size <= outcomes.size and (is_poisson or form.offset is None):
        counted = _poisson_of_groups if is_poisson else _bernoulli_of_groups
        return counted(form, effect, outcomes), f"{outcomes.size} rows counted in {effect.size} groups"
    product = _poisson if is_poisson else _bernoulli
    return product(form, outcomes), f"{outcomes.size} rows of a linear predictor as one product"


def _predictor(model: Model, site: Observation) -> Expression | None:
    """Return what should be linear, or None for other distributions and other links."""
    if isinstance(site.distribution, BernoulliLogit):
        eta: Expression = site.distribution.eta
        return eta
    if not isinstance(site.distribution, Poisson):
        return None
    derived = {one.name: one.expression for one in model.sites if isinstance(one, Deterministic)}
    rate = site.distribution.rate
    while isinstance(rate, Reference) and rate.name in derived:
        rate = derived[rate.name]
    return rate.arguments[0] if isinstance(rate, Apply) and rate.operation == "exp" else None


def _only_effect(form: Linear) -> Gather | None:
    """Return what the rows are but for their offset, where that is one number for each group or for all."""
    weights = [column.weights for column in form.columns] + [gather.weights for gather in form.gathers]
    if form.blocks or len(form.gathers) > 1 or any(one is not None for one in weights):
        return None
    level = form.columns[0].coefficient if form.columns else None
    if not form.gathers:
        return None if level is None else Gather("all", np.zeros(0, int), 1, level)
    gather = form.gathers[0]
    vector = gather.vector if level is None else gather.vector + level
    return Gather(gather.grouping, gather.positions, gather.size, vector)


def _totals(effect: Gather, rows: np.ndarray) -> Expression:
    """Return the sums of the rows of each group."""
    if effect.grouping == "all":
        return constant(np.sum(rows))
    return constant(np.bincount(effect.positions, rows, minlength=effect.size))


def _far_offsets(offset: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Return the largest offset of each group, or zero where offsets can be exponentiated as they are."""
    largest = np.full(count, -np.inf)
    np.maximum.at(largest, groups, offset)
    is_far = np.isfinite(largest) & (np.abs(largest) > _FAR)
    return np.where(is_far, largest, 0.0)


def _where_counted(totals: Expression, vector: Expression) -> Expression:
    """Return the entries that are counted at all: zero times an infinite one would be no number."""
    return Apply("where", (totals, vector, Literal(0.0)))


def _bernoulli_of_groups(form: Linear, effect: Gather, outcomes: np.ndarray) -> Expression:
    ones, zeros = _totals(effect, outcomes), _totals(effect, 1.0 - outcomes)
    losses = [
        count * Apply("softplus", (sign * _where_counted(count, effect.vector),))
        for count, sign in ((ones, Literal(-1.0)), (zeros, Literal(1.0)))
    ]
    return -(losses[0] + losses[1])


def _poisson_of_groups(form: Linear, effect: Gather, outcomes: np.ndarray) -> Expression:
    offset = np.zeros(outcomes.size) if form.offset is None else form.offset
    groups = np.zeros(outcomes.size, int) if effect.grouping == "all" else effect.positions
    shift = _far_offsets(offset, groups, effect.size)
    exposure = _totals(effect, np.exp(offset - shift[groups]))
    counts = _totals(effect, outcomes)
    exponent = _where_counted(exposure, effect.vector)
    if shift.any():
        exponent = exponent + constant(shift[0] if effect.grouping == "all" else shift)
    expected = exposure * Apply("exp", (exponent,))
    parts = counts * _where_counted(counts, effect.vector) - expected
    return Apply("sum", (parts,), (("axis", None),)) + constant(_known_part(offset, outcomes))


def _bernoulli(form: Linear, outcomes: np.ndarray) -> Expression:
    signed = form.weighted(1.0 - 2.0 * outcomes)
    return -Apply("softplus_sum", (_rows(signed, outcomes.size),))


def _poisson(form: Linear, outcomes: np.ndarray) -> Expression:
    offset = np.zeros(outcomes.size) if form.offset is None else form.offset
    linear: Expression = constant(_known_part(offset, outcomes))
    matrix = _matrix(form, outcomes.size)
    if matrix.shape[1]:
        linear = linear + Apply("dot", (_coefficients(form), constant(outcomes @ matrix)))
    for gather in form.gathers:
        weighted = outcomes * filled(gather.weights, outcomes.size)
        totals = constant(np.bincount(gather.positions, weighted, minlength=gather.size))
        linear = linear + Apply("dot", (_where_counted(totals, gather.vector), totals))
    return linear - Apply("exp_sum", (_rows(form, outcomes.size),))


def _known_part(offset: np.ndarray, outcomes: np.ndarray) -> float:
    # A count of zero is certain where none is expected: an exposure of zero has an infinite logarithm.
    counted = np.where(outcomes > 0.0, offset, 0.0)
    return float(np.dot(outcomes, counted)) - sum(math.lgamma(count + 1.0) for count in outcomes.tolist())


def _matrix(form: Linear, count: int) -> np.ndarray:
    columns = [filled(column.weights, count)[:, None] for column in form.columns]
    return np.concatenate([np.zeros((count, 0)), *columns, *(block.matrix for block in form.blocks)], axis=1)


def _coefficients(form: Linear) -> Expression:
    """Return the coefficients of the matrix's columns as one vector."""
    parts = [block.coefficients for block in form.blocks]
    if form.columns:
        scalars = tuple(column.coefficient for column in form.columns)
        parts.insert(0, Apply("stack", scalars, (("axis", 0),)))
    return parts[0] if len(parts) == 1 else Apply("concatenate", tuple(parts), (("axis", 0),))


def _rows(form: Linear, count: int) -> Expression:
    """Return the predictor of every row."""
    terms: list[Expression] = [] if form.offset is None else [constant(form.offset)]
    matrix = _matrix(form, count)
    if matrix.shape[1]:
        terms.append(Apply("dot", (_coefficients(form), constant(matrix.T))))
    positions: dict[object, Expression] = {}
    for gather in form.gathers:
        if gather.grouping not in positions:
            positions[gather.grouping] = constant(gather.positions)
        is_whole = gather.size == count and gather.is_along_axis
        entries = gather.vector if is_whole else Index(gather.vector, (positions[gather.grouping],))
        terms.append(entries if gather.weights is None else constant(gather.weights) * entries)
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
