"""Messages and subscriptions made by hand, and consoles that write into strings."""

import io
from collections.abc import Callable, Iterable
from contextlib import asynccontextmanager

import numpy as np
import pytest
import trio
from rich.console import Console

from exmc_actors.messages import STATS, DrawBlock, Message


@pytest.fixture
def block() -> Callable[..., DrawBlock]:
    """Make a block of ``n`` draws, the first few of which diverged."""

    def make(chain, phase, first, n, *, diverged=0, n_steps=7, step_size=0.5) -> DrawBlock:
        stats = {name: np.zeros(n) for name in STATS}
        stats["diverging"] = np.arange(n) < diverged
        stats["n_steps"] = np.full(n, n_steps)
        stats["step_size"] = np.full(n, step_size)
        return DrawBlock(chain, phase, first, {}, stats)

    return make


@pytest.fixture
def subscription() -> Callable[..., object]:
    """Make a ``subscribe`` that delivers each message after a wait, and remembers how it was asked."""

    def make(script: Iterable[tuple[float, Message]], asked: list | None = None):
        @asynccontextmanager
        async def subscribe(*, overflow, capacity, from_start):
            if asked is not None:
                asked.append((overflow, capacity))

            async def feed():
                for seconds, message in script:
                    await trio.sleep(seconds)
                    yield message

            yield feed()

        return subscribe

    return make


@pytest.fixture
def terminal() -> Callable[..., Console]:
    """Make a console that writes what a terminal of 80 by 24 would get, without colours, into a string."""

    def make(file: io.StringIO | None = None, *, is_terminal=True, term="xterm") -> Console:
        return Console(
            file=file or io.StringIO(),
            force_terminal=is_terminal,
            force_jupyter=False,
            color_system=None,
            width=80,
            height=24,
            legacy_windows=False,
            _environ={"TERM": term},
        )

    return make
