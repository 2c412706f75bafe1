"""What is quick is computed for all chains that ask at once in one call; no draw, and no fault, shows it."""

import functools
import math

import numpy as np
import pytest

import exmc_actors as ex
import supervision as sv
from exmc_actors.chain import chain_key
from exmc_actors.chain.lanes import MOST_LANES
from exmc_actors.messages import ChainFailed
from exmc_actors.runtime import call_sizes, executables_for, model_server, request
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, observe, schools, virtual


@pytest.fixture(scope="module")
def one_by_one():
    return draws_of(virtual(observe).tree)


@pytest.fixture
def calls(monkeypatch):
    """Let everything be gathered whose pace is known, however slow, and note the chains of each call."""
    monkeypatch.setattr(request, "GATHERED", math.inf)
    made, advance = [], Executables.advance

    @functools.wraps(advance)
    def noted(self, chains, *rest):
        made.append(len(chains))
        return advance(self, chains, *rest)

    monkeypatch.setattr(Executables, "advance", noted)
    return made


def test_chains_that_ask_at_once_share_a_call_and_draw_what_they_draw_alone(calls, one_by_one):
    # The first call of a program is not known to be quick; afterwards this one takes no time.
    virtual(observe)
    calls.clear()
    assert draws_of(virtual(observe).tree) == one_by_one
    assert max(calls) == SETTINGS["chains"]


def test_of_the_requests_of_a_chain_in_sampling_the_last_is_known_for_it(monkeypatch):
    asked = []
    monkeypatch.setattr(model_server, "waits_for_others", asked.append)
    virtual(observe)
    sampling = [one for one in asked if one.state is not None and one.state.transitions >= SETTINGS["tune"]]
    for chain in range(SETTINGS["chains"]):
        *before, last = [one.is_last for one in sampling if one.chain == chain]
        assert last
        assert before
        assert not any(before)


def test_a_fault_in_a_shared_call_is_that_of_one_chain(calls, monkeypatch, one_by_one):
    virtual(observe)
    advance, key = Executables.advance, chain_key(SETTINGS["random_seed"], 1)

    def poisoned(self, chains, *rest):
        if any(np.array_equal(state.key, key) and state.transitions >= 56 for state, _ in chains):
            raise FloatingPointError("the poison of this test")
        return advance(self, chains, *rest)

    monkeypatch.setattr(Executables, "advance", poisoned)
    seen = virtual(observe)
    assert [message.chain for message in seen.messages if isinstance(message, ChainFailed)] == [1]
    assert list(seen.tree.posterior.chain.values) == [0, 2]


def test_more_chains_than_lanes_are_served_in_turn(calls):
    virtual(lambda: observe(chains=11))
    calls.clear()
    tree = virtual(lambda: observe(chains=11)).tree
    assert tree.posterior.sizes["chain"] == 11
    assert max(calls) == MOST_LANES


def test_a_call_is_given_no_more_transitions_than_there_are_rows(calls, monkeypatch):
    monkeypatch.setattr(call_sizes, "WORTH_A_CALL", math.inf)
    long = {"draws": 6000, "block_size": FixedBlocks((6000,)), "cores": 1}
    virtual(observe)
    calls.clear()
    assert 3 * 6000 > executables_for(ex.compile(schools()), 10).capacity > 2 * 6000
    virtual(lambda: observe(**long))
    assert sorted(calls[-2:]) == [1, 2]


def test_chains_that_begin_start_in_one_call(calls, monkeypatch, one_by_one):
    virtual(observe)
    made, start = [], Executables.start

    def noted(self, places, *rest):
        made.append(len(places))
        return start(self, places, *rest)

    monkeypatch.setattr(Executables, "start", noted)
    assert draws_of(virtual(observe).tree) == one_by_one
    assert made == [SETTINGS["chains"]]


def test_a_chain_that_begins_again_alone_does_not_wait_for_the_others(calls, one_by_one):
    virtual(observe)

    async def kill_before_its_first_commit(run):
        assert await run.kill_chain(1)

    seen = virtual(lambda: observe(kill_before_its_first_commit))
    assert seen.statistics.chains[1].restarts == 1
    assert draws_of(seen.tree) == one_by_one


@pytest.mark.parametrize("victim", [("engine", "recorder"), ("engine", "model server")])
def test_killing_whoever_holds_gathered_requests_changes_no_bit(calls, victim, one_by_one):
    virtual(observe)

    async def kill_twice(run):
        for _ in range(2):
            async with run.subscribe(overflow=ex.WAIT) as feed:
                await anext(feed)
            run.supervisor.child(*victim).exit(sv.KILL)

    seen = virtual(lambda: observe(kill_twice))
    assert max(calls) == SETTINGS["chains"]
    assert max(chain.restarts for chain in seen.statistics.chains) >= 1
    assert draws_of(seen.tree) == one_by_one
