import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors.messages import (
    ChainAdded,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStopped,
    DrawBlock,
    RunPaused,
    RunResumed,
)
from exmc_actors.views.dashboard.frames import charts, estimates, news, standing
from exmc_actors.views.dashboard.picture import CURSORS, DIVERGENCES, EVENTS, ROWS, Picture
from exmc_actors.views.dashboard.selection import Selection
from exmc_actors.views.dashboard.table import VERDICTS, judged
from tests.views.dashboard.conftest import Page, block


def test_before_the_first_draw_there_is_nothing_to_show_and_it_can_be_said():
    picture = Picture(chains=2, draws=100, tune=50)
    frame = standing(picture) | news(picture, (), None)
    assert json.dumps(frame, allow_nan=False)
    assert frame["run"]["quantities"] == 0
    assert [chain["state"] for chain in frame["chains"]] == ["waiting", "waiting"]


def test_a_picture_shows_positions_traces_and_what_diverged():
    picture = Picture(chains=2, draws=100, tune=50)
    picture.observe([block(0, 0, 50, phase="warmup"), block(0, 0, 10, diverged=(3, 7))], 1.0)
    assert picture.quantities.names == ("mu", "<script>[0]", "<script>[1]")
    frame = news(picture, ("mu", "<script>[1]"), None)
    assert frame["traces"][0]["draws"] == list(range(10))
    assert frame["traces"][0]["values"] == [list(range(10)), [d / 2 for d in range(10)]]
    assert frame["traces"][0]["energy"] == list(range(10))
    assert frame["traces"][0]["jump"] == [None] + [1.0] * 9
    assert frame["traces"][1]["draws"] == []
    assert frame["divergences"][0]["draws"] == [3, 7]
    assert frame["divergences"][0]["values"] == [[3, 7], [1.5, 3.5]]
    assert standing(picture)["chains"][0]["divergences"] == 2


def test_a_page_is_told_numbers_that_are_large_and_hardly_differ_as_they_are():
    picture = Picture(chains=1, draws=100, tune=0)
    values = 1.7e9 + np.arange(60.0) / 64
    stats = block(0, 0, 60, diverged=(3,)).stats | {"energy": values}
    picture.observe([DrawBlock(0, "sample", 0, {"t": values}, stats)], 1.0)
    picture.estimate()
    frame = json.loads(json.dumps(news(picture, ("t",), None), allow_nan=False))
    assert frame["traces"][0]["values"] == [values.tolist()]
    assert frame["traces"][0]["energy"] == values.tolist()
    assert frame["divergences"][0]["values"] == [[values[3]]]
    shown = charts(picture.online, "t")
    assert len(set(shown["edges"])) == 41
    assert shown["running"][0]["mean"] == picture.online.running_mean("t")[0].mean.tolist()
    table = estimates(picture.estimates, Selection())["table"]
    assert table["mean"] == picture.estimates.mean.tolist()
    assert table["q5"][0] < table["q50"][0] < table["q95"][0]


def test_a_chain_that_is_added_is_shown_as_the_others_and_by_what_is_new_alone():
    picture = Picture(chains=1, draws=100, tune=50)
    picture.observe([block(0, 0, 10)], 1.0)
    since = picture.cursor()
    picture.observe([ChainAdded(1), ChainStopped(0, "sample", 10), block(1, 0, 5)], 2.0)
    frame = standing(picture) | news(picture, ("mu",), since)
    assert frame["run"]["chains"] == 2
    assert [chain["state"] for chain in frame["chains"]] == ["stopped", "sampling"]
    assert [trace["draws"] for trace in frame["traces"]] == [[], list(range(5))]
    assert [(event["kind"], event["chain"], event["draw"]) for event in frame["events"]] == [
        ("add", 1, 0),
        ("stop", 0, 60),
    ]
    picture.estimate()
    assert picture.estimates.draws.tolist() == [10, 5]


def test_events_have_numbers_places_and_words():
    picture = Picture(chains=2, draws=100, tune=50)
    picture.observe(
        [
            ChainRestarted(1, "sample", 20, 1, "killed"),
            RunPaused("asked to"),
            RunResumed(),
            ChainFailed(0, "warmup", 7, "boom"),
            ChainFinished(1),
        ],
        2.0,
    )
    picture.end(3.0)
    told = [(one.number, one.kind, one.chain, one.draw) for one in picture.events]
    assert told == [
        (0, "restart", 1, 70),
        (1, "pause", None, None),
        (2, "resume", None, None),
        (3, "failure", 0, 7),
        (4, "finish", 1, 150),
        (5, "end", None, None),
    ]
    assert picture.is_over
    assert "killed" in picture.events[0].text


CUT = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 400), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=25)
@given(CUT)
def test_a_page_that_follows_and_one_that_comes_at_the_end_know_the_same(cuts):
    picture = Picture(chains=2, draws=10**6, tune=0)
    page, late, shown = Page(), Page(), ("mu", "<script>[0]")
    since, at = None, [0, 0]
    page.accept(news(picture, (), None))
    for chain, n, is_told in cuts:
        diverged = range(at[chain], at[chain] + n, 3)
        picture.observe([block(chain, at[chain], n, diverged=diverged), RunPaused("x")], 0.0)
        at[chain] += n
        if is_told:
            page.accept(news(picture, shown, since))
            since = picture.cursor()
    page.accept(news(picture, shown, since))
    late.accept(news(picture, shown, None))
    assert (page.traces, page.divergences, page.events) == (late.traces, late.divergences, late.events)
    assert all(len(trace["draws"]) <= ROWS for trace in late.traces)
    assert all(len(one["numbers"]) <= DIVERGENCES for one in late.divergences)


