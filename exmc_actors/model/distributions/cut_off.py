"""What ``Truncated`` and ``Censored`` share: a distribution and two bounds, checked when they are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions.bounds import check_order
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.shapes import Shape, broadcast
from exmc_actors.model.tails import check_tails


@dataclass(frozen=True, eq=False, repr=False)
class CutOff(Distribution):
    """A distribution between bounds; None for no bound."""

    distribution: Any
    lower: Any = None
    upper: Any = None
    part_field: ClassVar[str | None] = "distribution"

    def __post_init__(self) -> None:
        """Refuse what is no distribution, one whose tails are not known, and bounds the wrong way round."""
        name = type(self).__name__
        if not isinstance(self.distribution, Distribution):
            raise ModelError(
                f"{name}: a distribution is expected, got {self.distribution!r}: "
                f"write {name}(Normal(0.0, 1.0), lower=0.0), say."
            )
        check_tails(self.distribution)
        if self.lower is None and self.upper is None:
            raise ModelError(
                f"{name}: a bound is expected, got none: write {name}({self.distribution!r}, lower=0.0), say."
            )
        super().__post_init__()
        check_order(self, "lower", "upper")

    @property
    def _part(self) -> Distribution:
        return self.parts[0]

    def value_shape(self, shapes: Any, parts: Sequence[Shape]) -> Shape:
        """Return the shape of the values and the bounds together."""
        return broadcast(self.batch_shape(shapes), parts[0])
