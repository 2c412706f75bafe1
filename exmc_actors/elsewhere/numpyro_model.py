"""Borrow the log density of a NumPyro model, with NumPyro's own bijections; sampling it is not done here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.compiler import Layout
from exmc_actors.elsewhere.borrowed import Borrowed, Description, Values, flattened, shapes_of, unflattened
from exmc_actors.elsewhere.installed import check_installed
from exmc_actors.errors import ModelError
from exmc_actors.xla import precise


def from_numpyro(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Borrowed:
    """Return the target of a NumPyro model, which ``sample`` and ``open_run`` take.

    The flat vector is NumPyro's: the unconstrained variables, sorted by name.  Chains start as NumPyro's do,
    uniformly between -2 and 2 there.  The model runs a few times now, and never again.

    Args:
      fn: the model.
      args: what the model takes; arrays of floating-point numbers become double precision.
      kwargs: likewise.

    Raises:
      ModelError: NumPyro is not installed, or the model has discrete variables, none at all, or a name that a
        result cannot hold.
    """
    check_installed("numpyro", "NumPyro", "from_numpyro")
    if not callable(fn):
        raise ModelError(f"from_numpyro takes a function that declares a NumPyro model, got {fn!r}.")
    with precise():
        args, kwargs = jax.tree.map(_in_double, (args, kwargs))
        return Borrowed(_description(_Model(fn, args, kwargs)))


def _in_double(leaf: Any) -> Any:
    is_array = isinstance(leaf, jax.Array | np.ndarray)
    return leaf.astype(np.float64) if is_array and jnp.issubdtype(leaf.dtype, jnp.floating) else leaf


@dataclass(frozen=True)
class _Model:
    """A model with what it takes.  Its random choices are the same in every run."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    subsamples: Mapping[str, Any] = field(default_factory=dict)
    """Indices by plate, found in a run that was not traced: a model may use them on arrays of NumPy's."""

    def seeded(self) -> Any:
        from numpyro import handlers

        return handlers.substitute(handlers.seed(self.fn, 0), data=dict(self.subsamples))

    def trace(self, substitute: Callable[[Any], Any]) -> dict[str, Any]:
        """Run the model, with values for its variables from a function of a site."""
        from numpyro import handlers

        substituted = handlers.substitute(self.seeded(), substitute_fn=substitute)
        sites: dict[str, Any] = handlers.trace(substituted).get_trace(*self.args, **self.kwargs)
        return sites

    def potential_energy(self, params: Values) -> jax.Array:
        from numpyro.infer.util import potential_energy

        return jnp.asarray(potential_energy(self.seeded(), self.args, self.kwargs, params))

    def constrain(self, params: Values) -> dict[str, jax.Array]:
        from numpyro.infer.util import constrain_fn

        values: dict[str, jax.Array] = constrain_fn(
            self.seeded(), self.args, self.kwargs, params, return_deterministic=True
        )
        return values

    def unconstrain(self, values: Values) -> dict[str, jax.Array]:
        from numpyro.infer.util import unconstrain_fn

        params: dict[str, jax.Array] = unconstrain_fn(self.seeded(), self.args, self.kwargs, values)
        return params


def _description(model: _Model) -> Description:
    from numpyro.infer import init_to_uniform

    sites = model.trace(init_to_uniform())
    plates = {name: site["value"] for name, site in sites.items() if site["type"] == "plate"}
    model = replace(model, subsamples=plates)
    free = {name: site["value"] for name, site in sites.items() if _is_free(site)}
    derived = {name: site["value"] for name, site in sites.items() if site["type"] == "deterministic"}
    params = jax.eval_shape(model.unconstrain, free)
    layout = Layout.of(shapes_of({name: params[name] for name in sorted(params)}))
    return Description(
        library="NumPyro",
        layout=layout,
        values_layout=Layout.of(shapes_of(free) + shapes_of(derived)),
        log_density=lambda flat: -model.potential_energy(unflattened(layout, flat)),
        terms=lambda flat: _terms(model, unflattened(layout, flat)),
        values=lambda flat: model.constrain(unflattened(layout, flat)),
        unconstrained=lambda values, is_given, around: _unconstrained(
            model, layout, values, is_given, around
        ),
        observed_data={name: np.asarray(site["value"]) for name, site in sites.items() if _is_data(site)},
        dims={name: dims for name, site in sites.items() if (dims := _dims(site))},
    )