def test_what_a_picture_holds_does_not_grow_with_the_run():
    picture = Picture(chains=1, draws=10**7, tune=0)
    for first in range(0, 200_000, 1000):
        picture.observe([block(0, first, 1000, diverged=range(first, first + 1000)), RunPaused("x")] * 4, 0.0)
        picture.cursor()
    assert len(picture.events) == EVENTS
    assert len(picture._cursors) <= CURSORS
    frame = json.dumps(standing(picture) | news(picture, ("mu",), None))
    assert len(frame) < 150_000


def test_a_cursor_is_remembered_by_its_sequence_number_for_a_while():
    picture = Picture(chains=1, draws=10**6, tune=0)
    picture.observe([block(0, 0, 5)], 0.0)
    cursor, sequence = picture.cursor(), picture.sequence
    assert picture.cursor_at(sequence) == cursor
    assert picture.cursor_at(sequence + 1) is None
    for number in range(CURSORS + 1):
        picture.observe([RunPaused(str(number))], 0.0)
        picture.cursor()
    assert picture.cursor_at(sequence) is None


def test_traces_of_a_thousand_quantities_stay_within_their_bytes():
    picture = Picture(chains=4, draws=10**6, tune=0)
    picture.observe([block(0, 0, 3, shape=(100_000,))], 0.0)
    assert picture.traces[0]._rows.shape[0] == 64  # the fewest, beyond what was to be taken
    many = Picture(chains=256, draws=10**6, tune=0)
    many.observe([block(0, 0, 3)], 0.0)
    assert many.traces[0]._rows.shape[0] == 64
    small = Picture(chains=4, draws=10**6, tune=0)
    small.observe([block(0, 0, 3)], 0.0)
    assert small.traces[0]._rows.shape[0] == ROWS


def test_estimates_are_a_page_of_the_table_with_a_verdict_in_words():
    picture = Picture(chains=2, draws=1000, tune=0)
    for chain in range(2):
        picture.observe([block(chain, 0, 500)], 0.0)
    picture.estimate()
    told = estimates(picture.estimates, Selection(search="SCRIPT", size=1))
    table = told["table"]
    assert table["names"] == ["<script>[0]"]
    assert (table["matching"], table["total"], table["pages"]) == (2, 3, 2)
    assert table["verdicts"] == ["poor"]  # chains far apart
    assert table["counts"]["poor"] == 3
    last = estimates(picture.estimates, Selection(size=2, page=99))["table"]
    assert (last["page"], last["names"]) == (1, ["<script>[1]"])
    drawn = charts(picture.online, "mu")
    assert len(drawn["edges"]) == len(drawn["counts"][0]) + 1
    assert drawn["running"][1]["draws"][-1] == 500
    assert json.dumps(told | drawn, allow_nan=False)


@pytest.mark.parametrize(("chains", "verdict"), [(1, "good"), (4, "good"), (8, "fair")])
def test_what_is_good_has_as_many_effective_draws_as_so_many_chains_are_warned_for(chains, verdict):
    measures = {"r_hat": np.array([1.0]), "ess": np.array([500.0]), "sd": np.array([1.0])}
    summary = SimpleNamespace(**measures, draws=np.full(chains, 1000), kept=tuple(range(chains)))
    assert VERDICTS[judged(summary)[0]] == verdict


def test_chains_that_gave_up_ask_for_no_more_effective_draws():
    picture = Picture(chains=8, draws=500, tune=0)
    for chain, values in enumerate(np.random.default_rng(0).normal(size=(8, 250))):
        picture.observe([replace(block(chain, 0, 250), draws={"mu": values})], 0.0)
    for chain in range(2, 8):
        picture.observe([ChainFailed(chain, "sample", 250, "boom")], 0.0)
    picture.estimate()
    table = estimates(picture.estimates, Selection())["table"]
    assert 400 < table["ess"][0] < 800
    assert table["verdicts"] == ["good"]


def test_what_cannot_be_judged_is_said_to_be_constant_or_not_finite_and_too_early_only_while_it_is():
    values = np.random.default_rng(1).normal(size=(2, 900))
    picture, said = Picture(chains=2, draws=900, tune=0), []
    for first, end in ((0, 3), (3, 900)):
        for chain in range(2):
            some = values[chain, first:end]
            draws = {
                "x": some,
                "zero": 0.0 * some,
                "root": np.where(some < 0.0, np.nan, some),
                "huge": 1e307 * some,
            }
            draws["apart"] = 0.0 * some + chain
            made = block(chain, first, end - first)
            picture.observe([replace(made, draws=draws)], 0.0)
        picture.estimate()
        said.append(estimates(picture.estimates, Selection())["table"]["verdicts"])
    assert said == [["early"] * 5, ["good", "constant", "undefined", "undefined", "poor"]]


def test_the_worst_come_first_when_asked_to():
    picture = Picture(chains=2, draws=1000, tune=0)
    for chain in range(2):
        picture.observe([block(chain, 0, 100)], 0.0)
    picture.estimate()
    for order in ("rhat", "ess", "name", "declared"):
        names = estimates(picture.estimates, Selection(order=order))["table"]["names"]
        assert sorted(names) == ["<script>[0]", "<script>[1]", "mu"]
        assert order != "name" or names == sorted(names)
