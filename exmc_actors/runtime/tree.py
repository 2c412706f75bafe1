"""Draw the supervision tree of a run, on one page; it starts nothing.

run                          one_for_one
|- engine                    rest_for_one
|  |- recorder               commits blocks to the log; adopts it when restarted
|  |- model server           the shared compiled model
|  `- chains                 one_for_one, ends when all chains have ended
|     `- chain c             its own supervisor, so that a budget of restarts is its own
|        `- actor
|- closer                    fails the chains that nobody is left to go on with
`- views                     one_for_one; a crashing view restarts nothing else: the stopper, too
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import supervision as sv
from exmc_actors.compiler import Target
from exmc_actors.runtime.block_size import BlockSize
from exmc_actors.runtime.chain_actor import chain
from exmc_actors.runtime.closer import closer
from exmc_actors.runtime.durability import Durability
from exmc_actors.runtime.ensemble_server import EnsembleServer
from exmc_actors.runtime.executables import Executables, nothing
from exmc_actors.runtime.feed import Feed
from exmc_actors.runtime.model_server import ModelServer
from exmc_actors.runtime.processes import ProcessServer, Workers
from exmc_actors.runtime.recorder import Recorder
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.runtime.worker import Runner

# Only a brake against storms, of kills too: how often a chain may crash at one block is counted by the
# recorder, without a clock.
CHAIN_RESTARTS = 100
CHAIN_SECONDS = 1.0


def as_it_is(program: Any) -> Any:
    """Return the program of an actor: nothing is exchanged."""
    return program


@dataclass(frozen=True)
class Parts:
    """What the actors of a run are made from."""

    target: Target
    settings: Settings
    starts: list[StartPosition]
    """Of each chain; of one that is to be added, before it is."""
    executables: Executables
    feed: Feed
    block_size: BlockSize
    runner: Runner
    durability: Durability = field(default_factory=Durability)
    priority: int = 0
    """Among the runs that wait for a core of the process."""
    workers: Workers | None = None
    """None where blocks are computed in threads."""
    patience: float = math.inf
    """Seconds that a block may take in a worker before that is ended."""
    meanwhile: Callable[[], None] = nothing
    """Called in a thread while the program is compiled, if it has to be, or while its workers start."""
    program: Callable[[Any], Any] = as_it_is
    """Given the class or function of an actor, returns what is started in its place."""
    names: sv.Registry = field(default_factory=sv.Registry)
    """By which the actors find each other."""


def run_children(parts: Parts, views: Sequence[sv.ChildSpec]) -> list[sv.ChildSpec]:
    """Return the children of a run's supervisor."""
    return [
        _engine(parts),
        sv.ChildSpec("closer", closer, args=(parts.names.via("engine"), parts.feed), restart="transient"),
        sv.supervisor("views", views, strategy="one_for_one"),
    ]


def chain_path(number: int) -> tuple[str, ...]:
    """Return the path of a chain's actor in the tree."""
    return ("engine", "chains", f"chain {number}", "actor")


def _engine(parts: Parts) -> sv.ChildSpec:
    names = parts.names

    def supervisor_of(number: int) -> sv.Ref:
        return names.via(f"chain {number}")

    def chains() -> list[sv.ChildSpec]:  # there may be more when they are started again
        return [chain_child(parts, number) for number in range(len(parts.feed.log.chains))]

    return sv.supervisor(
        "engine",
        [
            sv.ChildSpec(
                "recorder",
                parts.program(Recorder),
                args=(parts.feed, supervisor_of, names.via("chains"), parts.runner, parts.durability),
                name=names.via("recorder"),
            ),
            _model_server(parts),
            sv.supervisor(
                "chains",
                chains,
                strategy="one_for_one",
                auto_shutdown="all_significant",
                restart="transient",
                significant=True,
                name=names.via("chains"),
            ),
        ],
        strategy="rest_for_one",
        auto_shutdown="any_significant",
        restart="transient",
        name=names.via("engine"),
    )


def _model_server(parts: Parts) -> sv.ChildSpec:
    args = (
        parts.target,
        parts.executables,
        parts.settings,
        parts.starts,
        parts.block_size,
        parts.runner,
        parts.durability,
        parts.priority,
        parts.feed,
        parts.meanwhile,
    )
    server: type[ModelServer] = EnsembleServer if parts.settings.ensemble_width else ModelServer
    more: dict[str, Any] = {}
    if parts.workers is not None:
        server, more = ProcessServer, {"workers": parts.workers, "patience": parts.patience}
    return sv.ChildSpec(
        "model server",
        parts.program(server),
        args=args,
        kwargs=more,
        name=parts.names.via("model server"),
        shutdown="infinity",  # a block that runs in a thread is waited for: threads cannot be stopped
    )


def chain_child(parts: Parts, number: int) -> sv.ChildSpec:
    """Return a chain as a child of the supervisor of all chains."""
    recorder, model_server = map(parts.names.via, ("recorder", "model server"))
    actor = sv.ChildSpec(
        "actor",
        parts.program(chain),
        args=(number, recorder, model_server, parts.feed, parts.target, parts.settings),
        restart="transient",
        significant=True,
    )
    return sv.supervisor(
        f"chain {number}",
        [actor],
        strategy="one_for_one",
        max_restarts=CHAIN_RESTARTS,
        max_seconds=CHAIN_SECONDS,
        auto_shutdown="any_significant",
        restart="transient",
        significant=True,
        name=parts.names.via(f"chain {number}"),
    )
