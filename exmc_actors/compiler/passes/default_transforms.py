"""Give every variable without a transform the one that its distribution's support calls for."""

from dataclasses import replace

from exmc_actors.model import (
    Identity,
    Interval,
    Log,
    Logit,
    Model,
    NonNegative,
    Positive,
    Real,
    ScaledLogit,
    Site,
    Support,
    Transform,
    UnitInterval,
    Variable,
)


def default_transforms(model: Model) -> Model:
    """Return the model with a transform on every variable."""
    return model.with_sites(tuple(_with_transform(site) for site in model.sites))


def _with_transform(site: Site) -> Site:
    if not isinstance(site, Variable) or site.transform is not None:
        return site
    return replace(site, transform=_transform_for(site.distribution.support), centered=None)


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
    raise AssertionError(f"no transform for {type(support).__name__}")
