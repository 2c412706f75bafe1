"""The schedule of warmup as plain integers."""

import itertools

import jax.numpy as jnp
import pytest

from exmc_actors.warmup import windows

pytestmark = pytest.mark.usefixtures("exact")


def switches(tune):
    """Play a whole warmup in which every draw counts; return the iterations after which it switches."""
    background, window, found = 0.0, jnp.asarray(windows.FIRST_WINDOW), []
    for index in range(tune):
        background += 1
        decision = windows.decide(index, tune, background, window)
        window = decision.window
        if decision.switches:
            found.append(index + 1)
            background = 0.0
    return found


def test_a_warmup_of_400_has_short_windows_first_and_growing_ones_later():
    assert switches(400) == [*range(10, 121, 10), 200]


def test_the_last_iterations_switch_nothing_and_leave_the_metric_alone():
    for tune in (20, 100, 400, 1000):
        final = [i for i in range(tune) if not windows.decide(i, tune, 1.0, 80.0).adapts_metric]
        assert final == list(range(int(0.85 * tune + 0.999), tune))
        assert all(found <= final[0] for found in switches(tune))


def test_no_window_begins_that_could_not_be_filled():
    found = switches(1000)
    late = [b - a for a, b in itertools.pairwise(found) if b > 300]
    assert late == sorted(late)
    assert found[-1] + windows.FIRST_WINDOW <= 850


@pytest.mark.parametrize("tune", [0, 1, 2, 5])
def test_a_very_short_warmup_is_no_error(tune):
    assert switches(tune) == []
