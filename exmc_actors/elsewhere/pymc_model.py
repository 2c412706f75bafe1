"""Borrow the log density of a PyMC model, with PyMC's own transforms; it is not sampled here."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler import Layout
from exmc_actors.elsewhere.borrowed import Borrowed, Description, Values, flattened, shapes_of, unflattened
from exmc_actors.elsewhere.installed import check_installed
from exmc_actors.elsewhere.labels import storable_labels
from exmc_actors.elsewhere.pytensor_graphs import in_jax
from exmc_actors.errors import ModelError
from exmc_actors.xla import import_aside, precise


def from_pymc(model: Any) -> Borrowed:
    """Return the target of a PyMC model, which ``sample`` and ``open_run`` take.

    The flat vector is PyMC's: the transformed variables, in order of declaration.  Chains start as PyMC's do,
    within 1 of its initial point there.  PyTensor turns the log density into a JAX function now, and is not
    used afterwards: what a ``pm.Data`` holds later changes nothing.

    Args:
      model: a ``pymc.Model``.

    Raises:
      ModelError: PyMC is not installed, or the model has discrete variables, none, variables of another
        precision than float64, an operation that JAX lacks, or names or labels that a result cannot hold.
    """
    check_installed("pymc", "PyMC", "from_pymc")
    import pymc

    if not isinstance(model, pymc.Model):
        raise ModelError(f"from_pymc takes a pymc.Model, got {model!r}.")
    _check_variables(model)
    import_aside("pytensor.link.jax.dispatch")
    with precise():
        return Borrowed(_description(model))


def _check_variables(model: Any) -> None:
    if not model.free_RVs:
        raise ModelError("the PyMC model has no free variable: there is nothing to sample.")
    for variable in model.free_RVs:
        dtype = model.rvs_to_values[variable].dtype
        if not dtype.startswith("float"):
            raise ModelError(
                f"{variable.name!r} is discrete, and only continuous variables can be sampled: sum it out of "
                "the model, say by a pymc.Mixture."
            )
        if dtype != "float64":
            raise ModelError(
                f"{variable.name!r} is {dtype}, and sampling needs float64: build the model under "
                "pytensor.config.change_flags(floatX='float64')."
            )


def _description(model: Any) -> Description:
    from pymc.backends.arviz import find_constants, find_observations

    point = model.initial_point(random_seed=0)
    starts = {v.name: np.asarray(point[model.rvs_to_values[v].name], np.float64) for v in model.free_RVs}
    layout = Layout.of(shapes_of(starts))
    reported = [*model.free_RVs, *model.deterministics]
    values = _on_vector(model, layout, model.replace_rvs_by_values(reported), reported)
    shapes = jax.eval_shape(values, np.zeros(layout.size))
    terms = [*model.free_RVs, *model.observed_RVs, *model.potentials]
    log_terms = [_sum(term) for term in model.logp(vars=terms, sum=False)]
    named = {*shapes, *(v.name for v in (*model.observed_RVs, *model.data_vars))}
    dims = {name: _dims(name, dims) for name, dims in model.named_vars_to_dims.items() if name in named}
    return Description(
        library="PyMC",
        layout=layout,
        values_layout=Layout.of(shapes_of({v.name: shapes[v.name] for v in reported})),
        log_density=_log_density(model, layout),
        terms=_on_vector(model, layout, log_terms, terms),
        values=values,
        unconstrained=_unconstrained(model, layout),
        init=np.concatenate([np.ravel(start) for start in starts.values()]),
        observed_data={name: np.asarray(array) for name, array in find_observations(model).items()},
        constant_data={name: np.asarray(array) for name, array in find_constants(model).items()},
        dims=dims,
        coords=_coords(model, {dim for axes in dims.values() for dim in axes}),
    )


def _dims(name: str, dims: Sequence[Any]) -> tuple[str, ...]:
    return tuple(f"{name}_dim_{axis}" if dim is None else str(dim) for axis, dim in enumerate(dims))


def _coords(model: Any, used: Collection[str]) -> dict[str, tuple[Any, ...]]:
    return {
        dim: storable_labels(dim, labels)
        for dim, labels in model.coords.items()
        if dim in used and labels is not None
    }


def _sum(factor: Any) -> Any:
    from pytensor.tensor import as_tensor

    return as_tensor(factor, allow_xtensor_conversion=True).sum()


def _log_density(model: Any, layout: Layout) -> Callable[[jax.Array], jax.Array]:
    run = in_jax(model.value_vars, [model.logp()])
    return lambda flat: jnp.asarray(run(*unflattened(layout, flat).values())[0])


def _on_vector(
    model: Any, layout: Layout, outputs: Sequence[Any], named_as: Sequence[Any]
) -> Callable[[jax.Array], dict[str, jax.Array]]:
    """Return a function of the flat vector that gives the outputs by name."""
    run = in_jax(model.value_vars, outputs)
    names = [variable.name for variable in named_as]
    return lambda flat: dict(zip(names, run(*unflattened(layout, flat).values()), strict=True))


def _unconstrained(model: Any, layout: Layout) -> Callable[[Values, Values, jax.Array], jax.Array]:
    """Return the function that places given values; a transform may depend on variables declared before."""
    from pytensor import tensor
    from pytensor.graph.replace import clone_replace

    constrained: dict[Any, Any] = {}
    given, flags, outputs = [], [], []
    for variable in model.free_RVs:
        value, transform = model.rvs_to_values[variable], model.rvs_to_transforms[variable]
        given.append(variable.type())
        flags.append(tensor.scalar(dtype="bool"))
        inside, placed = value, given[-1]
        if transform is not None:
            inside = transform.backward(value, *variable.owner.inputs)
            placed = transform.forward(given[-1], *variable.owner.inputs)
        chosen = [tensor.switch(flags[-1], given[-1], inside), tensor.switch(flags[-1], placed, value)]
        chosen = clone_replace(chosen, replace=constrained)
        constrained[variable] = chosen[0]
        outputs.append(chosen[1])
    run = in_jax([*given, *flags, *model.value_vars], outputs)
    names = layout.names

    def place(values: Values, is_given: Values, around: jax.Array) -> jax.Array:
        inputs = [*(values[n] for n in names), *(is_given[n] for n in names)]
        found = run(*inputs, *unflattened(layout, around).values())
        return flattened(layout, dict(zip(names, found, strict=True)))

    return place
