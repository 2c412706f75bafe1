"""Estimate while draws come, in bounded memory: moments, R-hat, effective draws, quantiles, charts.

Functions and classes of arrays; they read no clock and wait for nothing.
"""

from exmc_actors.diagnostics.online.online import Online
from exmc_actors.diagnostics.online.pictures import Histogram, RunningMean
from exmc_actors.diagnostics.online.summary import OnlineSummary

__all__ = ["Histogram", "Online", "OnlineSummary", "RunningMean"]
