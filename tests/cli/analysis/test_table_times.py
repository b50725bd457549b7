"""Times of a table: counts since 1970 in any unit, dates in either order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.analysis.table_times import read_times
from ebbtide.errors import EbbtideError

HERE = Path("t.csv")


def read(words: list[str], order: str | None = None):  # type: ignore[no-untyped-def]
    return read_times(pd.Series(words), HERE, "t", order)  # type: ignore[arg-type]


@given(
    st.lists(st.integers(700_000_000, 4_000_000_000), min_size=2, max_size=20, unique=True),
    st.sampled_from([0, 3, 6, 9]),
    st.sampled_from(["{}", "{}.0", "{:.18e}"]),
)
@settings(max_examples=60, deadline=None)
def test_counts_since_1970_are_the_moments_written_out(
    seconds: list[int], power: int, form: str
) -> None:
    counted = read([form.format(s * 10**power) for s in seconds])
    written = read([pd.Timestamp(s, unit="s").isoformat() + "Z" for s in seconds])
    assert counted.days == pytest.approx(written.days, abs=1e-9)
    assert counted.is_calendar and "since 1970" in counted.read_as
    hours = (np.zeros(1) if t.hours is None else t.hours for t in (counted, written))
    assert next(hours) == pytest.approx(next(hours))


def test_the_same_moment_in_many_spellings() -> None:
    moment = ["2026-09-01T15:07:07Z", "2026-09-01 17:07:07+02:00", "1788275227", "1788275227000.0"]
    assert np.ptp(read([*moment, "01.09.2026 15:07:07", "20260901150707"]).days) == 0


def test_dates_in_either_order() -> None:
    assert read(["13/09/2026", "01/10/2026"]).days.tolist() == [0, 18]
    assert read(["9/13/2026 2:05 PM", "9/14/2026 2:05 PM"]).days.tolist() == [0, 1]
    assert read(["01.02.2026", "01.03.2026"]).days.tolist() == [0, 28]
    assert read(["20260201", "20260301"]).days.tolist() == [0, 28]
    for words in (["01/02/2026", "01/03/2026"], ["13/01/2026", "01/13/2026"]):
        with pytest.raises(EbbtideError, match="such as"):
            read(words)
    assert read(["01/02/2026", "01/03/2026"], "month-first").days.tolist() == [0, 1]


def test_numbers_are_days_unless_they_cannot_be() -> None:
    assert read(["0", "1.5"]).read_as == "days"
    with pytest.raises(EbbtideError, match="days from first to last"):
        read(["0", "864000"])


def test_the_day_of_the_week_is_kept() -> None:
    assert read(["2026-01-07T12:00:00Z", "2026-01-09T12:00:00Z"]).first_in_week == 2.5  # Wednesday
    assert read(["1", "4.5"]).first_in_week == 0
