"""The improper flat prior."""

from dataclasses import dataclass
from typing import Any, final

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.supports import Real, Support


@final
@dataclass(frozen=True, eq=False, repr=False)
class Flat(Distribution):
    """The improper prior that is one everywhere: it adds nothing to the log density."""

    @property
    def support(self) -> Support:
        """Every number."""
        return Real()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``."""
        return jnp.zeros_like(x)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        return 0.0

    def mean(self) -> Any:
        """Refuse: the distribution is improper."""
        raise ModelError("Flat has no mean: it is no probability distribution. Write Normal(0.0, 10.0), say.")

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Refuse: the distribution is improper."""
        raise ModelError(
            "Flat has no draws: it is no probability distribution. Write Normal(0.0, 10.0), say."
        )
