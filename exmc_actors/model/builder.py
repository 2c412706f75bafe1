"""Build a model declaration by declaration; each is checked at once, so that an error points at its line."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.arrays import frozen_array
from exmc_actors.model.coords import check_coords, check_dims, shape_of_dims
from exmc_actors.model.distributions import DISTRIBUTIONS, Distribution
from exmc_actors.model.distributions.distribution import map_parameters
from exmc_actors.model.expression import Constant, Expression, Reference, as_expression
from exmc_actors.model.imputation import imputed, missing_entries
from exmc_actors.model.model import Model
from exmc_actors.model.names import unknown
from exmc_actors.model.scope import Scope
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import Data, Deterministic, Measurement, Observation, Potential, Site, Variable
from exmc_actors.model.transforms import Transform
from exmc_actors.model.traversal import references
from exmc_actors.model.vocabulary import is_known


class Builder:
    """Collects declarations; every method that names a value returns its handle.

    A string may stand wherever a handle may; it must name something that is declared already.

    Args:
      coords: the labels along named axes, ``{"school": ["Choate", ...]}``.
    """

    def __init__(self, coords: Mapping[str, Any] | None = None) -> None:
        self._coords = check_coords(coords)
        self._sites: list[Site] = []
        self._scope = Scope(self._coords)

    def rv(
        self,
        name: str,
        distribution: Distribution,
        *,
        shape: int | Sequence[int] | None = None,
        dims: str | Sequence[str] | None = None,
        transform: Transform | None = None,
        centered: bool | None = None,
    ) -> Reference:
        """Declare a random variable.

        Args:
          name: of the variable; new in this model.
          distribution: its prior, whose parameters may be handles, names, numbers or arrays.
          shape: of the variable; the shape of the parameters together where neither it nor dims are given.
          dims: names of axes, whose coordinates give the shape.
          transform: how to move it to the whole line; chosen by the distribution's support where not given.
          centered: False for the non-centred form of a Normal, StudentT or Cauchy, True for the plain one;
            None leaves the choice to the compiler.

        Raises:
          ModelError: if it does not fit what was declared before.
        """
        self._scope.check_new(name)
        prepared = _distribution(name, distribution)
        if transform is not None and not (isinstance(transform, Transform) and is_known(transform)):
            raise ModelError(f"{name}: transform must be a transform such as Log(), got {transform!r}.")
        if not isinstance(centered, bool | np.bool_ | None):
            raise ModelError(f"{name}: centered must be True, False or None, got {centered!r}.")
        dims_given = _named(name, check_dims, dims, self._coords)
        wanted = self._shape(name, prepared, shape, dims_given)
        if transform is not None:
            transform = transform.with_parameters(partial(_named, name, as_expression))
        return self._declare(Variable(name, prepared, wanted, dims_given, transform, _flag(centered)))

    def obs(
        self,
        name: str,
        distribution: Distribution | Expression | str,
        data: Any,
        dims: str | Sequence[str] | None = None,
        *,
        weights: Any = None,
    ) -> Reference:
        """Declare what was observed.

        Where entries are missing, NaN or masked, the others are observed as ``name_observed``, the missing
        ones are a variable ``name_unobserved`` to be sampled, and ``name`` is the whole, with a warning.

        Args:
          name: of the data, in ``with_data`` and in results.
          distribution: of the data; or a variable, which then is observed and no longer sampled; or an affine
            or matrix function of a variable, ``m + s * z`` or ``m + A @ z``, which then is solved for it.
          data: numbers, which the program takes as an argument.
          dims: names of axes, one for each axis of the data; those of a variable that is observed where not
            given.
          weights: how often each event counts, 0 for not at all; once where not given.

        Raises:
          ModelError: if the data does not fit the distribution.
        """
        counts = None if weights is None else _data(f"{name}'s weights", weights)
        if isinstance(distribution, Reference | str):
            return self._observe(name, distribution, data, dims, counts)
        self._scope.check_new(name)
        if isinstance(distribution, Expression):
            return self._measure(name, distribution, data, dims, counts)
        prepared = _distribution(name, distribution)
        given = _named(name, check_dims, dims, self._coords)
        missing = missing_entries(data)
        if missing is not None:
            sites = _named(name, imputed, self._scope, name, prepared, missing, counts, given)
            return [self._declare(site) for site in sites][-1]
        return self._declare(Observation(name, prepared, _data(name, data), given, None, counts))

    def det(self, name: str, expression: Any, dims: str | Sequence[str] | None = None) -> Reference:
        """Declare a value that is computed from others and reported with the draws."""
        self._scope.check_new(name)
        value = _named(name, as_expression, expression)
        return self._declare(Deterministic(name, value, _named(name, check_dims, dims, self._coords)))

    def potential(self, name: str, expression: Any) -> None:
        """Add a term to the log density: the sum of the expression's entries."""
        self._scope.check_new(name)
        self._declare(Potential(name, _named(name, as_expression, expression)))

    def data(self, name: str, array: Any, dims: str | Sequence[str] | None = None) -> Reference:
        """Declare a named input, which ``model.with_data(name=...)`` replaces without compiling again."""
        self._scope.check_new(name)
        return self._declare(Data(name, _data(name, array), _named(name, check_dims, dims, self._coords)))

    def model(self) -> Model:
        """Return what has been declared so far as a model.

        Raises:
          ModelError: if nothing is left to sample.
        """
        return Model(tuple(self._sites), self._coords)

    def _declare(self, site: Site) -> Reference:
        self._scope.declare(site, is_new=True)
        self._sites.append(site)
        return Reference(site.name)

    def _observe(
        self, name: str, variable: Reference | str, data: Any, dims: Any, weights: Constant | None
    ) -> Reference:
        target = variable.name if isinstance(variable, Reference) else variable
        if name != target:
            self._scope.check_new(name)
        at = next((i for i, site in enumerate(self._sites) if site.name == target), None)
        site = None if at is None else self._sites[at]
        if at is None or not isinstance(site, Variable):
            free = [site.name for site in self._sites if isinstance(site, Variable)]
            raise ModelError(f"{name}: {unknown('random variable', target, free)}")
        value, given = _data(name, data), _named(name, check_dims, dims, self._coords)
        if value.array.shape != site.shape:
            raise ModelError(
                f"{name}: what is observed has shape {value.array.shape}, and {target} is declared with "
                f"shape {site.shape}: declare it with the shape of the data, b.rv({target!r}, ..., "
                f"shape={value.array.shape}), or give its distribution here."
            )
        form = site.transform if site.transform is not None and site.transform.constrains else None
        renamed = None if name == target else target
        observed = Observation(name, site.distribution, value, given or site.dims, renamed, weights, form)
        sites = [*self._sites[:at], observed, *self._sites[at + 1 :]]
        scope = Scope(self._coords)
        for each in sites:
            scope.declare(each, is_new=True)
        self._sites, self._scope = sites, scope
        return Reference(name)

    def _measure(
        self, name: str, expression: Expression, data: Any, dims: Any, weights: Constant | None
    ) -> Reference:
        """Declare the observation of a function of the last of its variables that it can be solved for."""
        if missing_entries(data) is not None:
            raise ModelError(
                f"{name}: entries are missing, and {expression!r} is solved for what is observed: leave them "
                "out, or give the distribution of the whole, such as Normal(mu, sigma)."
            )
        value, given = _data(name, data), _named(name, check_dims, dims, self._coords)
        used = references((expression,))
        variables = [site.name for site in self._sites if isinstance(site, Variable) and site.name in used]
        if not variables:
            _named(name, self._scope.shape_of, expression)
            raise ModelError(
                f"{name}: {expression!r} names no random variable itself, so that nothing can be observed "
                "through it: declare one by b.rv(...), and write the expression of it here."
            )
        refusals = []
        for variable in reversed(variables):
            try:
                return self._declare(Measurement(name, expression, value, variable, given, weights))
            except ModelError as error:
                refusals.append(error)
        raise refusals[0]

    def _shape(
        self, name: str, distribution: Distribution, shape: Any, dims: tuple[str, ...] | None
    ) -> Shape:
        if shape is not None:
            return _shape(name, shape)
        if dims is not None:
            return shape_of_dims(dims, self._coords)
        parameters: Shape = _named(name, self._scope.parameter_shape, distribution)
        return parameters


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _named(name: str, function: Any, *arguments: Any) -> Any:
    """Call ``function``, and let its refusal begin with the name of what is being declared."""
    try:
        return function(*arguments)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None


