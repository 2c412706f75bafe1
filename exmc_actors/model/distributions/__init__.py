"""Collect the distributions; each is a leaf in a file of its own."""

from exmc_actors.model.distributions.bernoulli import Bernoulli
from exmc_actors.model.distributions.bernoulli_logit import BernoulliLogit
from exmc_actors.model.distributions.beta import Beta
from exmc_actors.model.distributions.binomial import Binomial
from exmc_actors.model.distributions.cauchy import Cauchy
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.distributions.exponential import Exponential
from exmc_actors.model.distributions.flat import Flat
from exmc_actors.model.distributions.gamma import Gamma
from exmc_actors.model.distributions.half_cauchy import HalfCauchy
from exmc_actors.model.distributions.half_flat import HalfFlat
from exmc_actors.model.distributions.half_normal import HalfNormal
from exmc_actors.model.distributions.log_normal import LogNormal
from exmc_actors.model.distributions.normal import Normal
from exmc_actors.model.distributions.poisson import Poisson
from exmc_actors.model.distributions.student_t import StudentT
from exmc_actors.model.distributions.uniform import Uniform

_LEAVES: tuple[type[Distribution], ...] = (
    Bernoulli,
    BernoulliLogit,
    Beta,
    Binomial,
    Cauchy,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfFlat,
    HalfNormal,
    LogNormal,
    Normal,
    Poisson,
    StudentT,
    Uniform,
)

DISTRIBUTIONS: dict[str, type[Distribution]] = {leaf.__name__: leaf for leaf in _LEAVES}
"""Every distribution by name: the whole vocabulary of a model's bytes."""

__all__ = [
    "DISTRIBUTIONS",
    "Bernoulli",
    "BernoulliLogit",
    "Beta",
    "Binomial",
    "Cauchy",
    "Distribution",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfFlat",
    "HalfNormal",
    "LogNormal",
    "Normal",
    "Poisson",
    "StudentT",
    "Uniform",
]
