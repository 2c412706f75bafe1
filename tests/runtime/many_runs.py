"""Runs of one runtime: what each is given, where they stand, and a gate that they wait at."""

from dataclasses import dataclass, field

import trio

from exmc_actors.runtime import inline
from tests.runtime.conftest import SETTINGS, FixedBlocks


@dataclass
class Gate:
    """A runner that lets runs be opened, in the order that is noted, once it is open itself."""

    opened: trio.Event = field(default_factory=trio.Event)
    came: list = field(default_factory=list)

    def of(self, name):
        """Return the runner of a run."""

        async def run(function, **_):
            if name not in self.came:
                self.came.append(name)
            await self.opened.wait()
            return await inline(function)

        return run


def options(**settings):
    return SETTINGS | {"runner": inline, "block_size": FixedBlocks(), "save_warmup": True} | settings


def states(rt):
    return {status.name: status.state for status in rt.runs()}
