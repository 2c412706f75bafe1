"""Check a model site by site: names, shapes and values, each against what was declared before it.

The builder, the reader of bytes and ``with_data`` all go through here, so that a model that exists is one
that can be compiled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import check_finite
from exmc_actors.model.coords import Coords, shape_of_dims
from exmc_actors.model.distributions import Distribution
from exmc_actors.model.expression import (
    Apply,
    Constant,
    Expression,
    Index,
    Item,
    Literal,
    Local,
    Reference,
    Scan,
)
from exmc_actors.model.fitting import (
    check_can_be_sampled,
    check_constraint,
    check_inside,
    check_named_parameters,
    check_positions,
    check_transform,
    check_weights,
)
from exmc_actors.model.indexing import gathered_parts, plan_index
from exmc_actors.model.measurable import check_measurement
from exmc_actors.model.names import check_name, unknown
from exmc_actors.model.operations import OPERATIONS
from exmc_actors.model.recurrence import check_locals, check_scan, item_shape, local_shape
from exmc_actors.model.result_names import ResultNames
from exmc_actors.model.shapes import Shape, check_size, stretches_to
from exmc_actors.model.sites import (
    Data,
    Deterministic,
    Measurement,
    Observation,
    Potential,
    Site,
    Variable,
    expressions_of,
    names_of,
)
from exmc_actors.model.support_algebra import Union
from exmc_actors.model.supports import Support
from exmc_actors.model.text import expression_text
from exmc_actors.model.traversal import postorder, references


@dataclass
class Scope:
    """What has been declared so far."""

    coords: Coords = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    """Of everything that an expression may refer to."""
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    """The values that are known: data inputs and observations."""
    taken: set[str] = field(default_factory=set)
    """Every name in use, potentials included."""
    variables: dict[str, Variable] = field(default_factory=dict)
    """Those that are sampled so far."""
    uses: dict[str, str] = field(default_factory=dict)
    """By which site, the first of them, each name is needed."""
    solved: dict[str, str] = field(default_factory=dict)
    """The variables that an observation determines, with its name."""
    result: ResultNames = field(default_factory=ResultNames)
    """What a result of the model would have to hold."""

    def declare(self, site: Site, *, is_new: bool = False) -> None:
        """Add a site.

        Args:
          site: to add.
          is_new: whether its data were given together with all others.  Where some were replaced afterwards,
            as for a prediction, those that were not may lie outside bounds that others give.

        Raises:
          ModelError: if it does not fit what was declared before.
        """
        for name in dict.fromkeys(names_of(site)):
            self.check_new(name)
        try:
            self._check_solved(site)
            shape = self._check(site, is_new)
        except ModelError as error:
            raise ModelError(f"{site.name}: {error}") from None
        for name in names_of(site):
            self.taken.add(name)
            if not isinstance(site, Potential):
                self.shapes[name] = shape
            if isinstance(site, Data | Observation | Measurement):
                self.arrays[name] = site.value.array
        if isinstance(site, Variable):
            self.variables[site.name] = site
        if isinstance(site, Measurement):
            self.solved[self.variables.pop(site.variable).name] = site.name
        for name in references(expressions_of(site)):
            self.uses.setdefault(name, site.name)

    def _check_solved(self, site: Site) -> None:
        for name in references(expressions_of(site)):
            if name in self.solved:
                raise ModelError(
                    f"{name} is determined by the observation of {self.solved[name]}, and so can be needed "
                    "nowhere else: write what it is there, in terms of what was observed; or, "
                    f"to have {self.solved[name]} solved for another variable, declare that one last."
                )

    def check_new(self, name: Any) -> None:
        """Refuse what is not a name, and a name that is taken."""
        if check_name(name) in self.taken:
            raise ModelError(f"{name!r} is declared already: choose a new name.")

    def shape_of(self, root: Expression) -> Shape:
        """Return the shape of an expression.

        Raises:
          ModelError: naming the smallest part that cannot be computed.
        """
        return self.shapes_within(root)[id(root)]

    def shapes_within(self, root: Expression) -> dict[int, Shape]:
        """Return the shape of every node that an expression needs, by the node's identity."""
        shapes: dict[int, Shape] = {}
        check_locals(root)
        for node in postorder((root,)):
            try:
                shapes[id(node)] = self._node_shape(node, shapes)
            except ModelError as error:
                if isinstance(node, Reference):
                    raise
                raise ModelError(f"{expression_text(node)} cannot be computed: {error}") from None
        return shapes

    def _node_shape(self, node: Expression, shapes: Mapping[int, Shape]) -> Shape:
        match node:
            case Literal():
                return ()
            case Constant():
                return node.array.shape
            case Reference():
                if node.name not in self.shapes:
                    raise ModelError(unknown("variable", node.name, self.shapes))
                return self.shapes[node.name]
            case Apply():
                settings = dict(node.static)
                return OPERATIONS[node.operation].shape([shapes[id(a)] for a in node.arguments], **settings)
            case Index():
                return self._index_shape(node, shapes)
            case Local():
                return local_shape(node, shapes[id(node.source)])
            case Scan():
                check_scan(node, shapes)
                return ()
            case Item():
                return item_shape(node, shapes)
        raise AssertionError(f"no rule for {type(node).__name__}")

    def _index_shape(self, node: Index, shapes: Mapping[int, Shape]) -> Shape:
        parts = [shapes[id(part)] if isinstance(part, Expression) else part for part in node.parts]
        plan = plan_index(shapes[id(node.base)], parts)
        for part, axis in zip(gathered_parts(node.parts), plan.gathered, strict=True):
            check_positions(self._positions(part), plan.sliced[axis], part)
        return plan.shape

    def _positions(self, part: Any) -> np.ndarray:
        if isinstance(part, int):
            return np.asarray(part)
        array = part.array if isinstance(part, Constant) else None
        if isinstance(part, Reference):
            array = self.arrays.get(part.name)
        if array is None:
            raise ModelError(
                f"an index must be integers that are known beforehand, got {part!r}. "
                "Write an array of integers, or declare one by b.data(name, array)."
            )
        if array.dtype.kind == "b":
            raise ModelError("an index must be integers, got booleans: write numpy.flatnonzero(mask).")
        if array.dtype.kind != "i":
            raise ModelError(
                f"an index must be integers, got {array.dtype}: convert it by array.astype(int)."
            )
        return array

    def _check(self, site: Site, is_new: bool) -> Shape:
        match site:
            case Data():
                check_finite(site.value.array)
                shape: Shape = site.value.array.shape
            case Variable():
                check_can_be_sampled(site.distribution)
                shape = check_size(site.shape)
                self.check_parameters(site.distribution, shape)
                self._check_transform(site, shape)
            case Observation():
                shape = site.value.array.shape
                self.check_parameters(site.distribution, shape)
                check_finite(site.value.array)
                support, arrays = self._support(site.distribution), self.arrays if is_new else None
                check_inside(site.distribution, site.value.array, support, arrays)
                if site.transform is not None:
                    check_constraint(site.transform, site.value.array)
                if site.weights is not None:
                    check_weights(site.weights.array, shape[: len(shape) - site.distribution.event_ndim])
            case Measurement():
                shape = site.value.array.shape
                check_finite(site.value.array)
                shapes, arrays = self.shapes_within(site.expression), self.arrays
                variable, used_by = self.variables.get(site.variable), self.uses.get(site.variable)
                check_measurement(site, variable, used_by, shapes, arrays)
            case Deterministic() | Potential():
                shape = self.shape_of(site.expression)
        self._check_dims(site, shape)
        self.result.add(site, shape)
        return shape

    def parameter_shape(self, distribution: Distribution) -> Shape:
        """Return the smallest shape that a value can have by the parameters together."""
        shapes = {}
        for name, value in distribution.parameters.items():
            try:
                shapes[name] = self.shape_of(value)
            except ModelError as error:
                raise ModelError(f"{type(distribution).__name__}'s {name}: {error}") from None
        return distribution.value_shape(shapes, [self.parameter_shape(part) for part in distribution.parts])

    def _support(self, distribution: Distribution) -> Support:
        """Return the support, as far as it is known now."""
        shapes = {name: self.shape_of(value) for name, value in distribution.parameters.items()}
        return distribution.support_of_shapes(shapes)

    def check_parameters(self, distribution: Distribution, shape: Shape) -> None:
        """Refuse parameters that a value of the given shape does not fit."""
        needed, axes = self.parameter_shape(distribution), distribution.event_ndim
        check_named_parameters(distribution, self.arrays)
        if not stretches_to(needed, shape) or len(shape) < axes:
            raise ModelError(
                f"{distribution!r} has parameters of shape {needed}, which do not fit shape {shape}: "
                "seen from the right, each length must be equal or 1."
            )
        if axes and not distribution.event_is_free and needed[-axes:] != shape[-axes:]:
            raise ModelError(
                f"{distribution!r} has events of shape {needed[-axes:]}, which do not fit shape {shape}: "
                f"its last {'axis' if axes == 1 else f'{axes} axes'} must have just these lengths."
            )

    def _check_transform(self, site: Variable, shape: Shape) -> None:
        if site.transform is None:
            if isinstance(site.distribution.support, Union):
                raise ModelError(
                    f"{site.distribution!r} lies on several sets, {site.distribution.support}, and no "
                    "transform reaches them: mix distributions that lie on the same set, or observe it."
                )
            if site.centered is not None and not site.distribution.is_location_scale:
                raise ModelError(
                    f"centered= is for Normal, StudentT and Cauchy, got {site.distribution!r}: leave it out."
                )
            return
        if site.centered is not None:
            raise ModelError("centered= and transform= exclude each other: leave one out.")
        check_transform(site.transform, site.distribution)
        site.transform.unconstrained_shape(shape)
        for value in site.transform.parameters.values():
            if not stretches_to(self.shape_of(value), shape):
                raise ModelError(f"{site.transform!r} has parameters that do not fit shape {shape}.")

    def _check_dims(self, site: Site, shape: Shape) -> None:
        dims = None if isinstance(site, Potential) else site.dims
        if dims is not None and shape_of_dims(dims, self.coords) != shape:
            raise ModelError(
                f"dims {dims} say shape {shape_of_dims(dims, self.coords)}, the value has shape {shape}: "
                "give as many dims as axes, each with as many coordinates as entries."
            )
