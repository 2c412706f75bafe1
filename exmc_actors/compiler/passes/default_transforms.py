"""Give every variable without a transform the one that its distribution's support calls for."""

from dataclasses import replace

from exmc_actors.compiler.passes.report import Rewritten
from exmc_actors.model import (
    AtLeast,
    AtMost,
    CorrelationFactor,
    Identity,
    Increasing,
    Interval,
    Log,
    Logit,
    Model,
    NonNegative,
    Positive,
    Real,
    ScaledLogit,
    Simplex,
    Site,
    StickBreaking,
    Support,
    Transform,
    UnitInterval,
    Variable,
    as_expression,
    transforms,
)


def default_transforms(model: Model) -> Rewritten:
    """Return the model with a transform on every variable."""
    sites = tuple(map(_with_transform, model.sites))
    lines = tuple(
        f"{new.name}: moved by {type(new.transform).__name__}"
        for old, new in zip(model.sites, sites, strict=True)
        if isinstance(new, Variable) and new is not old and not isinstance(new.transform, Identity)
    )
    return Rewritten(model.with_sites(sites), lines)


def _with_transform(site: Site) -> Site:
    if not isinstance(site, Variable) or site.transform is not None:
        return site
    # A bound may be a plain number of the support's own, where the distribution has given none.
    transform = _transform_for(site.distribution.support).with_parameters(as_expression)
    return replace(site, transform=transform, centered=None)


def _transform_for(support: Support) -> Transform:
    match support:
        case Real():
            return Identity()
        case Positive() | NonNegative():
            return Log()
        case UnitInterval():
            return Logit()
        case Interval():
            return ScaledLogit(support.low, support.high)
        case AtLeast():
            return transforms.LowerBounded(support.low)
        case AtMost():
            return transforms.UpperBounded(support.high)
        case Simplex():
            return StickBreaking()
        case CorrelationFactor():
            return transforms.CorrelationCholesky()
        case Increasing():
            return transforms.Ordered()
    raise AssertionError(f"no transform for {type(support).__name__}")
