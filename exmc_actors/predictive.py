"""Simulate from a model, and say how likely its data is at each draw: what is done with draws afterwards."""

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.compiler import Evaluator, LogDensity, Program
from exmc_actors.compiler.over_draws import inputs_of, simulate
from exmc_actors.compiler.over_draws import log_likelihood as log_likelihood_of
from exmc_actors.compiler.passes import measurable_operations
from exmc_actors.diagnostics.elpd import weights_name
from exmc_actors.diagnostics.groups import build_prior, draws_of, with_group
from exmc_actors.diagnostics.quantities import names_in
from exmc_actors.errors import SamplingWarning, SettingsError
from exmc_actors.model import Deterministic, Model, Observation, Potential, unknown
from exmc_actors.runtime import check

if TYPE_CHECKING:
    import xarray

# Chains have keys of one word after the seed; these have two, so that one seed may serve everything.
_PRIOR, _POSTERIOR = (0, 0), (0, 1)


def sample_prior_predictive(
    model: Any, draws: int = 500, random_seed: int | None = None
) -> "xarray.DataTree":
    """Simulate from the model as it was declared, without looking at its observations.

    The same arguments give the same draws, bit for bit.

    Args:
      model: a ``Model`` or a ``Program``.
      draws: how many.
      random_seed: a non-negative integer; None draws one, which the result's attributes then hold.

    Returns:
      A tree with the groups ``prior`` (free variables and deterministics), ``prior_predictive`` (what might
      have been observed), ``observed_data`` and ``constant_data``; dimensions chain (one) and draw first.

    Raises:
      ModelError: a prior is improper, so that it has no draws.
      SettingsError: an argument is of the wrong kind or out of range.

    Warns:
      SamplingWarning: the model has potentials, which cannot be simulated and are left out.
    """
    declared = _declared(model)
    settings = check(draws=draws, random_seed=random_seed)
    potentials = [site.name for site in declared.sites if isinstance(site, Potential)]
    if potentials:
        warnings.warn(
            f"{', '.join(potentials)}: potentials are left out of draws from the prior, which thus is that "
            "of the other declarations alone.",
            SamplingWarning,
            stacklevel=2,
        )
    observed = list(declared.observed_data)
    names = [site.name for site in declared.free] + _deterministics(declared) + observed
    found = simulate(declared, names, _key(settings.random_seed, _PRIOR), settings.draws)
    chains = {name: values[np.newaxis] for name, values in found.items()}
    return build_prior(
        {name: values for name, values in chains.items() if name not in observed},
        {name: values for name, values in chains.items() if name in observed},
        observed_data=declared.observed_data,
        constant_data=declared.constant_data,
        dims=declared.dims,
        coords=declared.coords,
        attrs=_attributes(random_seed=settings.random_seed, draws=settings.draws),
    )


def sample_posterior_predictive(
    tree: "xarray.DataTree",
    model: Any,
    random_seed: int | None = None,
    var_names: str | Sequence[str] | None = None,
) -> "xarray.DataTree":
    """Simulate what might be observed at each draw of a posterior.

    The same arguments give the same values, bit for bit.  Whichever names are asked for, a value is the same
    too, but for its last bits in models that draw more than 256 numbers.  The model may have other data than
    the one that was sampled, of other lengths too, as long as the free variables that are needed keep their
    shapes.  Draws are matched to the model by their labels, where both have labels.

    Args:
      tree: with a group ``posterior``; it stays as it is.
      model: a ``Model`` or a ``Program``.
      random_seed: a non-negative integer; None draws one, which the group's attributes then hold.
      var_names: observations to simulate and deterministics to compute; None for all observations.

    Returns:
      The tree with a group ``posterior_predictive``.

    Raises:
      SettingsError: the posterior lacks a variable, or has it in another shape or with other labels; or an
        argument is of the wrong kind or out of range.
    """
    declared = _declared(model)
    seed = check(random_seed=random_seed).random_seed
    names = _predicted(declared, var_names)
    given, counts = _given(tree, declared, names)
    found = simulate(declared, names, _key(seed, _POSTERIOR), counts[0] * counts[1], given)
    return _extended(tree, "posterior_predictive", found, counts, declared, random_seed=seed)


