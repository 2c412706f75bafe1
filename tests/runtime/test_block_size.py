"""Blocks grow from a few transitions to fifty milliseconds, whatever a transition costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.runtime import ByWallTime
from exmc_actors.runtime.block_size import FIRST_BLOCK, TARGET_SECONDS, WORTH_SHARING

UNLIMITED = 1_000_000


def blocks_of(cost, blocks, at_most=UNLIMITED, chain=0, sizes=None):
    """Return the sizes of a chain's next blocks, where every transition costs ``cost`` seconds."""
    sizes = ByWallTime() if sizes is None else sizes
    chosen = []
    for _ in range(blocks):
        chosen.append(sizes.choose(chain, at_most))
        sizes.observe(chain, chosen[-1], chosen[-1] * cost)
    return chosen


@pytest.mark.parametrize("at_most", [1, 3, FIRST_BLOCK, 500, UNLIMITED])
def test_the_first_block_is_small(at_most):
    assert ByWallTime().choose(0, at_most) == min(FIRST_BLOCK, at_most)


@pytest.mark.parametrize("cost", [1e-6, 3e-5, 1e-3, 0.007])
def test_blocks_approach_the_target_whatever_a_transition_costs(cost):
    last = blocks_of(cost, blocks=12)[-1]
    assert last * cost <= TARGET_SECONDS < (last + 2) * cost


@pytest.mark.parametrize("cost", [TARGET_SECONDS * 1.01, 1.0, 3600.0])
def test_a_transition_that_takes_longer_than_the_target_is_a_block(cost):
    assert blocks_of(cost, blocks=3) == [FIRST_BLOCK, 1, 1]


def test_another_target_is_approached_too():
    cost, target = 1e-3, 8 * TARGET_SECONDS
    last = blocks_of(cost, blocks=12, sizes=ByWallTime(seconds=target))[-1]
    assert last * cost <= target < (last + 2) * cost


def test_blocks_grow_again_when_transitions_become_cheaper():
    sizes = ByWallTime()
    assert blocks_of(1.0, blocks=3, sizes=sizes)[-1] == 1
    assert blocks_of(1e-6, blocks=4, sizes=sizes) == [1, 16, 256, 4096]


def test_a_clock_that_saw_no_time_pass_grows_blocks_sixteenfold():
    assert blocks_of(0.0, blocks=3) == [FIRST_BLOCK, 16 * FIRST_BLOCK, 256 * FIRST_BLOCK]


@given(
    st.lists(
        st.tuples(st.integers(1, 5000), st.floats(0.0, 100.0)),
        min_size=2,
        max_size=30,
    )
)
def test_no_block_is_empty_or_over_the_limit_or_more_than_sixteen_times_as_large(steps):
    sizes, largest = ByWallTime(), FIRST_BLOCK
    for at_most, cost in steps:
        chosen = sizes.choose(0, at_most)
        assert 1 <= chosen <= min(at_most, largest)
        # Against what was planned, not against what a phase's end left of it.
        largest = 16 * sizes.choose(0, UNLIMITED)
        sizes.observe(0, chosen, chosen * cost)


def test_a_short_block_at_the_end_of_a_phase_does_not_shrink_the_next():
    cost, sizes = 1e-4, ByWallTime()
    settled = blocks_of(cost, blocks=8, sizes=sizes)[-1]
    assert blocks_of(cost, blocks=1, at_most=3, sizes=sizes) == [3]
    assert abs(sizes.choose(0, UNLIMITED) - settled) <= 1


def test_the_last_blocks_of_chains_that_share_cores_are_halves_of_what_is_left():
    cost, sizes = 1e-5, ByWallTime(shares_cores=True)
    blocks_of(cost, blocks=8, sizes=sizes)
    left, chosen = 10_000, []
    while left:
        chosen += blocks_of(cost, blocks=1, at_most=left, sizes=sizes)
        left -= chosen[-1]
    assert chosen == [5000, 2500, 2500]
    assert 1250 * cost < WORTH_SHARING < 2500 * cost


def test_the_last_block_of_a_chain_that_has_a_core_to_itself_is_all_that_is_left():
    sizes = ByWallTime()
    blocks_of(1e-5, blocks=8, sizes=sizes)
    assert blocks_of(1e-5, blocks=1, at_most=4000, sizes=sizes) == [4000]


def test_every_chain_has_a_size_of_its_own():
    sizes = ByWallTime()
    slow, fast = blocks_of(1.0, 6, chain=0, sizes=sizes), blocks_of(1e-6, 6, chain=1, sizes=sizes)
    assert (slow[-1], fast[-1]) == (1, int(TARGET_SECONDS / 1e-6))
    assert sizes.choose(0, UNLIMITED) == 1
    assert sizes.choose(2, UNLIMITED) == FIRST_BLOCK


def test_a_block_cut_short_by_the_end_of_a_phase_says_nothing_of_the_next():
    """What a block costs whatever its size would be taken for the cost of its few transitions."""
    overhead, cost = 1e-3, 3e-5
    sizes = ByWallTime()
    for _ in range(12):
        wanted = sizes.choose(0, UNLIMITED)
        sizes.observe(0, wanted, overhead + wanted * cost)
    sizes.observe(0, sizes.choose(0, 3), overhead + 3 * cost)
    assert sizes.choose(0, UNLIMITED) == wanted


def test_cut_blocks_that_were_quick_make_the_next_one_longer():
    sizes = ByWallTime()
    assert blocks_of(1e-6, blocks=3, at_most=25, sizes=sizes) == [FIRST_BLOCK, 25, 25]
    assert sizes.choose(0, UNLIMITED) == 16 * 25


def test_a_cut_block_that_took_too_long_all_the_same_is_heeded():
    sizes = ByWallTime()
    blocks_of(1e-5, blocks=12, sizes=sizes)
    sizes.observe(0, sizes.choose(0, 100), 1.0)
    assert sizes.choose(0, UNLIMITED) == 5


def test_a_pace_that_is_known_makes_the_next_block_as_long_as_it_is_to_be():
    sizes = ByWallTime()
    sizes.foresee(0, 1e-5, 16e-5)
    assert sizes.choose(0, UNLIMITED) == int(TARGET_SECONDS / 1e-5)
    assert sizes.choose(1, UNLIMITED) == FIRST_BLOCK


def test_a_pace_that_is_known_tells_what_is_worth_sharing():
    sizes, left = ByWallTime(shares_cores=True), 4000
    sizes.foresee(0, 2.2 * WORTH_SHARING / left, 1e-4)
    sizes.foresee(1, 1.8 * WORTH_SHARING / left, 1e-4)
    assert (sizes.choose(0, left), sizes.choose(1, left)) == (left // 2, left)


def test_a_transition_that_will_take_longer_than_the_target_is_a_block():
    sizes = ByWallTime()
    sizes.foresee(0, 2 * TARGET_SECONDS, 2 * TARGET_SECONDS)
    assert sizes.choose(0, UNLIMITED) == 1


def test_a_pace_that_was_of_others_costs_at_most_sixteen_blocks():
    sizes, cost = ByWallTime(), 1e-3
    sizes.foresee(0, 1e-6, cost)
    assert sizes.choose(0, UNLIMITED) * cost == 16 * TARGET_SECONDS
