"""A picture's HTML is well formed, bounded and inert, and says in words what its colours say."""

from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import numpy as np
import pytest

from exmc_actors.messages import ChainFailed, ChainStopped
from exmc_actors.views.notebook import Followed, html, text
from exmc_actors.views.notebook.picture import MOST_QUANTITIES, picture
from exmc_actors.views.notebook.verdicts import verdict
from exmc_actors.views.tally import Row, State

ROW = Row(
    chain=0,
    state="sampling",
    phase="sample",
    done=250,
    divergences=0,
    missed=False,
    step_size=0.51234,
    steps_per_draw=7.04,
    draws_per_second=1234.5,
    restarts=0,
    note="",
)
AT = {"draws": 1000, "tune": 200, "elapsed": 75.0, "is_over": False, "paused": None}


@pytest.fixture
def pictured(drawn):
    """Make a picture of chains that have these draws of each variable, shape (chain, draw, ...)."""

    def make(draws=None, rows=None, **at):
        draws = draws or {}
        chains = len(rows) if rows else 2
        followed = Followed(chains, {}, {})
        for chain in range(chains if draws else 0):
            followed.observe(drawn(chain, 0, {name: values[chain] for name, values in draws.items()}))
        rows = rows or [replace(ROW, chain=chain) for chain in range(chains)]
        return picture(tuple(rows), followed, **AT | at)

    return make


def parsed(shown):
    return ElementTree.fromstring(f"<body>{html(shown)}</body>")


def words(element):
    return " ".join("".join(element.itertext()).split())


def table(shown, number):
    return [[words(cell) for cell in row] for row in parsed(shown).findall(".//table")[number].iter("tr")]


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def test_a_row_shows_where_its_chain_stands(pictured):
    row = replace(ROW, divergences=3, restarts=1, missed=True)
    assert table(pictured(rows=[row]), 0)[1] == [
        "0",
        "▶ sampling",
        "",
        "250 / 1,000",
        "▲ ≥3",
        "0.512",
        "7.04",
        "1234",
        "1",
    ]


@pytest.mark.parametrize(
    ("row", "at", "heading"),
    [
        (replace(ROW, phase="warmup", state="warmup"), {}, "Warmup"),
        (ROW, {}, "Sampling"),
        (ROW, {"paused": "asked to"}, "Paused: asked to"),
        (ROW, {"is_over": True}, "Stopped"),
        (replace(ROW, done=1000, state="finished"), {"is_over": True}, "Finished"),
        (replace(ROW, state="failed"), {"is_over": True}, "Failed"),
    ],
)
def test_the_heading_says_how_the_run_stands(pictured, row, at, heading):
    said = words(parsed(pictured(rows=[row], **at)).find(".//p"))
    assert said == f"{heading} · 1 chain of 200 warmup + 1,000 draws · 1:15"


def test_one_line_says_the_same_where_no_html_is_shown(pictured):
    assert text(pictured()) == "sampling: 500/2000 draws, 2 chains, 0 divergences"
    over = pictured(rows=[replace(ROW, state="finished", done=1000)], is_over=True)
    assert text(over) == "finished: 1000/1000 draws, 1 chain, 0 divergences, 75.0 s"


def test_a_bar_shows_warmup_and_draws_as_their_shares_of_the_whole(pictured):
    bars = parsed(pictured()).findall(".//span[@class='exmc-bar']")
    assert [part.get("style") for part in bars[0]] == ["width:16.7%", "width:20.8%"]
    waiting = parsed(pictured(rows=[replace(ROW, phase="warmup", done=60)]))
    parts = waiting.find(".//span[@class='exmc-bar']")
    assert [part.get("style") for part in parts] == ["width:5.0%", "width:0.0%"]


def test_a_quantity_shows_its_estimates_and_their_verdict_in_words(pictured):
    shown = pictured({"mu": noise(2, 2000), "far": noise(2, 2000) + np.array([[0.0], [9.0]])})
    mu, far = table(shown, 1)[1:]
    assert mu[0] == "mu"
    assert float(mu[1]) == pytest.approx(0.0, abs=0.1)
    assert mu[5] == "✔ good"
    assert float(far[3]) > 2.0
    assert far[5] == "✖ chains disagree"


@pytest.mark.parametrize(
    ("r_hat", "ess", "sd", "said"),
    [
        (1.0, 400.0, 1.0, "good"),
        (1.0, 399.0, 1.0, "few effective draws"),
        (1.011, 4000.0, 1.0, "chains disagree"),
        (np.inf, 400.0, 1.0, "chains disagree"),
        (np.nan, 400.0, 1.0, "no estimate"),
        (1.0, np.nan, np.nan, "no estimate"),
        (np.nan, 400.0, 0.0, "constant"),
    ],
)
def test_verdicts_follow_the_limits_of_the_warnings(r_hat, ess, sd, said):
    assert verdict(r_hat, ess, sd, 4) == said


def test_a_doubtful_quantity_is_shown_however_late_it_stands_and_the_first_of_the_others(pictured):
    values = noise(2, 500, 50)
    values[1, :, 40] += 9.0
    shown = pictured({"w": values})
    assert list(shown.shown) == [*(f"w[{i}]" for i in range(MOST_QUANTITIES - 1)), "w[40]"]
    assert "12 quantities of 50, the doubtful ones before others" in words(parsed(shown))


