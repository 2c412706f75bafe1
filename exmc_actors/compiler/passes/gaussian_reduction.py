"""Replace Normal observations with a linear mean by what their rows amount to, exactly.

With mean ``X b`` and one scale, ``|y - X b|^2 = |r - R b|^2`` where ``[R r]`` is the triangle of the thin QR
factors of ``[X y]``: a row for each coefficient instead of one for each observation.  With effects of groups,
``y - X b - Z u``, what Z explains within each group is split off first, a row for each group and column
of Z, and only the rest goes through QR.  Neither forms squares that cancel, so that badly scaled and even
dependent columns lose nothing.

The arrays are computed with NumPy whenever a model meets its data, and passed to the program as arguments
like any other.  Another number of threads of NumPy's BLAS may change their last bits, and so the draws'.
"""

import math
from functools import reduce
from operator import add, sub

import numpy as np

from exmc_actors.compiler.passes.grouping import project
from exmc_actors.compiler.passes.linear import Linear
from exmc_actors.compiler.passes.linear_form import LinearForms
from exmc_actors.compiler.passes.report import Rewritten
from exmc_actors.compiler.passes.rows import Rows, constant, reduced_rows
from exmc_actors.model import (
    Apply,
    Constant,
    Expression,
    Literal,
    Model,
    Normal,
    Observation,
    Potential,
    Site,
)

_LARGEST_EXPONENT = 256
"""The power of two up to which squares are far from the largest number, and from the smallest."""


def gaussian_reduction(model: Model) -> Rewritten:
    """Return the model with a potential, under the observation's name, where that saves operations."""
    sites: list[Site] = []
    lines = []
    for site in model.sites:
        reduced = _reduced(model, site)
        sites.append(site if reduced is None else reduced[0])
        lines += [] if reduced is None else [reduced[1]]
    return Rewritten(model.with_sites(tuple(sites)) if lines else model, tuple(lines))


def _reduced(model: Model, site: Site) -> tuple[Site, str] | None:
    if not isinstance(site, Observation) or site.weights is not None or type(site.distribution) is not Normal:
        return None
    forms = LinearForms(model, site.value.array.shape)
    mean, scale = forms.of(site.distribution.mu), _scale(forms.of(site.distribution.sigma))
    if mean is None or scale is None:
        return None
    rows = reduced_rows(mean, site.value.array.size)
    if rows is None:
        return None
    target = forms.stretched(site.value.array)
    if mean.offset is not None:
        target = target - mean.offset
    return Potential(site.name, _log_density(rows, target, *scale)), f"{site.name}: {rows.text}"


def _scale(form: Linear | None) -> tuple[Expression, np.ndarray | None] | None:
    """Return the scale as a computed number and a known one for each row, where it is their product."""
    if form is None or form.blocks or form.gathers or len(form.columns) > 1:
        return None
    if not form.columns:
        return Literal(1.0), form.offset
    return None if form.offset is not None else (form.columns[0].coefficient, form.columns[0].weights)


def _log_density(
    rows: Rows, target: np.ndarray, sigma: Expression, known_scale: np.ndarray | None
) -> Expression:
    scale = np.ones(rows.count) if known_scale is None else known_scale
    unit = _unit(target / scale)
    precision = Literal(1.0) / (constant(1.0 / unit) * sigma)
    # One factor after the other, as for a single row: their product alone may be out of range.
    squares = _squared_length(rows, target, scale, unit) * precision * precision
    constants = np.sum(np.log(np.abs(scale))) + 0.5 * rows.count * math.log(2.0 * math.pi)
    log_sigma = Apply("log", (sigma,)) if known_scale is None else _log_size(sigma, known_scale)
    return Literal(-0.5) * squares - Literal(rows.count) * log_sigma - constant(constants)


def _log_size(sigma: Expression, known_scale: np.ndarray) -> Expression:
    """Return the logarithm of ``|sigma|``, infinite where its product with a known scale is not positive.

    Two negative factors make a scale, too.
    """
    common_sign = 1.0 if np.all(known_scale > 0.0) else -1.0 if np.all(known_scale < 0.0) else np.nan
    is_possible = Apply("gt", (constant(common_sign) * sigma, Literal(0.0)))
    return Apply("where", (is_possible, Apply("log", (abs(sigma),)), Literal(math.inf)))


def _unit(target: np.ndarray) -> float:
    """Return a power of two in which squares of the target are in range: one for all but extreme units."""
    _, exponent = np.frexp(np.max(np.abs(target), initial=0.0))
    return float(np.ldexp(1.0, exponent - np.clip(exponent, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)))


def _squared_length(rows: Rows, target: np.ndarray, scale: np.ndarray, unit: float) -> Expression:
    """Return the sum over rows of the squared distances from the mean, in units of the known scale."""
    columns = np.column_stack([rows.matrix(), target]) / scale[:, None] / unit
    if not rows.effects:
        return _square_sum(rows.residual(_triangle(columns)))
    explaining = rows.explaining() / scale[:, None] / unit
    split = project(rows.effects[0].positions, rows.groups, explaining, columns)
    residuals = [rows.residual(_triangle(split.rest))]
    for k in range(len(rows.effects)):
        of_groups = rows.residual(split.explained[:, k])
        effects = [
            constant(split.triangles[:, k, j]) * gather.vector
            for j, gather in enumerate(rows.effects)
            if j >= k
        ]
        residuals.append(reduce(sub, effects, of_groups))
    return reduce(add, map(_square_sum, residuals))


def _triangle(columns: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.qr(columns, mode="r"))


def _square_sum(vector: Expression) -> Expression:
    if isinstance(vector, Constant):
        return constant(np.sum(vector.array**2))
    return Apply("dot", (vector, vector))
