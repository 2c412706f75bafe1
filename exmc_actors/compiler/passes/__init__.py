"""Rewrite a model before it is compiled: named functions from model to model, in a fixed order."""

from collections.abc import Callable

from exmc_actors.compiler.passes.default_transforms import default_transforms
from exmc_actors.compiler.passes.non_centering import FEW, non_centering
from exmc_actors.model import Model

PASSES: tuple[Callable[[Model], Model], ...] = (
    non_centering,  # before the default transforms, which would give its variables the identity
    default_transforms,
)


def rewrite(model: Model) -> Model:
    """Return the model after all passes."""
    for rewriting in PASSES:
        model = rewriting(model)
    return model


__all__ = ["FEW", "PASSES", "default_transforms", "non_centering", "rewrite"]