def test_what_does_not_vary_takes_no_place_from_what_is_in_doubt_or_good(pictured):
    values = noise(2, 500, 4)
    values[1, :, 2] += 9.0
    shown = pictured({"zeros": np.zeros((2, 500, 20)), "w": values})
    assert list(shown.shown.items())[-5:] == [
        ("zeros[7]", "constant"),
        ("w[0]", "good"),
        ("w[1]", "good"),
        ("w[2]", "chains disagree"),
        ("w[3]", "good"),
    ]
    assert table(shown, 1)[1][5] == "– constant"


def test_what_is_not_estimated_is_said(pictured):
    shown = pictured({"w": noise(2, 50, 300)})
    assert "Estimates of 100 of 500 draws; 12 quantities of the first 200 of 300" in words(parsed(shown))


def test_chains_that_estimates_leave_out_count_for_neither_the_verdict_nor_the_caption(drawn):
    followed = Followed(8, {}, {})
    for chain, values in enumerate(noise(8, 250, seed=0)):
        followed.observe(drawn(chain, 0, {"mu": values}))
    for chain in (2, 3, 4):
        followed.observe(ChainFailed(chain, "sample", 250, "boom"))
        followed.observe(ChainStopped(chain + 3, "sample", 250))
    rows = tuple(replace(ROW, chain=chain, done=500) for chain in range(8))
    shown = picture(rows, followed, **AT)
    assert 200 < shown.summary["mu"]["ess"] < 800
    assert shown.shown == {"mu": "good"}
    assert "Estimates of 500 of 1,000 draws." in words(parsed(shown))


NASTY = "<script>alert(1)<b x='\">&"


def test_names_and_reasons_stay_text(pictured):
    rows = [replace(ROW, chain=c, note=f"gave up: {NASTY}") for c in range(2)]
    shown = pictured({NASTY: noise(2, 50)}, rows, paused=NASTY)
    page = parsed(shown)
    assert table(shown, 1)[1][0] == NASTY
    assert words(page).count(NASTY) == 4
    assert {element.tag for element in page.iter()} <= {
        *("body", "style", "div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "span"),
        *("svg", "path", "title"),
    }


def test_nothing_is_loaded_and_no_script_is_run(pictured):
    made = html(pictured({"mu": noise(2, 50)}))
    assert not [word for word in ("http", "url(", "@import", "src=", "href", "onload") if word in made]
    elements = ElementTree.fromstring(f"<body>{made}</body>").iter()
    attributes = {name for element in elements for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on")]


def test_a_large_run_makes_a_page_of_bounded_size(pictured):
    rows = [replace(ROW, chain=c, note="restarted") for c in range(100)]
    shown = pictured({"w": noise(100, 300, 60)}, rows)
    page = parsed(shown)
    assert len(html(shown)) < 100_000
    assert "and 84 more chains: 84 sampling" in words(page)
    assert "and 94 more chains with such notes" in words(page)
    assert "traces of the first 8 chains" in words(page)


def test_every_state_of_a_chain_has_its_mark_and_is_counted_among_those_left_out(pictured):
    states = get_args(State)
    rows = [replace(ROW, chain=number, state=state) for number, state in enumerate(states * 5)]
    shown = pictured(rows=rows)
    marks = {row[1].removesuffix(state) for row, state in zip(table(shown, 0)[1:], states, strict=False)}
    assert len(marks) == len(states)
    left_out = [row.state for row in rows[16:]]
    said = ", ".join(f"{left_out.count(state)} {state}" for state in states)
    assert f"and 14 more chains: {said}" in words(parsed(shown))


def test_a_trace_has_a_line_a_chain_in_the_colour_of_its_row(pictured):
    page = parsed(pictured({"mu": noise(2, 50)}))
    lines = page.findall(".//svg/path")
    swatches = [s.get("style").partition(":")[2] for s in page.findall(".//span[@class='exmc-swatch']")]
    assert [line.get("stroke") for line in lines] == swatches
    assert [words(line) for line in lines] == ["chain 0", "chain 1"]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ([0.0, 1.0, 0.0], "M0 58L130 2L260 58"),
        ([2.0, 2.0, 2.0], "M0 30L130 30L260 30"),
        ([0.0, np.nan, 1.0], "M0 58M260 2"),
        ([-1.7e308, np.inf, 1.7e308], "M0 58M260 2"),
        ([np.nan] * 3, ""),
    ],
)
def test_lines_are_interrupted_by_what_is_not_finite(pictured, values, path):
    page = parsed(pictured({"mu": np.array([values] * 2)}))
    assert page.find(".//svg/path").get("d") == path


def test_text_and_background_are_those_of_the_notebook(pictured):
    made = html(pictured({"mu": noise(2, 50)}))
    style = made[: made.index("</style>")]
    assert "color:inherit" in style
    assert "background:transparent" in style
    assert not [word for word in (":white", ":black", "#fff", "#000") if word in style]
