from dataclasses import replace
from typing import get_args

import pytest

from exmc_actors.views.progress_table import ASCII, BLOCKS, ProgressTable
from exmc_actors.views.tally import Row, State

ROW = Row(
    chain=0,
    state="sampling",
    phase="sample",
    done=250,
    divergences=3,
    missed=False,
    step_size=0.51234,
    steps_per_draw=7.04,
    draws_per_second=12345.6,
    restarts=0,
    note="",
)
TABLE = ProgressTable(draws=1000, tune=1000, width=80, height=24)


def lines(table: ProgressTable, *rows: Row, elapsed: float = 0.0) -> list[str]:
    return table.render(rows, elapsed).plain.split("\n")


def test_fits_eighty_columns():
    rows = [replace(ROW, chain=c, state="finished", done=1000, missed=True, note="x" * 200) for c in range(4)]
    drawn = lines(TABLE, *rows)
    assert max(len(line) for line in drawn) == 80
    assert drawn[-1].endswith("…")


def test_a_row_shows_what_is_known_of_its_chain():
    row = lines(TABLE, ROW)[-1]
    assert row.split()[0] == "0"
    assert row.split()[2:] == ["250/1000", "3", "0.512", "7.04", "12346", "0", "sampling"]


def test_what_is_unknown_is_a_dash():
    unknown = replace(ROW, step_size=float("nan"), steps_per_draw=float("nan"), draws_per_second=float("nan"))
    assert lines(TABLE, unknown)[-1].split()[4:7] == ["-", "-", "-"]


def test_warmup_and_draws_differ_by_shape_and_not_by_colour_alone():
    done, rest = TABLE.bar(ROW)
    assert set(done) == {"▒", "█"}
    assert set(rest) == {"·"}
    assert done.count("▒") == 10
    assert done.count("█") == 2
    assert lines(TABLE, ROW, elapsed=75.0)[0] == "1 chain of ▒▒ 1000 warmup + ██ 1000 draws, 1:15"


@pytest.mark.parametrize("marks", [BLOCKS, ASCII])
@pytest.mark.parametrize("tune", [0, 1, 999, 1000])
@pytest.mark.parametrize("draws", [1, 1000])
@pytest.mark.parametrize("phase", ["warmup", "sample"])
def test_a_bar_has_one_length_from_empty_to_full(marks, tune, draws, phase):
    table = ProgressTable(draws=draws, tune=tune, width=80, height=24, marks=marks)
    wanted = tune if phase == "warmup" else draws
    bars = [table.bar(replace(ROW, phase=phase, done=done)) for done in range(wanted + 1)]
    assert len({len(done + rest) for done, rest in bars}) == 1
    assert [len(done) for done, _ in bars] == sorted(len(done) for done, _ in bars)
    if phase == "sample":
        assert bars[-1][1] == ""


def test_a_bar_never_overflows_although_there_are_more_draws_than_were_wanted():
    done, rest = TABLE.bar(replace(ROW, done=5000))
    assert rest == ""
    assert len(done) == len("".join(TABLE.bar(ROW)))


def test_divergences_that_may_be_more_are_marked():
    assert "≥3" in lines(TABLE, replace(ROW, missed=True))[-1]


def test_a_terminal_without_unicode_gets_ascii_only():
    row = replace(ROW, missed=True, note="restarted 1x, last at draw 3: naïve\x1b[2J" + "x" * 100)
    drawn = "\n".join(lines(replace(TABLE, marks=ASCII), row))
    assert drawn.isascii()
    assert "\x1b" not in drawn
    assert "----------##........" in drawn
    assert ">=3" in drawn


def test_notes_follow_the_rows():
    restarted = replace(ROW, chain=2, restarts=1, note="restarted 1x, last at draw 512: killed")
    assert lines(TABLE, ROW, restarted)[-1] == "chain 2 restarted 1x, last at draw 512: killed"


def test_a_run_that_is_paused_says_why_before_all_notes():
    rows = [replace(ROW, note="restarted 1x")]
    drawn = TABLE.render(rows, 0.0, "the disk is full").plain.split("\n")
    assert [line.split(":")[0] for line in drawn[-2:]] == ["paused", "chain 0 restarted 1x"]


@pytest.mark.parametrize("state", get_args(State))
def test_every_state_of_a_chain_can_be_drawn(state):
    assert lines(TABLE, replace(ROW, state=state))[-1].endswith(f" {state}")


def test_chains_and_notes_beyond_the_screen_are_counted():
    rows = [replace(ROW, chain=c, note="restarted") for c in range(40)]
    drawn = lines(TABLE, *rows)
    assert len(drawn) < 24
    assert "... and 28 more chains: 28 sampling" in drawn
    assert drawn[-1] == "... and 34 more chains with such notes"


def test_a_narrow_terminal_keeps_divergences_restarts_and_states():
    drawn = lines(replace(TABLE, width=50), ROW)
    assert max(map(len, drawn)) <= 50
    assert drawn[-1].split()[2:] == ["250/1000", "3", "0", "sampling"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1e-5, "1e-05"),
        (0.00123, "0.00123"),
        (99.96, "100"),
        (54321.0, "54321"),
        (234_567.0, "235k"),
        (2.5e6, "2.5M"),
        (1e12, "1e+12"),
    ],
)
def test_numbers_are_short_at_every_scale(value, shown):
    assert lines(TABLE, replace(ROW, steps_per_draw=value))[-1].split()[5] == shown
