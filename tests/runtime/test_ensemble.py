"""Chains that advance together are chains: what dies, what raises and who comes late changes no bit."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.chain import chain_key, empty_state
from exmc_actors.kernel import Nuts
from exmc_actors.messages import ChainFailed, ChainRestarted
from exmc_actors.runtime import (
    ByWallTime,
    EnsembleExecutables,
    ensemble_width,
    executables_for,
    in_thread,
    wants_ensemble,
)
from exmc_actors.runtime.executables import Compiled
from exmc_actors.warmup import Schedule
from tests.runtime.conftest import FixedBlocks, after_commits, draws_of, observe, schools, virtual

CHAINS, DRAWS, TUNE = 11, 25, 30
"""Two batches of eight lanes, the second one with three chains."""


def together(meddle=None, **options):
    options = {"chains": CHAINS, "draws": DRAWS, "tune": TUNE, "ensemble": True} | options
    return virtual(lambda: observe(meddle, save_warmup=True, **options))


@pytest.fixture(scope="module")
def in_peace():
    return draws_of(together().tree)


@pytest.fixture
def calls(monkeypatch):
    """Note which lanes each call advances, and by how much."""
    made, advance = [], EnsembleExecutables.advance_together

    @functools.wraps(advance)
    def noted(self, states, transitions, *rest):
        made.append((sorted(states), transitions))
        return advance(self, states, transitions, *rest)

    monkeypatch.setattr(EnsembleExecutables, "advance_together", noted)
    return made


@pytest.mark.slow
def test_a_batch_of_chains_shares_every_call(calls):
    seen = together()
    assert {tuple(lanes) for lanes, _ in calls} == {tuple(range(8)), (0, 1, 2)}
    assert sum(transitions for lanes, transitions in calls if len(lanes) == 8) == TUNE + DRAWS
    assert seen.tree.attrs["ensemble_width"] == 8
    assert seen.tree.posterior.sizes["chain"] == CHAINS


@pytest.mark.slow
def test_the_block_of_an_ensemble_is_one_folded_kernel():
    program = ex.compile(schools())
    compiled = executables_for(program, 10, make=EnsembleExecutables, width=8).compile_advance(
        program.arguments
    )
    assert compiled.is_folded


@pytest.mark.parametrize(("chain", "commits"), [(0, 1), (5, 2), (7, 4), (9, 3), (10, 6), (3, 7)])
def test_killing_a_chain_changes_no_bit(chain, commits, in_peace):
    seen = together(after_commits(chain, commits, lambda run: run.kill_chain(chain)))
    assert draws_of(seen.tree) == in_peace
    assert [m.chain for m in seen.messages if isinstance(m, ChainRestarted)] == [chain]


def test_a_chain_that_is_stopped_leaves_its_lane_and_changes_no_bit_of_the_others(in_peace):
    seen = together(after_commits(5, 6, lambda run: run.stop_chain(5)))
    assert seen.tree.attrs["stopped_chains"] == [5]
    whole = np.frombuffer(in_peace["posterior/mu"]).reshape(CHAINS, DRAWS)
    assert seen.tree.posterior["mu"].values.tobytes() == np.delete(whole, 5, axis=0).tobytes()


def test_an_ensemble_takes_no_more_chains(in_peace):
    async def add(run):
        with pytest.raises(ex.SettingsError, match="the chains of this run advance together"):
            await run.add_chains()

    assert draws_of(together(add).tree) == in_peace


@pytest.mark.parametrize(
    "path", [("engine", "recorder"), ("engine", "model server"), ("engine", "chains"), ("engine",)]
)
@pytest.mark.parametrize("commits", [1, 5])
def test_killing_any_other_part_of_the_tree_changes_no_bit(path, commits, in_peace):
    async def kill(run):
        run.supervisor.child(*path).exit(sv.KILL)

    assert draws_of(together(after_commits(1, commits, kill)).tree) == in_peace


class Dying:
    """Kill a chain while the call that advances it is under way."""

    def __init__(self, chain, call):
        self.chain, self.call, self.made = chain, call, 0

    async def __call__(self, function, **_):
        await trio.lowlevel.checkpoint()
        if "_compute" in str(getattr(function, "func", "")) and self._advances(function.args[0]):
            self.made += 1
            if self.made == self.call:
                await self.run.kill_chain(self.chain)
                await trio.sleep(1.0)
        return function()

    def _advances(self, requests):
        return any(request.chain == self.chain and request.state is not None for request in requests)


@pytest.mark.parametrize("call", [3, 4, 5, 6])
def test_a_chain_that_dies_during_its_call_comes_back_and_joins_the_others(call, calls, in_peace):
    runner = Dying(4, call)

    async def meet(run):
        runner.run = run

    seen = together(meet, runner=runner)
    assert draws_of(seen.tree) == in_peace
    assert [m.chain for m in seen.messages if isinstance(m, ChainRestarted)] == [4]
    # Where the others have come to a lesson, it follows them there by itself, in one call.
    others = [lanes for lanes, _ in calls if len(lanes) not in (3, 8)]
    assert others in ([], [[4]])


def test_cutting_chains_into_other_blocks_changes_no_bit(in_peace):
    for sizes, cores in (((1, 9, 60), 1), ((30,), 2), ((2, 3), 3)):
        assert draws_of(together(block_size=FixedBlocks(sizes), cores=cores).tree) == in_peace


def test_worker_threads_give_the_same_bits_as_inline_blocks(in_peace):
    options = {"chains": CHAINS, "draws": DRAWS, "tune": TUNE, "ensemble": True}
    seen = trio.run(
        lambda: observe(save_warmup=True, runner=in_thread, block_size=ByWallTime(), cores=2, **options)
    )
    assert draws_of(seen.tree) == in_peace


def poisoned(monkeypatch, chain, is_hit):
    advance, key = EnsembleExecutables.advance_together, chain_key(11, chain)

    def advance_or_raise(self, states, *rest):
        if any(np.array_equal(state.key, key) and is_hit(state) for state in states.values()):
            raise FloatingPointError("the poison of this test")
        return advance(self, states, *rest)

    monkeypatch.setattr(EnsembleExecutables, "advance_together", advance_or_raise)


def test_a_fault_in_a_call_is_that_of_one_chain(monkeypatch):
    poisoned(monkeypatch, 6, lambda state: state.transitions >= TUNE)
    seen = together()
    assert [message.chain for message in seen.messages if isinstance(message, ChainFailed)] == [6]
    assert list(seen.tree.posterior.chain.values) == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10]
    monkeypatch.undo()
    whole = together().tree
    for name, array in seen.tree.posterior.data_vars.items():
        kept = whole.posterior[name].values[seen.tree.posterior.chain.values]
        assert array.values.tobytes() == kept.tobytes()


def test_a_callback_in_float32_is_told_in_a_sentence(monkeypatch):
    def fail(*_):
        raise jax.errors.JaxRuntimeError("return value #0: Expected: float64, Actual: float32")

    program = ex.compile(schools())
    executables = EnsembleExecutables(program, 10, Nuts(), None, 2)
    monkeypatch.setattr(executables, "compile_advance", lambda _: Compiled(fail, True, "cpu:0"))
    with pytest.raises(ex.ModelError, match="calls back into Python"):
        executables.advance_together(
            {0: empty_state(program.dim)}, 1, program.arguments, Schedule(0), 0.8, 0.0
        )


def test_a_fault_that_passes_changes_no_bit(monkeypatch, in_peace):
    hits = []

    def is_hit(state):
        if state.transitions < 24 or len(hits) == 2:
            return False
        hits.append(1)
        return True

    poisoned(monkeypatch, 2, is_hit)
    seen = together()
    assert [m.chain for m in seen.messages if isinstance(m, ChainRestarted)] == [2]
    assert draws_of(seen.tree) == in_peace


def test_chains_that_learn_nothing_together_do_not_depend_on_how_many_there_are():
    few, many = together(chains=3, tune=9), together(chains=CHAINS, tune=9)
    for name, array in few.tree.posterior.data_vars.items():
        assert array.values.tobytes() == many.tree.posterior[name].values[:3].tobytes()


def test_the_width_follows_from_chains_and_dimensions():
    widths = [ensemble_width(chains, 10, "cpu") for chains in (1, 32, 33, 64, 100, 256, 1024)]
    assert widths == [8, 8, 16, 16, 32, 64, 64]
    assert ensemble_width(1024, 5_000, "cpu") == 8
    assert ensemble_width(1000, 10, "gpu") == 1024


def test_an_ensemble_is_part_of_a_programs_identity():
    program = ex.compile(schools())
    narrow = executables_for(program, 10, make=EnsembleExecutables, width=8)
    assert narrow is executables_for(program, 10, make=EnsembleExecutables, width=8)
    assert narrow is not executables_for(program, 10, make=EnsembleExecutables, width=16)
    assert narrow is not executables_for(program, 10)


def test_a_cpu_has_no_ensemble_unless_asked_and_other_devices_have_one():
    assert not wants_ensemble(None, ex.Nuts(), lambda: "cpu")
    assert wants_ensemble(None, ex.Nuts(), lambda: "gpu")
    assert wants_ensemble(True, ex.Nuts(), lambda: "cpu")
    assert not wants_ensemble(False, ex.Nuts(), lambda: "gpu")
    assert "ensemble_width" not in virtual(lambda: observe(chains=1)).tree.attrs


@pytest.mark.parametrize("wrong", [64, "yes", 1])
def test_what_is_neither_true_nor_false_is_refused_with_what_to_write(wrong):
    with pytest.raises(ex.SettingsError, match=f"ensemble must be True, False or None, got {wrong!r}: write"):
        ex.sample(schools(), ensemble=wrong, progressbar=False)


def test_a_kernel_that_has_no_lanes_is_refused_beside_an_ensemble_and_wins_over_the_device():
    with pytest.raises(ex.SettingsError, match="ensemble=True advances many chains by NUTS, and kernel is"):
        ex.sample(schools(), ensemble=True, kernel=ex.Walnuts(), progressbar=False)
    assert not wants_ensemble(None, ex.Walnuts(), lambda: "gpu")


def test_step_sizes_are_jittered_by_lane_within_their_bounds():
    stats = together(step_size_jitter=0.2).tree.sample_stats
    sizes = stats["step_size"].values
    assert (sizes.std(axis=1) > 0).all()
    assert (sizes.max(axis=1) / sizes.min(axis=1) < 1.2 / 0.8).all()


@pytest.mark.slow
def test_a_chain_without_a_start_keeps_nobody_waiting():
    def density(q):
        return jnp.where(q[0] < 5.0, -0.5 * jnp.dot(q, q), jnp.nan)

    inits = [{"x": np.full(2, 9.0 if chain == 1 else 0.3)} for chain in range(4)]
    seen = together(model=ex.LogDensity(density, np.zeros(2)), chains=4, initvals=inits)
    assert list(seen.tree.posterior.chain.values) == [0, 2, 3]
