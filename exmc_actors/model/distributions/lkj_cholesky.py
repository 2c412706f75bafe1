"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any, ClassVar, final

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.errors import ModelError
from exmc_actors.model.array_supports import CorrelationFactor
from exmc_actors.model.distributions.distribution import Distribution, known_value
from exmc_actors.model.expression import Literal
from exmc_actors.model.shapes import Shape
from exmc_actors.model.supports import Positive, Support
from exmc_actors.model.triangular import diagonal


@final
@dataclass(frozen=True, eq=False, repr=False)
class LKJCholesky(Distribution):
    """The Cholesky factor of a correlation matrix of ``n`` rows whose density is ``det ** (eta - 1)``.

    ``eta`` 1 makes all correlation matrices equally likely, more draws them towards the identity.
    Lewandowski, Kurowicka & Joe (2009), Generating random correlation matrices based on vines and extended
    onion method.  The density is that of the factor, on its entries below the diagonal.
    """

    n: Any
    eta: Any = 1.0
    parameter_supports: ClassVar[Mapping[str, Support]] = {"eta": Positive()}
    watched_parameters: ClassVar[tuple[str, ...]] = ("eta",)

    def __post_init__(self) -> None:
        """Refuse a number of rows that is none."""
        rows = known_value(self.n)
        if rows is None or rows.shape or not rows >= 2 or rows % 1:
            raise ModelError(
                f"LKJCholesky: n must be a whole number of rows, 2 or more, got {self.n!r}: "
                "it says the shape of the matrix, so it cannot depend on a variable."
            )
        # A literal is part of the structure, as shapes are.
        object.__setattr__(self, "n", Literal(int(rows)))
        super().__post_init__()

    @property
    def event_ndim(self) -> int:
        """Two: a matrix."""
        return 2

    @property
    def _rows(self) -> int:
        return int(self.n.value)

    def value_shape(self, shapes: Mapping[str, Shape], parts: Sequence[Shape]) -> Shape:
        """Return the shape of the matrices."""
        return (*shapes.get("eta", ()), self._rows, self._rows)

    @property
    def support(self) -> Support:
        """Cholesky factors of correlation matrices."""
        return CorrelationFactor()

    def log_kernel(self, x: Any) -> Any:
        """Return the part that depends on ``x``: powers of the diagonal."""
        after = np.arange(self._rows - 2, -1, -1.0)
        powers = after + 2.0 * jnp.asarray(self.eta, dtype=float)[..., None] - 2.0
        return jnp.sum(powers * jnp.log(diagonal(x)[..., 1:]), axis=-1)

    def log_normaliser(self) -> Any:
        """Return the part that depends on the parameters only (LKJ 2009, theorem 5, for the factor)."""
        eta, rows = jnp.asarray(self.eta, dtype=float)[..., None], self._rows
        k = np.arange(1.0, rows)
        terms = 0.5 * k * log(pi) + jax.lax.lgamma(eta + 0.5 * (rows - 1.0 - k))
        return jnp.sum(terms - jax.lax.lgamma(eta + 0.5 * (rows - 1.0)), axis=-1)

    def mean(self) -> Any:
        """Return NaN: the mean of the factor has no simple form; that of the correlations is the identity."""
        return jnp.full((self._rows, self._rows), jnp.nan)

    def sample(self, key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """Draw independent factors by the onion method (LKJ 2009, section 3.2), row by row."""
        rows, batch = self._rows, shape[:-2]
        first, second = jax.random.split(key)
        i = np.arange(1.0, rows)
        eta = jnp.asarray(self.eta, dtype=float)[..., None]
        lengths = jax.random.beta(first, 0.5 * i, eta + 0.5 * (rows - 1.0 - i), (*batch, rows - 1))
        normals = jax.random.normal(second, (*batch, rows - 1, rows)) * np.tri(rows - 1, rows)
        directions = normals / jnp.linalg.norm(normals, axis=-1, keepdims=True)
        below = directions * jnp.sqrt(lengths)[..., None]
        right = jnp.sqrt(1.0 - lengths)[..., None] * np.eye(rows - 1, rows, k=1)
        top = jnp.broadcast_to(np.eye(1, rows), (*batch, 1, rows))
        return jnp.concatenate([top, below + right], axis=-2)
