"""A trace has few draws, evenly spread over all of a chain, however it came."""

import numpy as np
import pytest

from exmc_actors.views.notebook.traces import POINTS, Traces


def added(total, cut):
    traces = Traces()
    for first in range(0, total, cut):
        index = np.arange(first, min(first + cut, total))
        traces.add(1, first, np.column_stack((index, -index)).astype(float))
    return traces


def test_a_short_chain_is_kept_whole():
    (trace,) = added(10, 3).of(1)
    assert trace.chain == 1
    assert trace.values.tolist() == [-float(i) for i in range(10)]


@pytest.mark.parametrize("total", [127, 128, 5_000, 100_003])
def test_a_long_chain_is_kept_in_even_steps_from_its_first_draw_to_its_end(total):
    (trace,) = added(total, 977).of(0)
    (stride,) = set(np.diff(trace.index))
    assert POINTS <= len(trace.index) < 2 * POINTS
    assert trace.index[0] == 0
    assert total - trace.index[-1] <= stride
    assert (trace.values == trace.index).all()


def test_what_is_kept_does_not_depend_on_the_cut_into_blocks():
    whole, cut = (added(3_000, size).of(0)[0].index for size in (3_000, 7))
    assert whole.tolist() == cut.tolist()


def test_draws_that_went_by_unseen_leave_a_gap():
    traces = Traces()
    for first in (0, 90):
        traces.add(0, first, np.zeros((10, 1)))
    assert traces.of(0)[0].index.tolist() == [*range(10), *range(90, 100)]
