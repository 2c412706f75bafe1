"""A whole warmup answers the requests of all first chains before their first transition, and no others."""

from types import SimpleNamespace

import numpy as np
import pytest

from exmc_actors.chain import empty_state
from exmc_actors.runtime import Settings
from exmc_actors.runtime.block_size import MOST_AT_ONCE, ByWallTime
from exmc_actors.runtime.pace import CALL_SECONDS, Pace
from exmc_actors.runtime.request import Request
from exmc_actors.runtime.warmup_requests import WarmupRequests

SETTINGS = Settings(draws=60, tune=40, chains=3, cores=2)


def warmups(*, seconds=1e-6, capacity=1000, settings=SETTINGS):
    """Of a program whose transitions take some seconds."""
    pace = Pace()
    pace.observe(1, CALL_SECONDS + seconds)
    executables = SimpleNamespace(advance_pace=pace, lanes=8, capacity=capacity)
    return WarmupRequests(executables, settings, ByWallTime())


def request(chain, transitions=0):
    """Of a chain that has made some transitions; of its start, if that is None."""
    state = None if transitions is None else empty_state(1)._replace(transitions=np.int64(transitions))
    return Request(chain, None, state, 10, 0.0)


FIRSTS = [request(2), request(0), request(1)]


def test_all_first_chains_are_answered_in_whichever_order_they_ask():
    assert warmups().among(FIRSTS) == FIRSTS


def test_others_that_ask_at_once_are_left():
    others = [request(3, None), request(4), request(5, 17)]
    assert warmups().among([others[0], *FIRSTS, *others[1:]]) == FIRSTS


@pytest.mark.parametrize(
    "requests",
    [
        FIRSTS[1:],
        [*FIRSTS[1:], request(3)],
        [*FIRSTS[1:], request(2, 10)],
        [*FIRSTS[1:], request(2, None)],
        [],
    ],
)
def test_where_one_of_them_is_elsewhere_none_is(requests):
    assert warmups().among(requests) == []


@pytest.mark.parametrize(
    "other",
    [
        warmups(seconds=2 * MOST_AT_ONCE / (3 * 40)),
        warmups(capacity=SETTINGS.schedule.longest_leg - 1),
        warmups(settings=Settings(draws=60, tune=9, chains=3)),
    ],
    ids=["takes long", "has long legs", "adapts nothing"],
)
def test_a_warmup_is_made_leg_by_leg_that(other):
    assert other.among(FIRSTS) == []


def test_a_program_of_which_nothing_is_known_goes_leg_by_leg():
    known = warmups()
    known._executables.advance_pace = Pace()
    assert known.among(FIRSTS) == []


def test_helpers_are_there_for_legs_that_are_worth_them():
    assert warmups(seconds=1e-6).crew().helpers == 0
    assert warmups(seconds=1e-4).crew().helpers == 1
    assert warmups(seconds=1e-4, settings=Settings(tune=40, chains=3, cores=8)).crew().helpers == 2


def test_what_follows_is_foretold_by_the_pace_and_by_all_that_the_warmup_took():
    told, found = [], warmups(seconds=1e-5)
    found._block_size = SimpleNamespace(foresee=lambda *what: told.append(what))
    found.foretell({chain: SimpleNamespace(stats=np.zeros((40, 2))) for chain in range(3)}, 0.024)
    assert told == [(chain, pytest.approx(1e-5), pytest.approx(2e-4)) for chain in range(3)]