def _is_free(site: Mapping[str, Any]) -> bool:
    """Say whether a site is a free variable.

    Raises:
      ModelError: it is one that has no log density in an unconstrained space.
    """
    from numpyro import distributions

    if site["type"] != "sample" or site["is_observed"]:
        return False
    if site["fn"].support.is_discrete:
        raise ModelError(
            f"{site['name']!r} is discrete, and only continuous variables can be sampled: sum it out of the "
            "model, say by a MixtureSameFamily."
        )
    if isinstance(site["fn"], distributions.Delta):
        raise ModelError(f"{site['name']!r} is a Delta: write numpyro.deterministic, or observe it.")
    return True


def _is_data(site: Mapping[str, Any]) -> bool:
    from numpyro import distributions

    is_observed = site["type"] == "sample" and site["is_observed"]
    return is_observed and not isinstance(site["fn"], distributions.Unit)  # a factor


def _dims(site: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of a site's axes, from the plates around it; nothing where there are none."""
    if site["type"] not in ("sample", "deterministic"):
        return ()
    name, shape = site["name"], np.shape(site["value"])
    event_dim = site["fn"].event_dim if site["type"] == "sample" else _axes_behind_plates(site, shape)
    axes = {len(shape) - event_dim + frame.dim: frame for frame in site["cond_indep_stack"]}
    plates = {axis: frame.name for axis, frame in axes.items() if axis >= 0 and shape[axis] == frame.size}
    if not plates:
        return ()
    return tuple(plates.get(axis, f"{name}_dim_{axis}") for axis in range(len(shape)))


def _axes_behind_plates(site: Mapping[str, Any], shape: tuple[int, ...]) -> int:
    """Return how many axes a deterministic has behind those of its plates; nothing but its shape tells.

    Its first axes are those of the plates, as ArviZ reads it, or its last ones where the first do not fit.
    """
    frames = site["cond_indep_stack"]
    depth = max((-frame.dim for frame in frames), default=0)
    leads = depth <= len(shape) and all(shape[depth + frame.dim] == frame.size for frame in frames)
    return len(shape) - depth if leads else 0


def _terms(model: _Model, params: Values) -> dict[str, jax.Array]:
    """Return each site's part of the log density, a free variable's with its Jacobian."""
    from numpyro import handlers

    with handlers.trace() as sites:
        model.potential_energy(params)
    parts = {name: _log_probability(site) for name, site in sites.items() if site["type"] == "sample"}
    jacobians = {name: parts.pop(f"_{name}_log_det", 0.0) for name in params}
    return {name: part + jacobians.get(name, 0.0) for name, part in parts.items()}


def _log_probability(site: Mapping[str, Any]) -> jax.Array:
    intermediates = (site["intermediates"],) if site["intermediates"] else ()
    log_probability = site["fn"].log_prob(site["value"], *intermediates)
    return jnp.sum(log_probability if site["scale"] is None else site["scale"] * log_probability)


def _unconstrained(
    model: _Model, layout: Layout, values: Values, is_given: Values, around: jax.Array
) -> jax.Array:
    from numpyro.distributions import biject_to

    params = unflattened(layout, around)

    def choose(site: Mapping[str, Any]) -> Any:
        # In order of declaration, so that a support that depends on other variables is the right one.
        name = site["name"]
        if site["type"] != "sample" or name not in params:
            return None
        return jnp.where(is_given[name], values[name], biject_to(site["fn"].support)(params[name]))

    sites = model.trace(choose)
    found = model.unconstrain({name: sites[name]["value"] for name in params})
    chosen = {name: jnp.where(is_given[name], found[name], params[name]) for name in params}
    return flattened(layout, chosen)
