"""Make the pictures in the docs from real runs: ``make images``."""

import io
from pathlib import Path

import trio
from rich.console import Console

from exmc_actors.demo import CHAINS, VICTIM, eight_schools
from exmc_actors.messages import WAIT, ChainRestarted, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import DEFAULT_TUNE
from exmc_actors.views.progress_table import BLOCKS, ProgressTable
from exmc_actors.views.tally import Tally

HERE = Path(__file__).parent
DRAWS = 20_000


async def picture_of_a_run_in_progress() -> None:
    """Kill a chain half way, and draw the progress table soon after its restart."""
    tally = Tally(chains=CHAINS, draws=DRAWS, tune=DEFAULT_TUNE)
    is_killed, after_restart = False, 0
    async with (
        open_run(eight_schools(), draws=DRAWS, chains=CHAINS, random_seed=20) as run,
        run.subscribe(overflow=WAIT, capacity=4) as feed,
    ):
        async for message in feed:
            tally.observe(message, trio.current_time())
            match message:
                case DrawBlock(chain=chain, phase="sample", first=first) if chain == VICTIM and not is_killed:
                    if first > DRAWS // 3:
                        is_killed = await run.kill_chain(VICTIM)
                case ChainRestarted():
                    after_restart = 1
                case DrawBlock() if after_restart:
                    after_restart += 1
            if after_restart > 6:
                break
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    table = ProgressTable(DRAWS, DEFAULT_TUNE, 100, 24, BLOCKS)
    console.print(table.render(tally.rows(), run.statistics().elapsed))
    console.save_svg(str(HERE / "progress.svg"), title="exmc demo")


if __name__ == "__main__":
    trio.run(picture_of_a_run_in_progress)
