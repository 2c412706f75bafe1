"""Name what a model consists of: one record for each declaration, in order, holding expressions."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from exmc_actors.model.distributions import Distribution
from exmc_actors.model.distributions.distribution import all_parts
from exmc_actors.model.expression import Constant, Expression
from exmc_actors.model.shapes import Shape
from exmc_actors.model.text import expression_text
from exmc_actors.model.transforms import Transform

Dims: TypeAlias = tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Data:
    """A named input whose values may be replaced without compiling again."""

    name: str
    value: Constant
    dims: Dims = None

    def __str__(self) -> str:
        return f"{self.name} = data {expression_text(self.value)}"


@dataclass(frozen=True, eq=False)
class Variable:
    """A random variable that is not observed."""

    name: str
    distribution: Distribution
    shape: Shape
    dims: Dims = None
    transform: Transform | None = None
    centered: bool | None = None

    def __str__(self) -> str:
        shape = f", shape {self.shape}" if self.shape else ""
        transform = f", {type(self.transform).__name__}" if self.transform is not None else ""
        centered = "" if self.centered is None else f", centered={self.centered}"
        return f"{self.name} ~ {self.distribution!r}{shape}{transform}{centered}"


@dataclass(frozen=True, eq=False)
class Observation:
    """A random variable whose value is known."""

    name: str
    distribution: Distribution
    value: Constant
    dims: Dims = None
    variable: str | None = None
    """The name under which it was declared as a variable, where that differs."""
    weights: Constant | None = None
    """How often each event counts; once where not given."""
    transform: Transform | None = None
    """That of the variable, where it says what the values are."""

    def __str__(self) -> str:
        variable = f", variable {self.variable}" if self.variable else ""
        weights = "" if self.weights is None else f", weights {expression_text(self.weights)}"
        transform = f", {type(self.transform).__name__}" if self.transform is not None else ""
        return f"{self.name} ~ {self.distribution!r} observed{variable}{weights}{transform}"


@dataclass(frozen=True, eq=False)
class Measurement:
    """A known value of what is computed from a random variable, which thereby is known as well."""

    name: str
    expression: Expression
    value: Constant
    variable: str
    """The name of the variable that the expression is solved for."""
    dims: Dims = None
    weights: Constant | None = None
    """How often each event counts; once where not given."""

    def __str__(self) -> str:
        weights = "" if self.weights is None else f", weights {expression_text(self.weights)}"
        return (
            f"{self.name} = {expression_text(self.expression)} observed, solved for {self.variable}{weights}"
        )


@dataclass(frozen=True, eq=False)
class Deterministic:
    """A named value computed from others, reported with the draws."""

    name: str
    expression: Expression
    dims: Dims = None

    def __str__(self) -> str:
        return f"{self.name} = {expression_text(self.expression)}"


@dataclass(frozen=True, eq=False)
class Potential:
    """A term added to the log density; the sum of its entries counts."""

    name: str
    expression: Expression

    def __str__(self) -> str:
        return f"{self.name}: add {expression_text(self.expression)} to the log density"


Site: TypeAlias = Data | Variable | Observation | Measurement | Deterministic | Potential


def names_of(site: Site) -> tuple[str, ...]:
    """Return the names under which a site's value can be referred to."""
    if isinstance(site, Observation) and site.variable is not None:
        return (site.name, site.variable)
    return (site.name,)


def expressions_of(site: Site) -> tuple[Expression, ...]:
    """Return what a site is computed from, besides its own data."""
    if isinstance(site, Variable):
        transform: dict[str, Any] = site.transform.parameters if site.transform else {}
        return (*_parameters(site.distribution), *transform.values())
    if isinstance(site, Observation):
        return _parameters(site.distribution)
    if isinstance(site, Measurement | Deterministic | Potential):
        return (site.expression,)
    return ()


def _parameters(distribution: Distribution) -> tuple[Expression, ...]:
    return tuple(value for part in all_parts(distribution) for value in part.parameters.values())
