"""Sample Bayesian models with supervised, restartable, streaming chains.  Names only.

Importing this changes nothing in the host program and makes no JAX backend.  A name is loaded when it is
first used, so that ``import exmc_actors.kernel`` loads no trio and ``exmc --version`` no JAX.
"""

import importlib
import sys
from typing import Any

from exmc_actors.garbage import collected_later

_HOME = {
    "exmc_actors.compiler": ("LogDensity", "Program", "compile", "explain"),
    "exmc_actors.diagnostics": (
        "Converged",
        "Elpd",
        "MaxDivergences",
        "MaxGradients",
        "MaxTime",
        "Online",
        "OnlineSummary",
        "compare",
        "loo",
        "summary",
        "waic",
    ),
    "exmc_actors.elsewhere": ("from_numpyro", "from_pymc"),
    "exmc_actors.errors": (
        "ConnectionLost",
        "ExmcError",
        "ModelError",
        "RemoteError",
        "RemoteRefused",
        "RunFailed",
        "ModelWarning",
        "SamplingWarning",
        "SettingsError",
        "StartError",
        "StoreError",
        "StoreWarning",
        "UnreadableFeed",
    ),
    "exmc_actors.exporting": ("export",),
    "exmc_actors.held_run": ("HeldRun", "RunStatus"),
    "exmc_actors.kernel": ("Nuts", "Walnuts"),
    "exmc_actors.many": ("Runtime", "open_runtime"),
    "exmc_actors.messages": (
        "DROP_OLDEST",
        "LATEST",
        "WAIT",
        "ChainAdded",
        "ChainFailed",
        "ChainFinished",
        "ChainRestarted",
        "ChainStalled",
        "ChainStatistics",
        "ChainStopped",
        "DrawBlock",
        "Message",
        "Overflow",
        "RunPaused",
        "RunResumed",
        "RunStatistics",
        "SubscriptionStatistics",
    ),
    "exmc_actors.model": (
        "AR1",
        "Bernoulli",
        "BernoulliLogit",
        "Beta",
        "BetaBinomial",
        "Binomial",
        "Builder",
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
        "Model",
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
        "math",
        "transforms",
    ),
    "exmc_actors.opening": ("open_run",),
    "exmc_actors.plots": ("plot", "report"),
    "exmc_actors.predictive": ("log_likelihood", "sample_posterior_predictive", "sample_prior_predictive"),
    "exmc_actors.remote": ("RemoteRun", "RemoteSubscription", "connect"),
    "exmc_actors.run": ("Run",),
    "exmc_actors.run_process": ("run_of", "run_spec"),
    "exmc_actors.runtime": ("Store",),
    "exmc_actors.sampling": ("resume", "sample"),
    "exmc_actors.stored": ("load",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"exmc_actors has no {name!r}; it has: {', '.join(__all__)}")
    module = _MODULE_OF[name]
    if module not in sys.modules:
        with collected_later():
            importlib.import_module(module)
    return getattr(importlib.import_module(module), name)  # which waits for a thread that imports it


def __dir__() -> list[str]:
    return __all__
