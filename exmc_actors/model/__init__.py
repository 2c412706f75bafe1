"""Build models: the front door of this floor, names only.

A model is data.  Nothing here touches a JAX backend: shapes follow NumPy's rules, and the functions of the
operations and distributions are traced by the compiler.
"""

from exmc_actors.model import math, transforms
from exmc_actors.model.arrays import check_finite, entry_text, frozen_array
from exmc_actors.model.builder import Builder
from exmc_actors.model.distributions import (
    Bernoulli,
    BernoulliLogit,
    Beta,
    Binomial,
    Cauchy,
    Distribution,
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
from exmc_actors.model.distributions.distribution import all_parts, map_parameters
from exmc_actors.model.expression import Apply, Constant, Expression, Index, Literal, Reference
from exmc_actors.model.indexing import IndexPlan, gathered_parts, plan_index
from exmc_actors.model.model import Model
from exmc_actors.model.names import unknown
from exmc_actors.model.operations import OPERATIONS
from exmc_actors.model.shapes import Shape
from exmc_actors.model.sites import (
    Data,
    Deterministic,
    Observation,
    Potential,
    Site,
    Variable,
    expressions_of,
)
from exmc_actors.model.supports import Interval, NonNegative, Positive, Real, Support, UnitInterval
from exmc_actors.model.transforms import Affine, Identity, Log, Logit, ScaledLogit, Transform
from exmc_actors.model.traversal import postorder, references, with_children

__all__ = [
    "OPERATIONS",
    "Affine",
    "Apply",
    "Bernoulli",
    "BernoulliLogit",
    "Beta",
    "Binomial",
    "Builder",
    "Cauchy",
    "Constant",
    "Data",
    "Deterministic",
    "Distribution",
    "Exponential",
    "Expression",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfFlat",
    "HalfNormal",
    "Identity",
    "Index",
    "IndexPlan",
    "Interval",
    "Literal",
    "Log",
    "LogNormal",
    "Logit",
    "Model",
    "NonNegative",
    "Normal",
    "Observation",
    "Poisson",
    "Positive",
    "Potential",
    "Real",
    "Reference",
    "ScaledLogit",
    "Shape",
    "Site",
    "StudentT",
    "Support",
    "Transform",
    "Uniform",
    "UnitInterval",
    "Variable",
    "all_parts",
    "check_finite",
    "entry_text",
    "expressions_of",
    "frozen_array",
    "gathered_parts",
    "map_parameters",
    "math",
    "plan_index",
    "postorder",
    "references",
    "transforms",
    "unknown",
    "with_children",
]
