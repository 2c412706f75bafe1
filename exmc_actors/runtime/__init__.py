"""Where actors meet mathematics: the supervision tree of a run, its log, and its feed."""

from exmc_actors.runtime.block_size import BlockSize, ByWallTime
from exmc_actors.runtime.collect import blocks_of, collect, committed_draws, outline
from exmc_actors.runtime.cores import available_cores
from exmc_actors.runtime.durability import Durability, Store
from exmc_actors.runtime.ensemble_executables import NO_MORE_LANES, EnsembleExecutables, ensemble_width
from exmc_actors.runtime.feed import DEFAULT_CAPACITY, Feed, Subscription
from exmc_actors.runtime.history import History
from exmc_actors.runtime.log import Log
from exmc_actors.runtime.processes import RemoteExecutables, Workers, open_workers
from exmc_actors.runtime.rebuilding import number_of_chains, rebuilt
from exmc_actors.runtime.settings import (
    DEFAULT_TUNE,
    Settings,
    check,
    check_priority,
    wants_ensemble,
)
from exmc_actors.runtime.shared_executables import default_platform, executables_for
from exmc_actors.runtime.start_position import start_positions
from exmc_actors.runtime.tree import Parts, chain_child, chain_path, run_children
from exmc_actors.runtime.worker import Runner, in_thread, inline

__all__ = [
    "DEFAULT_CAPACITY",
    "DEFAULT_TUNE",
    "NO_MORE_LANES",
    "BlockSize",
    "ByWallTime",
    "Durability",
    "EnsembleExecutables",
    "Feed",
    "History",
    "Log",
    "Parts",
    "RemoteExecutables",
    "Runner",
    "Settings",
    "Store",
    "Subscription",
    "Workers",
    "available_cores",
    "blocks_of",
    "chain_child",
    "chain_path",
    "check",
    "check_priority",
    "collect",
    "committed_draws",
    "default_platform",
    "ensemble_width",
    "executables_for",
    "in_thread",
    "inline",
    "number_of_chains",
    "open_workers",
    "outline",
    "rebuilt",
    "run_children",
    "start_positions",
    "wants_ensemble",
]
