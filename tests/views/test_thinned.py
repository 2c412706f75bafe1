import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.views.thinned import Thinned


def rows(first, n):
    return np.arange(first, first + n, dtype=float)[:, np.newaxis]


def test_all_rows_are_kept_while_there_is_room():
    kept = Thinned(1, 8)
    kept.add(0, rows(0, 3))
    kept.add(3, rows(3, 2))
    numbers, values = kept.after(0)
    assert numbers.tolist() == [0, 1, 2, 3, 4]
    assert values[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert (kept.stride, kept.end) == (1, 5)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.integers(2, 20))
def test_what_is_kept_depends_on_the_numbers_alone(cuts, capacity):
    whole, parts = Thinned(1, capacity), Thinned(1, capacity)
    total = sum(cuts)
    whole.add(0, rows(0, total))
    at = 0
    for n in cuts:
        parts.add(at, rows(at, n))
        at += n
    numbers, values = parts.after(0)
    assert parts.stride == whole.stride
    assert numbers.tolist() == list(range(0, total, parts.stride)) == whole.after(0)[0].tolist()
    assert values[:, 0].tolist() == numbers.tolist()
    assert len(numbers) < capacity or capacity == 2


def test_what_was_seen_before_changes_nothing_and_gaps_are_allowed():
    kept = Thinned(1, 4)
    kept.add(0, rows(0, 2))
    kept.add(0, rows(0, 2))
    kept.add(10, rows(10, 1))
    assert kept.after(0)[0].tolist() == [0, 1, 10]
    kept.add(1_000_000, rows(1_000_000, 100))
    numbers, _ = kept.after(0)
    assert len(numbers) < 4
    assert all(number % kept.stride == 0 for number in numbers)


def test_a_reader_asks_for_what_came_after_a_number():
    kept = Thinned(1, 100)
    kept.add(0, rows(0, 10))
    assert kept.after(7)[0].tolist() == [7, 8, 9]
    assert kept.after(10)[0].tolist() == []
