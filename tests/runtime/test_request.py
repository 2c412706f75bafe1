"""What chains ask for at once is quick, or divided among the cores."""

from dataclasses import replace

import pytest

from exmc_actors.runtime.pace import CALL_SECONDS
from exmc_actors.runtime.request import Request, are_quick, shares
from exmc_actors.runtime.worker import QUICK


def requests(count, seconds, transitions=100):
    """Return requests of chains past their first block, each with so many seconds of work."""

    class State:
        pass

    state = State()
    state.transitions = transitions
    return [Request(chain, None, state, 100, seconds + CALL_SECONDS) for chain in range(count)]


@pytest.mark.parametrize(
    ("count", "seconds", "cores", "sizes"),
    [
        (4, 5e-4, 2, [2, 2]),
        (5, 5e-4, 2, [3, 2]),
        (4, 5e-4, 1, [4]),
        (4, 2e-4, 2, [4]),
        (3, 5e-3, 2, [1, 1, 1]),
        (1, 5e-4, 2, [1]),
    ],
)
def test_what_is_asked_at_once_is_divided_among_the_cores_as_far_as_they_are_worth_it(
    count, seconds, cores, sizes
):
    asked = requests(count, seconds)
    divided = shares(asked, cores)
    assert [len(share) for share in divided] == sizes
    assert [one for share in divided for one in share] == asked


def test_chains_that_start_stay_together():
    starts = [replace(request, state=None) for request in requests(4, 5e-3)]
    assert shares(starts, 2) == [starts]


def test_calls_are_quick_by_what_all_chains_take_together():
    each = (QUICK - CALL_SECONDS) / 4
    assert are_quick(requests(4, 0.9 * each))
    assert not are_quick(requests(4, 1.1 * each))


def test_the_first_block_of_a_chain_is_never_quick():
    assert not are_quick(requests(1, 0.0, transitions=0))
