"""Rewrite a model before it is compiled: named functions from model to model, in a fixed order.

The program computes with the rewritten model; whatever needs the rows of the data, such as pointwise log
likelihoods and predictions, takes the model as it was declared.
"""

from exmc_actors.compiler.passes.constant_folding import constant_folding
from exmc_actors.compiler.passes.default_transforms import default_transforms
from exmc_actors.compiler.passes.gaussian_reduction import gaussian_reduction
from exmc_actors.compiler.passes.glm_fusion import glm_fusion
from exmc_actors.compiler.passes.measurable_operations import measurable_operations
from exmc_actors.compiler.passes.non_centering import FEW, non_centering
from exmc_actors.compiler.passes.report import Pass, PassReport, Rewritten
from exmc_actors.model import Model

PASSES: tuple[Pass, ...] = (
    measurable_operations,  # first: what is solved for is no variable to the others
    non_centering,  # before the default transforms, which would give its variables the identity
    default_transforms,
    constant_folding,  # before the reductions, which then find arrays where data were computed with
    gaussian_reduction,
    glm_fusion,
)


def apply_passes(model: Model, passes: tuple[Pass, ...] = PASSES) -> tuple[Model, tuple[PassReport, ...]]:
    """Return the model after the passes, and what each of them did."""
    reports = []
    for rewriting in passes:
        rewritten = rewriting(model)
        model = rewritten.model
        reports.append(PassReport(getattr(rewriting, "__name__", repr(rewriting)), rewritten.lines))
    return model, tuple(reports)


def rewrite(model: Model) -> Model:
    """Return the model after all passes."""
    return apply_passes(model)[0]


__all__ = [
    "FEW",
    "PASSES",
    "Pass",
    "PassReport",
    "Rewritten",
    "apply_passes",
    "constant_folding",
    "default_transforms",
    "gaussian_reduction",
    "glm_fusion",
    "measurable_operations",
    "non_centering",
    "rewrite",
]
