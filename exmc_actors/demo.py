"""Show the main job: sample, kill a chain on purpose, heal, summarise, and prove the replay."""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import trio
from rich.console import Console

from exmc_actors.blocking import blocking
from exmc_actors.diagnostics import summary
from exmc_actors.messages import WAIT, ChainRestarted, DrawBlock
from exmc_actors.model import Builder, HalfNormal, Model, Normal
from exmc_actors.opening import open_run
from exmc_actors.run import Run
from exmc_actors.running import View
from exmc_actors.runtime import DEFAULT_TUNE
from exmc_actors.views import progress_view, summary_table

if TYPE_CHECKING:
    import xarray

SCHOOLS = (
    "Choate",
    "Deerfield",
    "Andover",
    "Exeter",
    "Hotchkiss",
    "Lawrenceville",
    "St. Paul's",
    "Mt. Hermon",
)
EFFECTS = (28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0)
ERRORS = (15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0)

CHAINS = 4
DRAWS = 60_000
VICTIM = 2


def eight_schools() -> Model:
    """Return the hierarchical model of Rubin (1981), *Estimation in parallel randomized experiments*."""
    b = Builder(coords={"school": SCHOOLS})
    mu = b.rv("mu", Normal(0.0, 5.0))
    tau = b.rv("tau", HalfNormal(5.0))
    theta = b.rv("theta", Normal(mu, tau), dims="school")
    b.obs("y", Normal(theta, np.array(ERRORS)), np.array(EFFECTS), dims="school")
    return b.model()


def run_demo(console: Console, *, draws: int = DRAWS, random_seed: int = 20) -> bool:
    """Run the whole demonstration; return whether the disturbed draws equal the undisturbed ones."""
    model = eight_schools()
    console.print(f"Eight schools: {CHAINS} chains of {draws:,} draws. The model:\n")
    console.print(*(f"    {line}\n" for line in str(model).splitlines()), sep="", highlight=False)
    shown = functools.partial(progress_view(console), chains=CHAINS, draws=draws, tune=DEFAULT_TUNE)
    story: list[str] = []
    disturbed = blocking(
        functools.partial(_sample, model, draws, random_seed, story, views=[shown], kills=True)
    )
    for line in story:
        console.print(line, highlight=False)
    console.print()
    console.print(summary_table(summary(disturbed)))
    undisturbed = blocking(functools.partial(_sample, model, draws, random_seed, [], views=[], kills=False))
    is_identical = _is_identical(disturbed, undisturbed)
    numbers = sum(array.size for array in disturbed["posterior"].data_vars.values())
    verdict = "identical" if is_identical else "DIFFERENT"
    console.print(
        f"\nReplay: the same run without the kill gives {verdict} draws "
        f"({numbers:,} numbers compared bit for bit).",
        highlight=False,
    )
    return is_identical


async def _sample(
    model: Model, draws: int, random_seed: int, story: list[str], *, views: Sequence[View], kills: bool
) -> "xarray.DataTree":
    async with (
        open_run(model, draws=draws, chains=CHAINS, random_seed=random_seed, views=views) as run,
        trio.open_nursery() as nursery,
    ):
        if kills:
            nursery.start_soon(_kill_half_way, run, draws, story)
        return await run.result()


async def _kill_half_way(run: Run, draws: int, story: list[str]) -> None:
    """Kill one chain when it has half of its draws, and note what its supervisor does about it."""
    is_killed = False
    # WAIT: the chains wait for this reader, so that the kill comes at half way and not later.
    async with run.subscribe(overflow=WAIT, capacity=4) as feed:
        async for message in feed:
            match message:
                case DrawBlock(chain=chain, phase="sample") if chain == VICTIM and not is_killed:
                    done = message.first + len(message)
                    if done >= draws // 2:
                        is_killed = await run.kill_chain(VICTIM)
                        story.append(
                            f"Killed chain {VICTIM} on purpose after it had committed {done:,} draws."
                        )
                case ChainRestarted(chain=chain, first=first, reason=reason) if chain == VICTIM:
                    story.append(
                        f"Its supervisor saw it end ({reason}) and started it again; "
                        f"it went on from its last commit, at draw {first:,}."
                    )
                    return


def _is_identical(a: "xarray.DataTree", b: "xarray.DataTree") -> bool:
    return all(
        array.to_numpy().tobytes() == b[f"{group}/{name}"].to_numpy().tobytes()
        for group in ("posterior", "sample_stats")
        for name, array in a.children[group].data_vars.items()
    )
