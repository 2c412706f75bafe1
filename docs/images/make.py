"""Make the pictures in the docs from real runs: ``make images``."""

import io
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path

import trio
from rich.console import Console

from exmc_actors.demo import CHAINS, VICTIM, eight_schools
from exmc_actors.messages import WAIT, ChainRestarted, DrawBlock, Message
from exmc_actors.opening import open_run
from exmc_actors.run import Run
from exmc_actors.runtime import DEFAULT_TUNE
from exmc_actors.views.notebook import notebook_progress
from exmc_actors.views.progress_table import BLOCKS, ProgressTable
from exmc_actors.views.subscribing import Subscribe
from exmc_actors.views.tally import Tally

HERE = Path(__file__).parent
DRAWS = 20_000

FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 570" width="840" height="570">
<rect width="840" height="570" fill="#fff"/>
<foreignObject x="10" y="5" width="820" height="560">
<div xmlns="http://www.w3.org/1999/xhtml" style="font-family:system-ui,sans-serif;color:#222">{html}</div>
</foreignObject></svg>
"""


async def picture_of_a_run_in_progress() -> None:
    """Kill a chain half way, and draw the progress table soon after its restart."""
    tally = Tally(chains=CHAINS, draws=DRAWS, tune=DEFAULT_TUNE)
    after_restart = 0
    async with (
        open_run(eight_schools(), draws=DRAWS, chains=CHAINS, random_seed=20) as run,
        run.subscribe(overflow=WAIT, capacity=4) as feed,
    ):
        async for message in with_a_kill(run, feed):
            tally.observe(message, trio.current_time())
            after_restart += isinstance(message, ChainRestarted) or after_restart > 0
            if after_restart > 6:
                break
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    table = ProgressTable(DRAWS, DEFAULT_TUNE, 100, 24, BLOCKS)
    console.print(table.render(tally.rows(), run.statistics().elapsed))
    console.save_svg(str(HERE / "progress.svg"), title="exmc demo")


async def picture_in_a_notebook() -> None:
    """Kill a chain half way, and draw what a cell is left with."""
    shown: list[str] = []

    async def view(subscribe: Subscribe) -> None:
        sizes = {"chains": CHAINS, "draws": DRAWS, "tune": DEFAULT_TUNE}
        await notebook_progress(subscribe, **sizes, show=lambda html, _: shown.append(html))

    async with (
        open_run(eight_schools(), draws=DRAWS, chains=CHAINS, random_seed=20, views=[view]) as run,
        run.subscribe(overflow=WAIT, capacity=4) as feed,
    ):
        async for _ in with_a_kill(run, feed):
            pass
    # Within another SVG, an element has to say that it is one.
    html = shown[-1].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    (HERE / "notebook.svg").write_text(FRAME.format(html=html))


async def with_a_kill(run: Run, feed: AsyncIterable[Message]) -> AsyncIterator[Message]:
    """Yield the messages, and kill the victim when it has made a third of its draws."""
    is_killed = False
    async for message in feed:
        yield message
        match message:
            case DrawBlock(chain=chain, phase="sample", first=first) if chain == VICTIM and not is_killed:
                if first > DRAWS // 3:
                    is_killed = await run.kill_chain(VICTIM)


if __name__ == "__main__":
    trio.run(picture_in_a_notebook)
    trio.run(picture_of_a_run_in_progress)
