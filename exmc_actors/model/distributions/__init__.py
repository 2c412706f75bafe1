"""Collect the distributions; each is a leaf in a file of its own."""

from exmc_actors.model.distributions.ar1 import AR1
from exmc_actors.model.distributions.bernoulli import Bernoulli
from exmc_actors.model.distributions.bernoulli_logit import BernoulliLogit
from exmc_actors.model.distributions.beta import Beta
from exmc_actors.model.distributions.beta_binomial import BetaBinomial
from exmc_actors.model.distributions.binomial import Binomial
from exmc_actors.model.distributions.categorical import Categorical
from exmc_actors.model.distributions.cauchy import Cauchy
from exmc_actors.model.distributions.censored import Censored
from exmc_actors.model.distributions.chi_squared import ChiSquared
from exmc_actors.model.distributions.custom import Custom
from exmc_actors.model.distributions.dirichlet import Dirichlet
from exmc_actors.model.distributions.distribution import Distribution
from exmc_actors.model.distributions.exponential import Exponential
from exmc_actors.model.distributions.flat import Flat
from exmc_actors.model.distributions.gamma import Gamma
from exmc_actors.model.distributions.gaussian_random_walk import GaussianRandomWalk
from exmc_actors.model.distributions.geometric import Geometric
from exmc_actors.model.distributions.gumbel import Gumbel
from exmc_actors.model.distributions.half_cauchy import HalfCauchy
from exmc_actors.model.distributions.half_flat import HalfFlat
from exmc_actors.model.distributions.half_normal import HalfNormal
from exmc_actors.model.distributions.half_student_t import HalfStudentT
from exmc_actors.model.distributions.inverse_gamma import InverseGamma
from exmc_actors.model.distributions.kumaraswamy import Kumaraswamy
from exmc_actors.model.distributions.laplace import Laplace
from exmc_actors.model.distributions.lkj_cholesky import LKJCholesky
from exmc_actors.model.distributions.log_normal import LogNormal
from exmc_actors.model.distributions.logistic import Logistic
from exmc_actors.model.distributions.mixture import Mixture
from exmc_actors.model.distributions.multinomial import Multinomial
from exmc_actors.model.distributions.mv_normal import MvNormal
from exmc_actors.model.distributions.negative_binomial import NegativeBinomial
from exmc_actors.model.distributions.normal import Normal
from exmc_actors.model.distributions.ordered_logistic import OrderedLogistic
from exmc_actors.model.distributions.pareto import Pareto
from exmc_actors.model.distributions.poisson import Poisson
from exmc_actors.model.distributions.student_t import StudentT
from exmc_actors.model.distributions.truncated import Truncated
from exmc_actors.model.distributions.truncated_normal import TruncatedNormal
from exmc_actors.model.distributions.uniform import Uniform
from exmc_actors.model.distributions.von_mises import VonMises
from exmc_actors.model.distributions.weibull import Weibull
from exmc_actors.model.distributions.zero_inflated_poisson import ZeroInflatedPoisson

_LEAVES: tuple[type[Distribution], ...] = (
    AR1,
    Bernoulli,
    BernoulliLogit,
    Beta,
    BetaBinomial,
    Binomial,
    Categorical,
    Cauchy,
    Censored,
    ChiSquared,
    Dirichlet,
    Exponential,
    Flat,
    Gamma,
    GaussianRandomWalk,
    Geometric,
    Gumbel,
    HalfCauchy,
    HalfFlat,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Kumaraswamy,
    LKJCholesky,
    Laplace,
    LogNormal,
    Logistic,
    Mixture,
    Multinomial,
    MvNormal,
    NegativeBinomial,
    Normal,
    OrderedLogistic,
    Pareto,
    Poisson,
    StudentT,
    Truncated,
    TruncatedNormal,
    Uniform,
    VonMises,
    Weibull,
    ZeroInflatedPoisson,
)

DISTRIBUTIONS: dict[str, type[Distribution]] = {leaf.__name__: leaf for leaf in _LEAVES}
"""Every distribution by name but Custom: the whole vocabulary of a model's bytes."""

__all__ = [
    "AR1",
    "DISTRIBUTIONS",
    "Bernoulli",
    "BernoulliLogit",
    "Beta",
    "BetaBinomial",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Censored",
    "ChiSquared",
    "Custom",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "Flat",
    "Gamma",
    "GaussianRandomWalk",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfFlat",
    "HalfNormal",
    "HalfStudentT",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "Logistic",
    "Mixture",
    "Multinomial",
    "MvNormal",
    "NegativeBinomial",
    "Normal",
    "OrderedLogistic",
    "Pareto",
    "Poisson",
    "StudentT",
    "Truncated",
    "TruncatedNormal",
    "Uniform",
    "VonMises",
    "Weibull",
    "ZeroInflatedPoisson",
]
