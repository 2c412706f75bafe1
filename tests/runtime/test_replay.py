"""Whatever dies, and however a chain is cut into blocks, the draws are the same bits."""

import random

import numpy as np
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import supervision as sv
from exmc_actors.messages import WAIT, ChainRestarted, DrawBlock
from exmc_actors.runtime import ByWallTime, in_thread
from exmc_actors.runtime.lessons import on_one_thread
from exmc_actors.runtime.protocol import Stand
from exmc_actors.warmup import Schedule
from tests.runtime.conftest import (
    SETTINGS,
    FixedBlocks,
    after_commits,
    draws_of,
    observe,
    recorder_that_dies_at,
    virtual,
)

KILLS = [
    (chance.randrange(SETTINGS["chains"]), chance.randrange(14))
    for chance in [random.Random(2024)]
    for _ in range(50)
]


def disturbed(meddle=None, **options):
    return virtual(lambda: observe(meddle, save_warmup=True, **options))


@pytest.mark.parametrize(("chain", "commits"), KILLS)
def test_killing_a_chain_after_any_commit_changes_no_bit(chain, commits, undisturbed):
    killed = []

    async def kill(run):
        killed.append(await run.kill_chain(chain))

    seen = disturbed(after_commits(chain, commits, kill))
    assert killed == [True]
    assert draws_of(seen.tree) == undisturbed
    assert seen.statistics.chains[chain].restarts == 1
    assert [m.chain for m in seen.messages if isinstance(m, ChainRestarted)] == [chain]


@pytest.mark.parametrize(
    "path", [("engine", "recorder"), ("engine", "model server"), ("engine", "chains"), ("engine",)]
)
@pytest.mark.parametrize("commits", [0, 1, 5, 9, 14])
def test_killing_any_other_part_of_the_tree_changes_no_bit(path, commits, undisturbed):
    async def kill(run):
        actor = run.supervisor.child(*path)
        actor.exit(sv.KILL)
        await actor.wait_exited()

    seen = disturbed(after_commits(1, commits, kill))
    assert draws_of(seen.tree) == undisturbed


@pytest.mark.parametrize("chain", range(SETTINGS["chains"]))
def test_a_recorder_that_dies_while_the_chains_are_started_changes_no_bit(chain, undisturbed):
    exchange, deaths = recorder_that_dies_at(Stand(chain))
    assert draws_of(disturbed(parts=exchange).tree) == undisturbed
    assert not deaths


def test_every_draw_is_seen_once_and_in_order_although_everything_dies(undisturbed):
    victims = [("engine", "recorder"), ("engine", "model server"), ("engine", "chains", "chain 0", "actor")]

    async def meddle(run):
        seen = 0
        async with run.subscribe(overflow=WAIT, from_start=True) as feed:
            async for _ in feed:
                seen += 1
                if seen % 8 == 0 and victims:
                    run.supervisor.child(*victims.pop()).exit(sv.KILL)

    seen = disturbed(meddle)
    assert not victims
    for chain in range(SETTINGS["chains"]):
        for phase, total in (("warmup", SETTINGS["tune"]), ("sample", SETTINGS["draws"])):
            blocks = [
                m for m in seen.messages if isinstance(m, DrawBlock) and (m.chain, m.phase) == (chain, phase)
            ]
            assert [i for b in blocks for i in range(b.first, b.first + len(b))] == list(range(total))
    assert draws_of(seen.tree) == undisturbed


def test_a_crashing_view_changes_nothing_and_stays_dead(undisturbed):
    calls = []

    async def view(subscribe):
        async with subscribe() as feed:
            async for message in feed:
                calls.append(message)
                raise RuntimeError("this view is broken")

    seen = disturbed(views=[view])
    assert len(calls) == 1
    assert draws_of(seen.tree) == undisturbed


class Faulty:
    """Compute inline, but raise in the given calls: the seam at which faults are put in."""

    def __init__(self, fails):
        self.calls = 0
        self.fails = fails

    async def __call__(self, function, **_):
        await trio.lowlevel.checkpoint()
        self.calls += 1
        if self.fails(self.calls):
            raise RuntimeError(f"injected into call {self.calls}")
        return function()


# Calls of the runner before the first start, of a program that is compiled: what is sampled, from where, and
# the data.
BEFORE = 3


@pytest.mark.parametrize("call", [BEFORE + 1, BEFORE + 3, BEFORE + 4, BEFORE + 11, BEFORE + 20])
def test_a_block_that_raises_once_changes_no_bit(call, undisturbed):
    seen = disturbed(runner=Faulty(lambda number: number == call))
    restarts = [m for m in seen.messages if isinstance(m, ChainRestarted)]
    assert len(restarts) == 1
    assert f"injected into call {call}" in restarts[0].reason
    assert draws_of(seen.tree) == undisturbed


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5), cores=st.integers(1, 3))
def test_cutting_a_chain_into_other_blocks_changes_no_bit(undisturbed, sizes, cores):
    seen = disturbed(block_size=FixedBlocks(tuple(sizes)), cores=cores)
    assert draws_of(seen.tree) == undisturbed


def test_chains_that_learn_nothing_together_do_not_depend_on_how_many_there_are():
    alone = disturbed(chains=1, tune=9)
    together = disturbed(tune=9)
    for name, array in alone.tree.posterior.data_vars.items():
        assert array.values[0].tobytes() == together.tree.posterior[name].values[0].tobytes()


@pytest.mark.parametrize("lesson", Schedule(SETTINGS["tune"]).lessons)
@pytest.mark.parametrize("victim", [("engine", "recorder"), ("engine", "chains", "chain 1", "actor")])
def test_killing_whoever_waits_for_a_lesson_or_holds_it_changes_no_bit(lesson, victim, undisturbed):
    class DuringTheLesson:
        lessons = 0

        async def __call__(self, function, **_):
            await trio.lowlevel.checkpoint()
            if getattr(function, "func", None) is on_one_thread and function.args[2] == lesson:
                self.lessons += 1
                if self.lessons == 1:
                    self.run.supervisor.child(*victim).exit(sv.KILL)
                    await trio.sleep(1.0)
            return function()

    runner = DuringTheLesson()

    async def meet(run):
        runner.run = run

    seen = disturbed(meet, runner=runner)
    assert runner.lessons == (2 if "recorder" in victim else 1)
    assert draws_of(seen.tree) == undisturbed


def test_a_lesson_that_raises_once_is_held_again_and_changes_no_bit(undisturbed):
    class Faulty:
        has_raised = False

        async def __call__(self, function, **_):
            await trio.lowlevel.checkpoint()
            if getattr(function, "func", None) is on_one_thread and not self.has_raised:
                self.has_raised = True
                raise RuntimeError("injected into a lesson")
            return function()

    seen = disturbed(runner=Faulty())
    restarts = [m for m in seen.messages if isinstance(m, ChainRestarted)]
    assert restarts, "nobody waited for the lesson"
    assert all("injected into a lesson" in m.reason for m in restarts)
    assert draws_of(seen.tree) == undisturbed


def test_chains_that_warm_up_together_share_their_metric_and_their_step_size():
    steps = disturbed().tree.sample_stats["step_size"].values
    assert len(np.unique(steps)) == 1


def test_worker_threads_give_the_same_bits_as_inline_blocks(undisturbed):
    seen = trio.run(lambda: observe(save_warmup=True, runner=in_thread, block_size=ByWallTime()))
    assert draws_of(seen.tree) == undisturbed


def test_another_seed_gives_other_draws(undisturbed):
    assert draws_of(disturbed(random_seed=12).tree) != undisturbed
