"""Runs that sample at once compute on no more cores than there are, and take turns."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
import trio

from exmc_actors.opening import open_run
from exmc_actors.runtime import cores, inline, model_server, worker
from exmc_actors.runtime.cores import Cores
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual

BLOCK = 0.05
"""Virtual seconds that a block takes."""


@dataclass
class Blocks:
    """Those that runs computed, and how many were computed at once."""

    computing: int = 0
    most: int = 0
    order: list = field(default_factory=list)
    """The run of each, as they began."""

    async def take_time(self, run):
        self.computing += 1
        self.most = max(self.most, self.computing)
        self.order.append(run)
        await trio.sleep(BLOCK)
        self.computing -= 1


@dataclass
class Named:
    """A runner that computes inline and bears the name of its run."""

    run: int

    async def __call__(self, function, **_):
        return await inline(function)


@pytest.fixture
def blocks(monkeypatch):
    """Let the blocks of named runs take virtual time, and all else none."""
    seen = Blocks()

    async def attempt(runner, function, **rest):
        if isinstance(runner, Named):
            await seen.take_time(runner.run)
        return await worker.attempt(runner, function, **rest)

    monkeypatch.setattr(model_server, "attempt", attempt)
    return seen


async def together(runs, priorities=(), **settings):
    """Sample in many runs at once and return their trees."""
    trees = {}

    async def sample(run):
        options = SETTINGS | {"runner": Named(run), "block_size": FixedBlocks()} | settings
        options["priority"] = priorities[run] if priorities else 0
        async with open_run(schools(), **options) as one:
            trees[run] = await one.result()

    async with trio.open_nursery() as nursery:
        for run in range(runs):
            nursery.start_soon(sample, run)
    return trees


@pytest.mark.slow
def test_many_runs_compute_on_no_more_cores_than_there_are_and_draw_what_they_draw_alone(monkeypatch, blocks):
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 2))
    trees = virtual(lambda: together(10, cores=2))
    assert blocks.most == 2
    alone = draws_of(virtual(observe).tree)
    assert all(draws_of(tree) == alone for tree in trees.values())


def test_many_runs_advance_together(monkeypatch, blocks):
    """Ten runs on two cores: whenever one has computed, no other has had more than two turns meanwhile."""
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 2))
    virtual(lambda: together(10, cores=2))
    total, done, looked = Counter(blocks.order), Counter(), 0
    for run in blocks.order:
        done[run] += 1
        if all(done[each] < total[each] - 3 for each in range(10)):  # no run is about to end
            assert max(done.values()) - min(done[each] for each in range(10)) <= 2
            looked += 1
    assert looked > 200


def test_a_run_of_a_higher_priority_ends_before_others_go_on(monkeypatch, blocks):
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 1))
    virtual(lambda: together(3, priorities=(0, 1, 0)))
    last = max(place for place, run in enumerate(blocks.order) if run == 1)
    # Others compute before it has started, and where all of its chains wait for a lesson.
    others = [run for run in blocks.order[:last] if run != 1]
    assert len(others) < 0.2 * last
    assert set(blocks.order[last + 1 :]) == {0, 2}


def test_a_run_holds_no_more_cores_than_it_asked_for(monkeypatch, blocks):
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 8))
    virtual(lambda: together(1, cores=2, chains=5))
    assert blocks.most == 2


def test_a_run_that_is_left_while_others_wait_gives_its_cores_back(monkeypatch, blocks):
    shared = Cores(lambda: 1)
    monkeypatch.setattr(cores, "PROCESS", shared)

    async def main():
        async def leave(run):
            options = SETTINGS | {"draws": 10**6, "runner": Named(run), "block_size": FixedBlocks()}
            async with open_run(schools(), **options):
                await trio.sleep(BLOCK * (1.5 + run))

        async with trio.open_nursery() as nursery:
            for run in range(5):
                nursery.start_soon(leave, run)
        assert shared._turns.held == 0
        assert not shared._turns._round
        return await together(1)

    assert virtual(main)[0].posterior.sizes["draw"] == SETTINGS["draws"]
