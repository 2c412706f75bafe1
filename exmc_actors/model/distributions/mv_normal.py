"""The multivariate normal distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, pi
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp

from exmc_actors.errors import ModelError
from exmc_actors.model.array_supports import PositiveDefinite, TriangularFactor
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.shapes import Shape, broadcast, drop_last
from exmc_actors.model.supports import Real, Support
from exmc_actors.model.triangular import cholesky, log_diagonal, solve_lower


@final
@dataclass(frozen=True, eq=False, repr=False)
class MvNormal(Distribution):
    """The normal distribution of vectors, with mean ``mu`` and one of three matrices.

    ``cov`` is the covariance matrix, ``tau`` its inverse (the precision), ``chol`` the lower triangular
    Cholesky factor of the covariance; of ``chol`` only the lower triangle is read.
    """

    mu: Any
    cov: Any = None
    tau: Any = None
    chol: Any = None
    parameter_supports: ClassVar[Mapping[str, Support]] = {
        "cov": PositiveDefinite(),
        "tau": PositiveDefinite(),
        "chol": TriangularFactor(),
    }

    def __post_init__(self) -> None:
        """Refuse none or several matrices, and known ones that are impossible."""
        given = [name for name in ("cov", "tau", "chol") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ModelError(
                f"MvNormal: one of cov, tau and chol must be given, got {' and '.join(given) or 'none'}: "
                "write MvNormal(mu, cov), MvNormal(mu, tau=precision) or MvNormal(mu, chol=factor)."
            )
        super().__post_init__()

    @property
    def event_ndim(self) -> int:
        """One: a vector."""
        return 1

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of the means, stretched to the matrices."""
        name = next(name for name in ("cov", "tau", "chol") if name in shapes)
        batch, matrix = drop_last(name, shapes[name], 2), shapes[name][-2:]
        if matrix[0] != matrix[1]:
            raise ModelError(f"MvNormal's {name} must be square, got shape {shapes[name]}.")
        return broadcast(shapes["mu"] or (1,), (*batch, matrix[0]))

    @property
    def support(self) -> Support:
        """Every vector."""
        return Real()

    @cached_property
    def _factor(self) -> Any:
        """The factor of the precision if that is given, of the covariance otherwise."""
        if self.chol is not None:
            return self.chol
        return cholesky(self.cov if self.tau is None else self.tau)

    def log_kernel(self, x: Any) -> Any:
        """Return half the squared distance from the mean, in the metric of the precision, below zero."""
        if self.tau is not None:
            whitened = jnp.einsum("...ij,...i->...j", self._factor, x - self.mu)
        else:
            whitened = solve_lower(self._factor, x - self.mu)
        return -0.5 * jnp.sum(whitened * whitened, axis=-1)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only."""
        half = log_diagonal(self._factor)
        return 0.5 * log(2.0 * pi) * self._factor.shape[-1] + (half if self.tau is None else -half)

    def mean(self) -> Any:
        """Return the mean."""
        return jnp.broadcast_to(self.mu, jnp.broadcast_shapes(jnp.shape(self.mu), self._factor.shape[:-1]))

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent vectors."""
        noise = jax.random.normal(key, shape)
        if self.tau is None:
            return jnp.asarray(self.mu + jnp.einsum("...ij,...j->...i", self._factor, noise))
        turned = jnp.swapaxes(self._factor, -1, -2)[..., ::-1, ::-1]
        return jnp.asarray(self.mu + solve_lower(turned, noise[..., ::-1])[..., ::-1])
