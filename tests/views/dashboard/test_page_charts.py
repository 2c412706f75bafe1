"""The charts of a page in a real browser; skipped where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from tests.views.dashboard.conftest import block
from tests.views.dashboard.pages import expect, made_by_hand

pytestmark = pytest.mark.slow

ROWS_WITH_COLOUR = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const rows = new Set();
    for (let at = 0; at < data.length; at += 4) {
        const pixel = data.slice(at, at + 3);
        if (data[at + 3] > 128 && Math.max(...pixel) - Math.min(...pixel) > 60)
            rows.add(Math.floor(at / 4 / canvas.width));
    }
    return rows.size / canvas.height;
}"""


@pytest.mark.parametrize(
    ("offset", "step"), [(0.0, 1e-6), (1.7e9, 1e-3), (1e12, 1e-2), (1e16, 2.0), (1e17, 16.0), (-1e17, 1e4)]
)
def test_numbers_that_are_large_and_hardly_differ_have_charts_as_others_have(browser, offset, step):
    with made_by_hand(browser) as (tell, page):
        for chain in range(2):
            made = block(chain, 0, 300, diverged=(3,))
            values = offset + step * (np.arange(300) * 7 % 13)
            tell(replace(made, draws={"t": values, "constant": np.full(300, offset)}))
        expect(page.locator("#table tbody tr")).to_have_count(2)
        for kind in ("trace", "running"):
            expect(page.locator(f".quantity[data-name='t'] .{kind} .uplot")).to_be_visible()
        trace = page.locator(".quantity[data-name='t'] .trace canvas")
        assert trace.evaluate(ROWS_WITH_COLOUR) > 0.5
        assert page.evaluate("document.querySelectorAll('.quantity').length") == 2


def test_ranks_of_equal_values_are_shared_by_the_chains_that_have_them(browser):
    with made_by_hand(browser) as (_, page):
        ask = "async (chains) => (await import('/charts.js')).rankCounts(chains)"

        def counts(*chains):
            return np.array(page.evaluate(ask, [list(map(float, chain)) for chain in chains]))

        halves = np.where(np.arange(400) % 2, np.arange(400), -1)
        shared = counts(halves, halves)
        np.testing.assert_allclose(shared[0], shared[1])
        np.testing.assert_allclose(shared, 20.0)
        np.testing.assert_allclose(counts(np.zeros(100), np.zeros(300)).T, [[5.0, 15.0]] * 20)
        np.testing.assert_allclose(counts(range(50), range(50, 100)), np.repeat(5 * np.eye(2), 10, axis=1))
        assert counts(halves).sum() == pytest.approx(400)
