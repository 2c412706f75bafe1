"""What labels become is what pandas makes of them, where a file can hold it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from exmc_actors.diagnostics.datatree import Labels
from exmc_actors.elsewhere.labels import storable_labels
from exmc_actors.errors import ModelError

DAYS = pd.date_range("2020-01-01", periods=3)


def dataset_of(labels):
    coords = {"d": storable_labels("d", labels)}
    return Labels({"x": ("d",)}, coords).dataset({"x": np.arange(3.0)}, (), {}, None)


@pytest.mark.parametrize(
    "labels",
    [
        DAYS,
        list(DAYS),
        DAYS.values.astype("M8[D]"),
        [date(2020, 1, day) for day in (1, 2, 3)],
        DAYS.to_pydatetime(),
    ],
    ids=["index", "timestamps", "numpy", "dates", "datetimes"],
)
def test_dates_stay_dates_and_survive_a_file(labels, tmp_path):
    made = dataset_of(labels)
    assert made["d"].dtype.kind == "M"
    assert made.indexes["d"].equals(DAYS)
    assert made.sel(d="2020-01-02")["x"] == 1.0
    made.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "x.nc", engine="h5netcdf") as reopened:
        assert reopened.indexes["d"].equals(DAYS)


def test_durations_stay_durations():
    durations = [timedelta(days=day) for day in (1, 2, 3)]
    assert dataset_of(durations).indexes["d"].equals(pd.TimedeltaIndex(durations))


@pytest.mark.parametrize("labels", [("a", "b", "c"), (1, 2, 3), (0.5, 1, 2), (True, False, True), ()])
def test_strings_and_numbers_stay_what_they_are(labels):
    assert storable_labels("d", labels) == labels


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ([(1, "a"), (2,)], r"\(1, 'a'\)"),
        (pd.MultiIndex.from_product([["a"], [1, 2]]), r"\('a', 1\)"),
        (pd.period_range("2020-01", periods=2, freq="M"), "Period"),
        (pd.interval_range(0, 2), "Interval"),
        ([Decimal(1), Decimal(2)], "Decimal"),
        ([1, "a", None], "None"),
        (["a", date(2020, 1, 1)], "date"),
        ([datetime(2020, 1, 1, tzinfo=UTC)], "Timestamp"),
        ([2**70, 1], str(2**70)),
        ([2**63, 1], str(2**63)),
        (["a\0b", "c"], r"'a\\x00b'"),
    ],
)
def test_labels_that_no_file_can_hold_are_refused(labels, shown):
    with pytest.raises(
        ModelError, match=rf"the labels of 'd' cannot be stored, {shown}.*write coords={{'d': "
    ):
        storable_labels("d", labels)
