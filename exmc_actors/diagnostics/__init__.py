"""Judge draws that are there: containers, estimates, warnings; nothing in here samples or waits."""

from exmc_actors.diagnostics.checks import problems
from exmc_actors.diagnostics.datatree import build
from exmc_actors.diagnostics.summary import summary

__all__ = ["build", "problems", "summary"]
