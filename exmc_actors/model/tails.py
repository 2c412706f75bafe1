"""Compute how likely values below and above a point are, for the distributions where that is known exactly.

Each tail is computed by itself, by its logarithm: one minus the other would round it away.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from exmc_actors.errors import ModelError
from exmc_actors.model.distributions.cauchy import Cauchy
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.distributions.exponential import Exponential
from exmc_actors.model.distributions.gamma import Gamma
from exmc_actors.model.distributions.geometric import Geometric
from exmc_actors.model.distributions.gumbel import Gumbel
from exmc_actors.model.distributions.half_cauchy import HalfCauchy
from exmc_actors.model.distributions.half_normal import HalfNormal
from exmc_actors.model.distributions.inverse_gamma import InverseGamma
from exmc_actors.model.distributions.kumaraswamy import Kumaraswamy
from exmc_actors.model.distributions.laplace import Laplace
from exmc_actors.model.distributions.log_normal import LogNormal
from exmc_actors.model.distributions.logistic import Logistic
from exmc_actors.model.distributions.normal import Normal
from exmc_actors.model.distributions.pareto import Pareto
from exmc_actors.model.distributions.poisson import Poisson
from exmc_actors.model.distributions.uniform import Uniform
from exmc_actors.model.distributions.weibull import Weibull
from exmc_actors.model.functions import log1mexp, log_both, softplus
from exmc_actors.model.gamma_probability import log_gamma_tails
from exmc_actors.model.normal_probability import log_ndtr
from exmc_actors.model.support_algebra import ends

_ROOT_HALF = math.sqrt(0.5)

Tails: TypeAlias = tuple[jax.Array, jax.Array]


def log_tails(distribution: Distribution, x: Any) -> Tails:
    """Return log P(X <= x) and log P(X > x): 0 and -inf where all of the distribution lies on one side.

    Raises:
      ModelError: for a distribution where they are not known.
    """
    check_tails(distribution)
    x, support = jnp.asarray(x, dtype=float), distribution.support
    low, high = ends(support)
    is_before = jnp.asarray(False if low is None else x < low)
    is_behind = jnp.asarray(False if high is None else x > high)
    inside = x if support.whole_line else jnp.where(is_before | is_behind, support.inner_point(), x)
    below, above = _TAILS[type(distribution)](distribution, inside)
    return _beside(is_before, is_behind, below), _beside(is_behind, is_before, above)


def _beside(is_nothing: jax.Array, is_all: jax.Array, value: Any) -> jax.Array:
    return jnp.where(is_nothing, -jnp.inf, jnp.where(is_all, 0.0, value))


def check_tails(distribution: Distribution) -> None:
    """Refuse a distribution whose tails are not known."""
    if type(distribution) not in _TAILS:
        known = ", ".join(sorted(kind.__name__ for kind in _TAILS))
        raise ModelError(
            f"the probability below a bound is not known for {distribution!r}: "
            f"Truncated and Censored take one of {known}."
        )


def has_gamma_tails(distribution: Distribution) -> bool:
    """Say whether its tails are those of a gamma variable, each a sum or a fraction of many terms."""
    return isinstance(distribution, Gamma | InverseGamma | Poisson)


def log_difference(larger: Any, smaller: Any) -> jax.Array:
    """Return log(exp(larger) - exp(smaller)), -inf where they are equal."""
    gap = larger - smaller
    is_open = gap > 0.0
    # A bound at infinity leaves a gap that is infinite: nothing is to be taken away.
    finite = is_open & (gap < jnp.inf)
    taken = jnp.where(finite, log1mexp(jnp.where(finite, gap, 1.0)), 0.0)
    return jnp.where(is_open, larger + taken, -jnp.inf)


def _normal(z: Any) -> Tails:
    return log_ndtr(z), log_ndtr(-z)


def _by_survival(log_above: Any) -> Tails:
    # Where nothing lies below, the logarithm of the other tail is zero.
    positive = log_above < 0.0
    below = jnp.where(positive, log1mexp(jnp.where(positive, -log_above, 1.0)), -jnp.inf)
    return below, log_above


def _by_cdf(log_below: Any) -> Tails:
    above, below = _by_survival(log_below)
    return below, above


def _cauchy(z: Any) -> Tails:
    return log_both(_cauchy_below(z), _cauchy_below(-z))


def _cauchy_below(z: Any) -> jax.Array:
    # Far below zero the angle is that of the reciprocal: no difference of nearly equal angles.
    is_far = z < -1.0
    near, far = jnp.where(is_far, 0.0, z), jnp.where(is_far, z, -1.0)
    angle = jnp.where(is_far, jnp.arctan(-1.0 / far), 0.5 * jnp.pi + jnp.arctan(near))
    return angle / jnp.pi


def _half_cauchy(d: HalfCauchy, x: Any) -> Tails:
    ratio = x / d.sigma
    return log_both(jnp.arctan(ratio) * (2.0 / jnp.pi), jnp.arctan2(1.0, ratio) * (2.0 / jnp.pi))


def _laplace(d: Laplace, x: Any) -> Tails:
    z = (x - d.mu) / d.b
    return _log_laplace_below(z), _log_laplace_below(-z)


def _log_laplace_below(z: Any) -> jax.Array:
    below = jnp.minimum(z, 0.0) + jnp.log(0.5)
    return jnp.where(z < 0.0, below, jnp.log1p(-0.5 * jnp.exp(-jnp.maximum(z, 0.0))))


def _half_normal(d: HalfNormal, x: Any) -> Tails:
    z = x / d.sigma
    below, far = lax.erf(z * _ROOT_HALF), z > 1.0
    log_above = jnp.where(far, log_ndtr(-z) + jnp.log(2.0), jnp.log1p(-jnp.where(far, 0.0, below)))
    return jnp.where(far, _by_survival(log_above)[0], jnp.log(jnp.where(far, 1.0, below))), log_above


def _uniform(d: Uniform, x: Any) -> Tails:
    width = d.high - d.low
    return log_both((x - d.low) / width, (d.high - x) / width)


def _logistic(d: Logistic, x: Any) -> Tails:
    z = (x - d.mu) / d.s
    return -softplus(-z), -softplus(z)


def _kumaraswamy(d: Kumaraswamy, x: Any) -> Tails:
    return _by_survival(d.b * jnp.log1p(-(x**d.a)))


def _poisson(d: Poisson, x: Any) -> Tails:
    above, below = log_gamma_tails(jnp.floor(x) + 1.0, d.rate)
    return below, above


def _inverse_gamma(d: InverseGamma, x: Any) -> Tails:
    above, below = log_gamma_tails(d.alpha, d.beta / x)
    return below, above


_TAILS: dict[type[Distribution], Callable[[Any, Any], Tails]] = {
    Cauchy: lambda d, x: _cauchy((x - d.mu) / d.sigma),
    Exponential: lambda d, x: _by_survival(-d.rate * x),
    Gamma: lambda d, x: log_gamma_tails(d.alpha, d.beta * x),
    Geometric: lambda d, x: _by_survival(jnp.floor(x) * jnp.log1p(-d.p)),
    Gumbel: lambda d, x: _by_cdf(-jnp.exp(-(x - d.mu) / d.beta)),
    HalfCauchy: _half_cauchy,
    HalfNormal: _half_normal,
    InverseGamma: _inverse_gamma,
    Kumaraswamy: _kumaraswamy,
    Laplace: _laplace,
    LogNormal: lambda d, x: _normal((jnp.log(x) - d.mu) / d.sigma),
    Logistic: _logistic,
    Normal: lambda d, x: _normal((x - d.mu) / d.sigma),
    Pareto: lambda d, x: _by_survival(d.alpha * (jnp.log(d.m) - jnp.log(x))),
    Poisson: _poisson,
    Uniform: _uniform,
    Weibull: lambda d, x: _by_survival(-((x / d.beta) ** d.alpha)),
}
