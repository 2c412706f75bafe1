"""What chains ask for at once is quick, or divided among the cores."""

import numpy as np
import pytest

from exmc_actors.chain import empty_state
from exmc_actors.runtime import request as requests
from exmc_actors.runtime.pace import CALL_SECONDS
from exmc_actors.runtime.request import (
    GATHERED,
    LONGER_AT_THE_END,
    Request,
    are_quick,
    divided_among_cores,
    waits_for_others,
)
from exmc_actors.runtime.worker import QUICK


def request(transitions, expected, is_last=False):
    state = empty_state(1)._replace(transitions=np.int64(transitions))
    return Request(0, None, state, 10, expected, is_last=is_last)


def test_what_a_chain_does_last_waits_for_others_though_it_takes_longer(monkeypatch):
    monkeypatch.setattr(requests, "GATHERED", GATHERED)  # which other tests here do without
    for is_last, longest in ((False, GATHERED), (True, LONGER_AT_THE_END * GATHERED)):
        assert waits_for_others(request(10, 0.99 * longest, is_last))
        assert not waits_for_others(request(10, longest, is_last))


def test_a_shared_call_is_quick_by_all_that_it_holds():
    assert are_quick([request(10, 0.6 * QUICK)])
    assert not are_quick([request(10, 0.6 * QUICK)] * 3)


def test_the_first_block_of_a_chain_never_keeps_the_loop_waiting():
    assert are_quick([request(1, 0.0)])
    assert not are_quick([request(1, 0.0), request(0, 0.0)])


@pytest.mark.parametrize(
    ("count", "seconds", "cores", "sizes"),
    [
        (4, 5e-4, 2, [2, 2]),
        (5, 5e-4, 2, [3, 2]),
        (4, 5e-4, 1, [4]),
        (4, 2e-4, 2, [4]),
        (3, 5e-3, 2, [2, 1]),
        (1, 5e-4, 2, [1]),
    ],
)
def test_blocks_are_divided_among_the_cores_as_far_as_they_are_worth_it(count, seconds, cores, sizes):
    asked = [request(10, seconds + CALL_SECONDS) for _ in range(count)]
    batches = divided_among_cores(asked, cores)
    assert [len(batch) for batch in batches] == sizes
    assert [one for batch in batches for one in batch] == asked


def test_chains_that_start_stay_together():
    starts = [Request(chain, None, None, 0, 5e-3) for chain in range(4)]
    assert divided_among_cores(starts, 2) == [starts]
