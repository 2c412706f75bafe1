"""The view shows pictures while a run goes on, few enough of them, and leaves the last one."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import trio

from exmc_actors.messages import DROP_OLDEST, ChainFinished
from exmc_actors.runtime import inline
from exmc_actors.views.notebook import notebook_progress
from tests.runtime.conftest import virtual


class Shown(list):
    """What was shown, and when."""

    def __call__(self, html, text):
        self.append((trio.current_time(), html, text))


def watched(subscribe, shown, **more):
    settings = {"chains": 1, "draws": 100, "tune": 0, "runner": inline} | more
    return notebook_progress(subscribe, show=shown, **settings)


@pytest.fixture
def script(drawn):
    """A run of five seconds."""
    blocks = [(0.1, drawn(0, 2 * i, {"mu": np.array([1.0, 3.0])})) for i in range(50)]
    return [*blocks, (0.0, ChainFinished(0))]


def test_leaves_a_picture_of_the_end(script, subscription):
    shown = Shown()
    virtual(partial(watched, subscription(script), shown))
    _, html, text = shown[-1]
    assert text == "finished: 100/100 draws, 1 chain, 0 divergences, 5.0 s"
    assert "<b>Finished</b>" in html
    assert "Estimates of 100 draws" in html


def test_shows_four_pictures_a_second(script, subscription):
    shown = Shown()
    virtual(partial(watched, subscription(script), shown))
    assert 19 <= len(shown) <= 22
    assert "sampling: " in shown[10][2]


def test_pictures_that_take_long_become_fewer(script, subscription):
    shown = Shown()

    async def slowly(function):
        await trio.sleep(0.1)
        function()

    virtual(partial(watched, subscription(script), shown, runner=slowly))
    assert 5 <= len(shown) <= 7


def test_asks_to_be_left_behind_rather_than_waited_for(subscription):
    asked = []
    virtual(partial(watched, subscription([], asked), Shown()))
    assert [overflow for overflow, _ in asked] == [DROP_OLDEST]


def test_a_cancelled_view_leaves_its_last_state(drawn, subscription):
    shown = Shown()
    forever = [(1.0, drawn(0, 0, {"mu": np.ones(42)})), (1e9, ChainFinished(0))]

    async def main():
        with trio.move_on_after(1.0001):
            await watched(subscription(forever), shown)

    virtual(main)
    assert shown[-1][2] == "stopped: 42/100 draws, 1 chain, 0 divergences, 1.0 s"


def test_a_cell_that_is_stuck_holds_up_the_view_alone_and_no_memory(drawn, subscription):
    shown = Shown()
    calls = []

    async def stuck_once(function):
        calls.append(function)
        if len(calls) == 1:
            await trio.sleep(399.95)
        function()

    script = [(0.1, drawn(0, i, {"mu": np.ones(1)})) for i in range(5000)]
    virtual(partial(watched, subscription(script), shown, draws=5000, runner=stuck_once))
    assert "Estimates of" in shown[-1][1]
    assert "2,025 of 5,000 draws" in shown[-1][1]
    assert "5000/5000 draws" in shown[-1][2]


def test_a_run_that_is_faster_than_its_view_gets_a_picture_all_the_same(drawn, subscription):
    shown = Shown()
    made = drawn(0, 0, {"mu": np.ones(40_000)})
    script = [(0.0101, replace(made, first=40_000 * i)) for i in range(110)]
    virtual(partial(watched, subscription(script), shown, draws=4_400_000))
    assert shown[-1][2].startswith("stopped: 4400000/4400000 draws")
    assert "Estimates of 680,000 of 4,400,000 draws." in shown[-1][1]
