"""One program, compiled once and folded, whatever the number of chains and whatever the data."""

import threading
from collections import OrderedDict

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import exmc_actors as ex
from exmc_actors.compiler import program as module
from exmc_actors.opening import open_run
from exmc_actors.runtime import cores, executables_for, in_thread, shared_executables, worker
from exmc_actors.runtime.cores import Cores
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.worker import QUICK
from exmc_actors.xla import is_folded
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual


class Counted:
    """A log density that counts how often it is traced."""

    def __init__(self):
        self.traces = 0

    def __call__(self, q):
        self.traces += 1
        return -0.5 * jnp.dot(q, q)


def test_the_compiled_block_is_one_folded_kernel():
    program = ex.compile(schools())
    compiled = executables_for(program, 10).compile_advance(program.arguments)
    text = compiled.call.as_text()
    assert compiled.is_folded
    assert 'xla_cpu_small_call="true"' in text
    entry = text[text.index("ENTRY") :]
    # All loops of the block stand inside folded calls: the entry has none of its own.
    assert " while(" not in entry
    assert "scatter(" not in text
    assert "custom-call" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ENTRY main { ROOT c = call(t), frontend_attributes={xla_cpu_small_call="true"} }', True),
        ("ENTRY main { ROOT w = while(t), condition=c, body=b }", False),
        (
            'body { c = call(t), f={xla_cpu_small_call="true"} } ENTRY main { ROOT w = while(t), body=body }',
            False,
        ),
        (None, False),
    ],
)
def test_a_loop_that_was_not_folded_is_told_from_one_that_was(text, expected):
    assert is_folded(text) == expected


def test_more_chains_and_more_runs_add_no_trace():
    density = Counted()
    target = ex.LogDensity(density, np.zeros(3))
    settings = {"model": target, "draws": 20, "tune": 20, "random_seed": 1}
    virtual(lambda: observe(chains=1, **settings))
    traced = density.traces
    assert traced > 0
    virtual(lambda: observe(chains=7, **settings))
    virtual(lambda: observe(chains=2, **(settings | {"draws": 33, "tune": 5, "target_accept": 0.9})))
    assert density.traces == traced


def test_new_data_adds_no_trace(monkeypatch):
    first = schools()
    virtual(lambda: observe(model=first))
    calls = []
    original = module.traced.log_terms
    monkeypatch.setattr(module.traced, "log_terms", lambda *args: calls.append(1) or original(*args))
    other = virtual(lambda: observe(model=schools(np.arange(8.0)))).tree
    assert calls == []
    same = virtual(lambda: observe(model=schools())).tree
    assert not np.array_equal(other.posterior["mu"].values, same.posterior["mu"].values)


def test_a_log_density_that_cannot_be_traced_ends_in_a_sentence():
    def broken(q):
        raise TypeError("this function is broken")

    with pytest.raises(ex.RunFailed, match="could not be started: TypeError: this function is broken"):
        virtual(lambda: observe(model=ex.LogDensity(broken, np.zeros(2))))


def in_each_block(monkeypatch, work):
    """Do ``work`` in the thread of every block before it computes."""
    advance = Executables.advance

    def worked(*args):
        work()
        return advance(*args)

    monkeypatch.setattr(Executables, "advance", worked)


async def in_two_threads(cores, runner=in_thread):
    return await observe(chains=2, cores=cores, runner=runner, block_size=FixedBlocks((20,)))


def test_two_blocks_of_one_executable_run_in_two_threads_at_once(monkeypatch):
    """The answer is the same as one after the other; whether it is faster belongs to the benchmarks."""
    alone = virtual(lambda: observe(chains=2))
    monkeypatch.setattr(worker, "QUICK", 0.0)
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: 2))
    both = threading.Barrier(2)
    in_each_block(monkeypatch, lambda: both.wait(timeout=60))

    threaded = trio.run(in_two_threads, 2)
    assert draws_of(threaded.tree) == draws_of(alone.tree)


@pytest.mark.parametrize(("asked", "there_are"), [(1, 2), (2, 1), (2, 2)])
def test_as_many_blocks_are_in_threads_as_there_are_cores_and_no_more(monkeypatch, asked, there_are):
    under_way, seen = set(), []

    async def noted(function, **_):
        under_way.add(function)
        try:
            return await in_thread(function)
        finally:
            under_way.remove(function)

    async def look():
        # Every other task has done what it can by then: the other chain has asked for its block.
        await wait_all_tasks_blocked()
        seen.append(len(under_way))

    monkeypatch.setattr(worker, "QUICK", 0.0)
    in_each_block(monkeypatch, lambda: trio.from_thread.run(look))
    monkeypatch.setattr(cores, "PROCESS", Cores(lambda: there_are))
    trio.run(in_two_threads, asked, noted)
    assert max(seen) == min(asked, there_are)


@pytest.mark.parametrize(("seconds", "is_inline"), [(0.0, True), (0.9 * QUICK, True), (QUICK, False)])
def test_what_is_expected_to_be_quick_runs_where_it_is(seconds, is_inline):
    async def main():
        return await in_thread(threading.get_ident, seconds=seconds)

    assert (trio.run(main) == threading.get_ident()) is is_inline


async def in_eight_runs_at_once(targets):
    trees = [None] * len(targets)

    async def sample(place, target):
        async with open_run(target, **SETTINGS, runner=in_thread, block_size=FixedBlocks()) as run:
            trees[place] = await run.result()

    async with trio.open_nursery() as nursery:
        for place, target in enumerate(targets):
            nursery.start_soon(sample, place, target)
    return trees


@pytest.fixture
def compilations(monkeypatch):
    """Note every executable that is made, and every structure that is traced."""
    made, traced = [], []
    compiled, log_terms = Executables._compiled, module.traced.log_terms
    monkeypatch.setattr(Executables, "_compiled", lambda *args: made.append(1) or compiled(*args))
    monkeypatch.setattr(module.traced, "log_terms", lambda *args: traced.append(1) or log_terms(*args))
    return made, traced


def test_many_runs_at_once_of_one_structure_compile_it_once_in_threads_too(monkeypatch, compilations):
    monkeypatch.setattr(shared_executables, "_cache", OrderedDict())
    made, _ = compilations
    data = [np.arange(8.0) + shift for shift in range(8)]
    trees = trio.run(in_eight_runs_at_once, [schools(y) for y in data])
    assert len(made) == 2  # what starts a chain, and what advances one
    assert len({tree.posterior["mu"].values.tobytes() for tree in trees}) == 8
    alone = virtual(lambda: observe(model=schools(data[3]))).tree
    assert draws_of(trees[3]) == draws_of(alone)


def test_sampling_a_structure_again_with_new_data_compiles_nothing(compilations):
    made, traced = compilations
    events = []

    def listen(event, *_, **__):
        if "compile" in event:
            events.append(event)

    def sample(shift):
        b = ex.Builder()
        mu = b.rv("mu", ex.Normal(0.0, 5.0))
        b.obs("y", ex.Normal(mu, np.linspace(1.0, 2.0, 13)), np.arange(13.0) + shift)
        with pytest.warns(ex.SamplingWarning):
            return ex.sample(b.model(), draws=20, tune=20, random_seed=1, progressbar=False)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        first = sample(0.0)
        assert len(made) == 2
        assert traced
        assert events
        made.clear(), traced.clear(), events.clear()
        second = sample(0.5)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert (made, traced, events) == ([], [], [])
    assert not np.array_equal(first.posterior["mu"].values, second.posterior["mu"].values)
