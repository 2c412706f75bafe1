"""Evaluate a model as it was declared at many draws: NumPy in and out, in chunks that bound the memory.

The numbers of a draw depend on its index and on the sizes in the model, never on time or on the machine's
memory.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import jax
import numpy as np

from exmc_actors.compiler.pointwise import log_likelihoods
from exmc_actors.compiler.simulation import NOTHING, axes_of, cut_off, simulated
from exmc_actors.compiler.structure import Structure, split
from exmc_actors.errors import ModelError
from exmc_actors.model import (
    Constant,
    Data,
    Distribution,
    Identity,
    Model,
    Observation,
    Reference,
    Shape,
    Site,
    Truncated,
    Variable,
    all_parts,
    expressions_of,
    postorder,
    references,
)
from exmc_actors.model.arrays import first_where
from exmc_actors.model.sites import names_of
from exmc_actors.model.tails import has_gamma_tails
from exmc_actors.xla import compiler_options, precise

Arrays: TypeAlias = Mapping[str, np.ndarray]
"""Values by name, each of shape (draw, *shape)."""

_MOST_KEPT = 64
_CHUNK = 2**20
"""Entries of the largest value in a chunk of draws: 8 MB each."""
_LITTLE = 2**8
"""Of so many random numbers a draw, thousands of draws take less time by unoptimised code than better code
takes to compile."""


def simulate(
    model: Model, names: Sequence[str], key: np.ndarray, count: int, given: Arrays | None = None
) -> dict[str, np.ndarray]:
    """Return draws of the named values, whole numbers as int64 and all others as float64.

    Args:
      model: as it was declared.
      names: of variables, observations and deterministics.
      key: two 32-bit words.
      count: how many draws.
      given: constrained values of the variables that ``inputs_of(model, names)`` names, or nothing: then
        these are drawn from their priors.

    Raises:
      ModelError: naming a variable whose distribution has no draws, or of which nothing is left between its
        bounds; or an observation that is an index and whose simulated values are no positions.
    """
    known = given or {}
    visited = visited_for(model, names, stop=known)
    structure, arguments = _declared(model)
    drawn = visited - known.keys()
    axes, cut = axes_of(structure, drawn), cut_off(structure, drawn)
    function = _simulator(structure, visited, tuple(dict.fromkeys((*names, *axes, *cut))), _is_little(model))
    chunk = _chunk(model, count)
    found = _in_chunks(lambda numbers, values: function(numbers, values, key, arguments), known, count, chunk)
    for name in cut:
        _check_drawn(model, name, found[name])
    for name, length in axes.items():
        _check_positions(name, found[name], length)
    return {name: found[name] for name in names}


def _check_drawn(model: Model, name: str, values: np.ndarray) -> None:
    is_nothing = values == NOTHING if values.dtype.kind == "i" else np.isnan(values)
    at = first_where(is_nothing)
    if at is not None:
        raise ModelError(
            f"{name}: nothing can be drawn from {_distribution_of(model, name)!r} at the values of draw "
            f"{at[0]}: nothing of it lies between its bounds, or its parameters are impossible there. Keep "
            "the bounds where the distribution lies, and scales positive."
        )


def _distribution_of(model: Model, name: str) -> Distribution:
    return next(
        site.distribution
        for site in model.sites
        if isinstance(site, Variable | Observation) and name in names_of(site)
    )


def _check_positions(name: str, values: np.ndarray, length: int) -> None:
    wrong = values[(values < -length) | (values >= length) | (values % 1 != 0)]
    if wrong.size:
        raise ModelError(
            f"{name}: {wrong[0]} was drawn, and is no position in the axis of {length} entries that {name} "
            f"is an index of: give {name} a distribution of whole numbers from 0 to {length - 1}, such as "
            f"Categorical with {length} probabilities."
        )


def log_likelihood(model: Model, given: Arrays, count: int) -> dict[str, np.ndarray]:
    """Return, for each observation, one float64 log density a draw and event.

    Args:
      model: as it was declared.
      given: constrained values of the variables that ``inputs_of`` names for the observations.
      count: how many draws.
    """
    observed = tuple(model.observed_data)
    visited = visited_for(model, observed, stop=given)
    structure, arguments = _declared(model)
    function = _pointwise(structure, visited, observed)
    chunk = _chunk(model, count)
    return _in_chunks(lambda numbers, values: function(numbers, values, arguments), given, count, chunk)


def inputs_of(model: Model, names: Collection[str]) -> tuple[str, ...]:
    """Return the free variables that the named values depend on, with no free variable between."""
    free = [site.name for site in model.free]
    visited = visited_for(model, names, stop=free)
    return tuple(name for name in free if name in visited)


def visited_for(model: Model, names: Collection[str], stop: Collection[str]) -> frozenset[str]:
    """Return the named sites and all that they depend on, looking no further than what is in ``stop``."""
    wanted = set(names)
    visited = set()
    for site in reversed(model.sites):
        if isinstance(site, Data) or wanted.isdisjoint(names_of(site)):
            continue
        visited.add(site.name)
        if site.name not in stop:
            wanted.update(references(expressions_of(site)))
    return frozenset(visited)


def _declared(model: Model) -> tuple[Structure, tuple[np.ndarray, ...]]:
    """Return the structure of a model whose variables are what they were declared to be, and its arrays."""
    return split(model.with_sites(tuple(map(_as_declared, model.sites))))


def _as_declared(site: Site) -> Site:
    """Return a site without what says how it is sampled, but with what says what it is."""
    if not isinstance(site, Variable):
        return site
    is_meant = site.transform is not None and site.transform.constrains
    return replace(site, transform=site.transform if is_meant else Identity(), centered=None)


@lru_cache(maxsize=_MOST_KEPT)
def _simulator(
    structure: Structure, visited: frozenset[str], names: tuple[str, ...], is_little: bool
) -> Callable[..., Any]:
    def one(number: Any, given: Any, key: Any, arguments: Any) -> OrderedDict[str, jax.Array]:
        root = jax.random.wrap_key_data(key, impl="threefry2x32")
        values = simulated(structure, visited, jax.random.fold_in(root, number), given, arguments)
        return OrderedDict((name, values[name]) for name in names)

    # A sampler of gamma variates takes seconds to compile, a quarter of that without optimisation.
    level: dict[str, Any] = {"xla_backend_optimization_level": 0} if is_little else {}
    return jax.jit(jax.vmap(one, in_axes=(0, 0, None, None)), compiler_options=level | compiler_options())


@lru_cache(maxsize=_MOST_KEPT)
def _pointwise(structure: Structure, visited: frozenset[str], names: tuple[str, ...]) -> Callable[..., Any]:
    def one(_: Any, given: Any, arguments: Any) -> OrderedDict[str, jax.Array]:
        values = log_likelihoods(structure, visited, given, arguments)
        return OrderedDict((name, values[name]) for name in names)

    # The numbers of the draws are not looked at, but there is nothing else where nothing is given.
    return jax.jit(jax.vmap(one, in_axes=(0, 0, None)), compiler_options=compiler_options())


def _is_little(model: Model) -> bool:
    """Say so by what the whole model draws: other code rounds otherwise, whatever of it is asked for."""
    drawn = [site for site in model.sites if isinstance(site, Variable | Observation)]
    numbers = sum(prod(model.shapes[site.name]) for site in drawn)
    return numbers <= _LITTLE and not any(_is_laborious(site.distribution) for site in drawn)


def _is_laborious(distribution: Distribution) -> bool:
    """Say whether a draw inverts tails that are themselves long sums: thousands of terms a number."""
    cut = (part for part in all_parts(distribution) if isinstance(part, Truncated))
    return any(has_gamma_tails(part) for whole in cut for part in whole.parts)


def _in_chunks(
    function: Callable[..., Mapping[str, jax.Array]], given: Arrays, count: int, chunk: int
) -> dict[str, np.ndarray]:
    """Return what ``function`` gives for each draw; all chunks are of one length, so it compiles once."""
    found: dict[str, np.ndarray] = {}
    with precise():
        for first in range(0, count, chunk):
            # The last chunk is filled up with its last draw.
            numbers = np.minimum(np.arange(first, first + chunk), count - 1)
            part = function(numbers, {name: values[numbers] for name, values in given.items()})
            for name, values in part.items():
                if name not in found:
                    found[name] = np.empty((count, *values.shape[1:]), values.dtype)
                found[name][first : first + chunk] = np.asarray(values)[: count - first]
    return found


def _chunk(model: Model, count: int) -> int:
    return min(count, max(1, _CHUNK // _largest(model)))


def _largest(model: Model) -> int:
    """Return the entries of the largest value that one draw makes."""
    shapes: list[Shape] = [
        model.shapes[site.name] for site in model.sites if isinstance(site, Variable | Observation)
    ]
    for site in model.sites:
        for root in expressions_of(site):
            within = model.scope.shapes_within(root)
            computed = [node for node in postorder((root,)) if not isinstance(node, Constant | Reference)]
            shapes += [within[id(node)] for node in computed]
    return max(1, *map(prod, shapes))
