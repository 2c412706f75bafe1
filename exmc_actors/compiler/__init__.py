"""Turn a model into one pure function of a flat vector: the front door of this floor, names only."""

from exmc_actors.compiler.evaluator import Evaluator
from exmc_actors.compiler.explanation import explain
from exmc_actors.compiler.gather import take_rows
from exmc_actors.compiler.in_lanes import in_lanes
from exmc_actors.compiler.jaxprs import computed, evaluate
from exmc_actors.compiler.layout import Layout, Place
from exmc_actors.compiler.log_density import LogDensity
from exmc_actors.compiler.passes import rewrite
from exmc_actors.compiler.program import Program, compile
from exmc_actors.compiler.target import Target

__all__ = [
    "Evaluator",
    "Layout",
    "LogDensity",
    "Place",
    "Program",
    "Target",
    "compile",
    "computed",
    "evaluate",
    "explain",
    "in_lanes",
    "rewrite",
    "take_rows",
]
