"""Chains share calls, and threads, by what they are expected to take."""

import math

import pytest

from exmc_actors.runtime.call_sizes import WORTH_A_CALL, WORTH_A_THREAD, chains_a_call, threads_for


@pytest.mark.parametrize(
    ("chains", "seconds", "threads", "size"),
    [
        (4, 5e-5, 2, 4),  # a second thread is not worth its while
        (4, 4e-4, 2, 2),
        (4, 4e-4, 3, 2),
        (4, 4e-4, 1, 4),
        (5, 4e-4, 2, 3),
        (4, 2e-3, 2, 1),
        (4, math.inf, 2, 1),
        (1, 4e-4, 2, 1),
    ],
)
def test_a_leg_is_cut_into_calls(chains, seconds, threads, size):
    assert chains_a_call(chains, seconds, threads) == size


def test_threads_are_used_for_what_is_worth_them():
    assert threads_for(4, WORTH_A_THREAD / 4, 2) == 1
    assert threads_for(4, WORTH_A_THREAD / 3, 2) == 2


def test_a_chain_that_is_worth_a_call_has_one():
    assert chains_a_call(4, WORTH_A_CALL, 1) == 4
    assert chains_a_call(4, 1.01 * WORTH_A_CALL, 1) == 1
