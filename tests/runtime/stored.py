"""Runs of the schools in a folder: begun, cut off anywhere, laid out elsewhere, and gone on with."""

from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, schools, virtual

WITHIN = {"runner": inline, "save_warmup": True}


class Cut(Exception):
    """Stands for whatever ends a process."""


async def begin(folder, commits=None, chain=0, **options):
    """Run the schools in a folder, to the end or until a chain has made so many commits."""

    async def stop(run):
        raise Cut

    async with open_run(
        schools(), **SETTINGS, **WITHIN, store=folder, block_size=FixedBlocks(), **options
    ) as run:
        if commits is None:
            return await run.result()
        return await after_commits(chain, commits, stop)(run)


def begun(folder, commits, **options):
    """Leave a run in a folder that was cut off."""
    try:
        virtual(lambda: begin(folder, commits, **options))
    except* Cut:
        pass


async def go_on(folder, **options):
    async with open_run(resume=folder, **WITHIN | options) as run:
        return await run.result()


def went_on(folder, **options):
    return virtual(lambda: go_on(folder, block_size=FixedBlocks((5,)), **options))


def lay_out(folder, files, **changed):
    folder.mkdir(exist_ok=True)
    for name, data in (files | changed).items():
        (folder / name).write_bytes(data)


async def to_the_end(**options):
    async with open_run(**options, **WITHIN, block_size=FixedBlocks()) as run:
        return await run.result()
