"""Find the way from a random variable to what is observed of it, and back; densities are the compiler's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.array_supports import Increasing
from exmc_actors.model.arrays import entry_text, first_where
from exmc_actors.model.expression import Apply, Constant, Expression, Reference
from exmc_actors.model.fitting import check_inside, check_weights
from exmc_actors.model.known import Known
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import Measurement, Variable
from exmc_actors.model.text import expression_text
from exmc_actors.model.traversal import children, postorder

_UNDONE: Mapping[str, Callable[[Expression, Expression], Expression]] = {
    "add": lambda value, operand: value - operand,
    "subtract": lambda value, operand: value + operand,
    "multiply": lambda value, operand: value / operand,
    "divide": lambda value, operand: value * operand,
    "negative": lambda value, operand: -value,
    "matmul": lambda value, operand: Apply("solve", (operand, value)),
}


@dataclass(frozen=True, eq=False)
class Step:
    """What is done to a value on its way: an operation, and what stands on its other side."""

    operation: str
    operand: Expression
    """Nothing that counts where the sign is changed."""

    @property
    def is_matrix(self) -> bool:
        """Whether the entries are mixed with each other."""
        return self.operation == "matmul"

    def undone(self, value: Expression) -> Expression:
        """Return what the step makes ``value`` of."""
        return _UNDONE[self.operation](value, self.operand)


def steps_to(root: Expression, name: str, shapes: Mapping[int, Shape]) -> tuple[Step, ...]:
    """Return the steps from a variable to ``root``, the last one first.

    Args:
      root: what is observed.
      name: of the variable.
      shapes: of the nodes of ``root``, by their identities.

    Raises:
      ModelError: if the variable is not there exactly once, or a step cannot be undone.
    """
    times = _occurrences(root, name)
    if times[id(root)] != 1:
        raise ModelError(
            f"{expression_text(root)} holds {name} {times[id(root)]} times, and can be solved for a variable "
            "that it holds once: collect the terms, or give the distribution of the whole, "
            "such as Normal(mu, sigma)."
        )
    steps: list[Step] = []
    node = root
    while not isinstance(node, Reference):
        inner = next(child for child in children(node) if times[id(child)])
        steps += _steps_at(node, inner, name, shapes)
        node = inner
    return tuple(steps)


def _occurrences(root: Expression, name: str) -> dict[int, int]:
    """Return how often each node holds the variable, a shared part as often as it is written."""
    times: dict[int, int] = {}
    for node in postorder((root,)):
        is_it = isinstance(node, Reference) and node.name == name
        times[id(node)] = int(is_it) + sum(times[id(child)] for child in children(node))
    return times


def _steps_at(node: Expression, inner: Expression, name: str, shapes: Mapping[int, Shape]) -> list[Step]:
    """Return the one or two steps from ``inner`` to ``node``, the last one first."""
    operation = node.operation if isinstance(node, Apply) else ""
    if operation == "negative":
        return [Step("negative", inner)]
    is_product = operation in ("matmul", "dot")
    if operation not in ("add", "subtract", "multiply", "divide") and not is_product:
        raise _not_affine(node, name)
    left, right = children(node)
    is_left, other = inner is left, right if inner is left else left
    if is_product and shapes[id(inner)] and shapes[id(other)]:
        return [_matrix_step(node, is_left, other, shapes[id(inner)], shapes[id(other)])]
    if operation == "divide" and not is_left:
        raise _not_affine(node, name)
    if shapes[id(inner)] != shapes[id(node)]:
        raise ModelError(
            f"{expression_text(inner)} has shape {shapes[id(inner)]} and is stretched to shape "
            f"{shapes[id(node)]}, where each entry needs one of its own: declare {name} with "
            "that shape, or give the distribution of the whole, such as Normal(mu, sigma)."
        )
    if operation == "subtract" and not is_left:
        return [Step("add", other), Step("negative", inner)]
    return [Step("multiply" if is_product else operation, other)]


def _not_affine(node: Expression, name: str) -> ModelError:
    return ModelError(
        f"{expression_text(node)} is no affine or matrix function of {name}: write m + s * {name} or "
        f"A @ {name}, or give the distribution of the whole, as LogNormal is that of the exponential of "
        "a Normal, or Custom."
    )


def _matrix_step(node: Expression, is_left: bool, matrix: Expression, vector: Shape, shape: Shape) -> Step:
    if len(vector) != 1 or shape != vector * 2:
        raise ModelError(
            f"{expression_text(node)} multiplies shape {vector} by shape {shape}, and can be solved for a "
            "vector with a square matrix: observe as many entries as the variable has, or give the "
            "distribution of the whole, such as MvNormal(mu, cov)."
        )
    return Step("matmul", Apply("transpose", (matrix,)) if is_left else matrix)


def check_measurement(
    site: Measurement,
    variable: Variable | None,
    used_by: str | None,
    shapes: Mapping[int, Shape],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Refuse what cannot be solved for its variable, or whose density is known to be zero.

    Args:
      site: the measurement.
      variable: that it names, where that is one that is sampled so far.
      used_by: the name of another site that needs the variable.
      shapes: of the nodes of the expression, by their identities.
      arrays: the values that are known, by name.
    """
    if variable is None:
        raise ModelError(
            f"{site.variable!r} is no random variable, or is observed already: declare one by b.rv(...)."
        )
    steps = steps_to(site.expression, site.variable, shapes)
    shape = shapes[id(site.expression)]
    if shape != site.value.array.shape:
        raise ModelError(
            f"{expression_text(site.expression)} has shape {shape}, and what is observed has shape "
            f"{site.value.array.shape}: each entry needs one of {site.variable} of its own, "
            "so declare it with that shape, or give the distribution of the whole, such as Normal(mu, sigma)."
        )
    _check_variable(variable, used_by)
    known = Known(arrays)
    for step in steps:
        _check_step(step, known)
    _check_weights(site, variable, steps)
    _check_value(site, variable, steps, known)