def _distribution(name: str, given: Any) -> Distribution:
    if isinstance(given, type) and issubclass(given, Distribution):
        raise ModelError(
            f"{name}: {given.__name__} is a class, where a distribution with its parameters is expected: "
            f"write {given.__name__}(...)."
        )
    if not isinstance(given, Distribution):
        raise ModelError(
            f"{name}: a distribution is expected, got {given!r}: write Normal(0.0, 1.0), say. "
            "A value that is computed is declared by b.det(name, expression)."
        )
    if not is_known(given):
        raise ModelError(
            f"{name}: {type(given).__name__} is none of the library's distributions, and a model holds no "
            f"others: take one of {', '.join(DISTRIBUTIONS)}, or write "
            "Custom(log_density, ...) for a function of your own."
        )
    return map_parameters(given, partial(_named, name, as_expression))


def _data(name: str, data: Any) -> Constant:
    if isinstance(data, Expression | str | Distribution):
        raise ModelError(
            f"{name}: the data must be numbers, got {data!r}: give the array itself; "
            f"model.with_data({name}=...) replaces it later."
        )
    return Constant(frozen_array(data, name))


def _shape(name: str, shape: Any) -> Shape:
    lengths = (shape,) if isinstance(shape, int | np.integer) else shape
    try:
        lengths = tuple(lengths)
    except TypeError:
        lengths = (None,)
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in lengths):
        raise ModelError(f"{name}: shape must be a length or a tuple of lengths, got {shape!r}.")
    return tuple(int(length) for length in lengths)
