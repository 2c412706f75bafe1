import pandas as pd
import pytest
from rich.cells import cell_len

from exmc_actors.views.summary_table import summary_table, summary_text

ROW = {
    "mean": 4.38123,
    "sd": 3.29876,
    "q5": -0.91234,
    "q50": 4.41234,
    "q95": 9.81234,
    "mcse_mean": 0.0543,
    "mcse_sd": 0.0612,
    "ess_bulk": 3712.4,
    "ess_tail": 2891.6,
    "r_hat": 1.00123,
}


def frame(**rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame([ROW | row for row in rows.values()], index=list(rows))


def cells(row: dict[str, float]) -> list[str]:
    return summary_text(frame(mu=row)).splitlines()[1].split()


def printed(console, table) -> list[str]:
    console.print(table)
    return console.file.getvalue().splitlines()


def test_digits_end_where_the_monte_carlo_error_begins():
    assert cells({}) == ["mu", "4.38", "0.05", "3.30", "-0.91", "4.41", "9.81", "3712", "2892", "1.001"]
    assert cells({"mcse_mean": 2.3})[1:3] == ["4", "2"]
    assert cells({"mcse_mean": 0.00012})[1:3] == ["4.3812", "0.0001"]


def test_a_high_rhat_is_flagged_by_a_mark():
    assert cells({"r_hat": 1.0123})[-2:] == ["1.012", "!"]
    assert cells({"r_hat": 1.0099})[-1] == "1.010"


def test_a_constant_shows_its_value_and_no_rhat():
    constant = {"mean": 2.5, "sd": 0.0, "q5": 2.5, "q50": 2.5, "q95": 2.5, "mcse_mean": 0.0, "mcse_sd": 0.0}
    shown = cells(constant | {"r_hat": float("nan")})
    assert shown == ["mu", "2.50", "0", "0", "2.50", "2.50", "2.50", "3712", "2892", "-"]


@pytest.mark.parametrize(
    ("mean", "error", "shown"),
    [(3.0014e-5, 9e-9, "3.00e-05"), (1e12, 15923.0, "1.00e+12"), (float("inf"), float("nan"), "inf")],
)
def test_extreme_scales_stay_short(mean, error, shown):
    assert cells({"mean": mean, "mcse_mean": error})[1] == shown


def test_letters_that_are_two_columns_wide_count_for_two():
    heading, *lines = summary_text(frame(**{"mu": {}, "θ[東京]": {}})).splitlines()
    assert [cell_len(line) for line in lines] == [cell_len(heading)] * 2


def test_fits_eighty_columns_and_keeps_every_column_where_it_can(terminal):
    names = {f"theta[School {i}]": {} for i in range(8)}
    lines = printed(terminal(), summary_table(frame(**names)))
    assert len(lines) == 9
    assert max(map(len, lines)) <= 80
    assert len(lines[1].split()) == 11


def test_a_narrow_terminal_gets_fewer_columns_rather_than_cut_numbers(terminal):
    lines = printed(terminal(), summary_table(frame(a_very_long_name_of_a_variable_in_a_model={})))
    assert "95%" not in lines[0]
    assert lines[1].split()[1:] == ["4.38", "0.05", "3.30", "3712", "2892", "1.001"]


def test_plain_text_is_as_wide_as_it_needs_to_be():
    text = summary_text(frame(**{"x" * 200: {}}))
    assert len(text.splitlines()) == 2
    assert text.splitlines()[0].split()[-3:] == ["tail", "ESS", "R-hat"]


def test_names_with_brackets_are_no_markup(terminal):
    lines = printed(terminal(), summary_table(frame(**{"theta[bold]": {}})))
    assert lines[1].startswith("theta[bold]")


def test_an_empty_frame_is_its_heading():
    assert len(summary_text(frame().reindex(columns=list(ROW))).splitlines()) == 1