def _check_variable(variable: Variable, used_by: str | None) -> None:
    name, support = variable.name, variable.distribution.support
    if used_by is not None:
        raise ModelError(
            f"{name} is needed by {used_by} besides, and what an observation determines can be needed "
            f"nowhere else: observe {name} itself, or give the distribution of the whole, "
            "such as Normal(mu, sigma)."
        )
    if variable.transform is not None:
        raise ModelError(
            f"{name} is determined by the observation and not sampled: leave its transform= out."
        )
    if support.event_ndim and not isinstance(support, Increasing):
        raise ModelError(
            f"{name} holds {support}, whose density is that of fewer numbers than it has entries: "
            f"observe {name} itself."
        )


def _check_step(step: Step, known: Known) -> None:
    if step.operation not in ("multiply", "divide", "matmul") or not known.holds(step.operand):
        return
    value = known.value(step.operand)
    if step.is_matrix:
        if not np.isfinite(value).all() or np.linalg.matrix_rank(value) < len(value):
            raise ModelError(
                f"the matrix {expression_text(step.operand)} is singular, so that what is observed says "
                "nothing of some combinations: leave out what depends on the rest."
            )
        return
    at = first_where((value == 0.0) | ~np.isfinite(value))
    if at is not None:
        which = f"{entry_text(at)} of the scale" if at else "the scale"
        raise ModelError(
            f"{which} {expression_text(step.operand)} is {value[at]}, and nothing can be told from what is "
            "observed: a scale must be finite and not 0."
        )


def _check_weights(site: Measurement, variable: Variable, steps: tuple[Step, ...]) -> None:
    if site.weights is None:
        return
    if any(step.is_matrix for step in steps):
        raise ModelError("a vector that a matrix has mixed is one event: leave weights= out.")
    events = variable.shape[: len(variable.shape) - variable.distribution.event_ndim]
    check_weights(site.weights.array, events)


def _check_value(site: Measurement, variable: Variable, steps: tuple[Step, ...], known: Known) -> None:
    """Refuse data that are known to come from outside the variable's support."""
    value: Expression = Constant(site.value.array)
    for step in steps:
        value = step.undone(value)
    if not known.holds(value):
        return
    try:
        check_inside(variable.distribution, known.value(value), variable.distribution.support)
    except ModelError as error:
        raise ModelError(f"solved for {variable.name}, {error}") from None