def log_likelihood(tree: "xarray.DataTree", model: Any) -> "xarray.DataTree":
    """Compute the log density of every observed event at each draw of a posterior.

    An event is one number, or a vector or matrix where the distribution is one of these.  Where an
    observation ``y`` has weights, its values are multiplied by them, and a coordinate ``y_weights`` has them.

    Args:
      tree: with a group ``posterior``; it stays as it is.
      model: a ``Model`` or a ``Program``.

    Returns:
      The tree with a group ``log_likelihood``, which ``loo``, ``waic`` and ``compare`` read.

    Raises:
      SettingsError: the posterior lacks a variable, or has it in another shape or with other labels; or the
        model observes nothing.
    """
    declared = _declared(model)
    observed = _predicted(declared, None)
    given, counts = _given(tree, declared, observed)
    found = log_likelihood_of(declared, given, counts[0] * counts[1])
    extended = _extended(tree, "log_likelihood", found, counts, declared)
    _add_weights(extended.children["log_likelihood"], declared)
    return extended


def _add_weights(group: "xarray.DataTree", model: Model) -> None:
    """Add weights as coordinates: what weighs nothing has the value of what is certain, but is none."""
    for site in model.sites:
        if isinstance(site, Observation) and site.weights is not None:
            name = weights_name(site.name)
            if name in group:
                raise SettingsError(
                    f"{name} is an observation, and would be the name of the weights of {site.name}: name it "
                    "otherwise."
                )
            events = group[site.name].isel(chain=0, draw=0)
            group.coords[name] = (
                events.dims,
                np.broadcast_to(site.weights.array, events.shape).astype(float),
            )


def _declared(model: Any) -> Model:
    """Return the model as it was declared, but for observed expressions, which are solved."""
    declared = model.model if isinstance(model, Program) else model
    if isinstance(declared, Model):
        return measurable_operations(declared).model
    if isinstance(model, LogDensity):
        raise SettingsError(
            "a LogDensity says nothing of data, so that nothing can be predicted: give a Model."
        )
    if isinstance(model, Evaluator):
        raise SettingsError(
            f"{model!r} comes from another library, whose own functions predict from the draws."
        )
    raise SettingsError(f"a Model or a Program is expected, got {model!r}: a builder gives one by b.model().")


def _deterministics(model: Model) -> list[str]:
    return [site.name for site in model.sites if isinstance(site, Deterministic)]


def _predicted(model: Model, var_names: str | Sequence[str] | None) -> list[str]:
    """Return the observations, or what was asked for instead."""
    observed = [site.name for site in model.sites if isinstance(site, Observation)]
    if var_names is None:
        if not observed:
            raise SettingsError(
                "the model observes nothing, so that there is nothing to predict: declare data by b.obs(...)."
            )
        return observed
    known = observed + _deterministics(model)
    names = list(dict.fromkeys(names_in(var_names)))
    free = {site.name for site in model.free}
    for name in names:
        if name in free:
            raise SettingsError(f"{name} is a free variable: its draws are in the tree's posterior already.")
        if name not in known:
            raise SettingsError(f"var_names: {unknown('observation or deterministic', name, known)}")
    if not names:
        raise SettingsError(
            "var_names is empty, so that nothing would be predicted: name one, or leave it out."
        )
    return names


def _given(
    tree: "xarray.DataTree", model: Model, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], tuple[int, int]]:
    shapes = {name: model.shapes[name] for name in inputs_of(model, names)}
    return draws_of(tree, shapes, model.dims, model.coords)


def _extended(
    tree: "xarray.DataTree",
    group: str,
    found: dict[str, np.ndarray],
    counts: tuple[int, int],
    model: Model,
    **attrs: Any,
) -> "xarray.DataTree":
    arrays = {name: values.reshape(*counts, *values.shape[1:]) for name, values in found.items()}
    return with_group(tree, group, arrays, dims=model.dims, coords=model.coords, attrs=_attributes(**attrs))


def _attributes(**attrs: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"created_at": now, "inference_library_version": version("exmc-actors"), **attrs}


def _key(random_seed: int, purpose: tuple[int, ...]) -> np.ndarray:
    return np.random.SeedSequence(random_seed, spawn_key=purpose).generate_state(2, np.uint32)
