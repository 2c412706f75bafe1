"""The event loop goes on while blocks compute in threads, and nothing computes after a run."""

import functools
import threading
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from exmc_actors.opening import open_run
from exmc_actors.runtime import in_thread, inline
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import FixedBlocks, observe, schools

TICKS = 100
ENDLESS = {"draws": 10**9, "tune": 10, "chains": 2, "random_seed": 1, "block_size": FixedBlocks()}


@dataclass
class Ticking:
    """A loop that ticks, and a runner whose computations last until it has ticked a hundred times."""

    runner: object
    patience: float
    """Seconds after which a computation goes on without the ticks."""
    ticks: int = 0
    awake: list = field(default_factory=list)
    """For each computation, whether the loop ticked in the meantime."""
    _waiting: dict = field(default_factory=dict)

    async def tick(self):
        while True:
            await trio.lowlevel.checkpoint()
            self.ticks += 1
            for ticked, until in list(self._waiting.items()):
                if self.ticks >= until:
                    ticked.set()

    async def __call__(self, function, **_):
        return await self.runner(functools.partial(self._last, function))

    def _last(self, function):
        ticked = threading.Event()
        self._waiting[ticked] = self.ticks + TICKS
        self.awake.append(ticked.wait(self.patience))
        del self._waiting[ticked]
        return function()


@pytest.mark.parametrize(
    ("runner", "patience", "is_awake"),
    [(in_thread, 60, True), (inline, 0.001, False)],
    ids=["threads", "inline"],
)
def test_the_loop_is_awake_during_every_computation_in_a_thread_and_would_not_be_otherwise(
    runner, patience, is_awake
):
    async def main():
        ticking = Ticking(runner, patience)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ticking.tick)
            await observe(runner=ticking, cores=2)
            nursery.cancel_scope.cancel()
        return ticking.awake

    awake = trio.run(main)
    assert len(awake) > 10
    assert set(awake) == {is_awake}


@dataclass
class Counting:
    """Counts, in their threads, the computations that begin and those that end."""

    begun: int = 0
    ended: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, function, **_):
        return await in_thread(functools.partial(self._counted, function))

    def _counted(self, function):
        with self._lock:
            self.begun += 1
        try:
            return function()
        finally:
            with self._lock:
                self.ended += 1


@pytest.fixture
def hold_blocks(monkeypatch):
    """Make every block call ``is_inside`` and wait for ``gate`` before it computes."""

    def hold(is_inside, gate):
        advance = Executables.advance

        def held(*args):
            is_inside()
            assert gate.wait(60)
            return advance(*args)

        monkeypatch.setattr(Executables, "advance", held)

    return hold


@pytest.mark.parametrize("cores", [1, 2])
def test_leaving_early_waits_for_the_blocks_that_run_and_begins_no_other(hold_blocks, cores):
    async def main():
        counting, is_inside, gate = Counting(), trio.Event(), threading.Event()
        token = trio.lowlevel.current_trio_token()
        hold_blocks(lambda: token.run_sync_soon(is_inside.set), gate)

        async def open_the_gate_while_the_run_is_left():
            try:
                await wait_all_tasks_blocked()
                assert counting.ended < counting.begun
            finally:
                gate.set()

        async with trio.open_nursery() as nursery:
            async with open_run(schools(), **ENDLESS, cores=cores, runner=counting):
                await is_inside.wait()
                nursery.start_soon(open_the_gate_while_the_run_is_left)
            begun = counting.begun
            assert counting.ended == begun
        await wait_all_tasks_blocked()
        assert counting.ended == counting.begun == begun

    trio.run(main)
