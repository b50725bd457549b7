"""Pages of nights: the patient's, the list of what was brought in, and the therapist's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from babel import Locale

from dashboard.charts.nights import calendar_chart, calendar_legend_html, night_charts
from dashboard.components.nights import calendar_days, group_nights
from dashboard.i18n.language import reading_as
from ebbtide.beats import new_id
from ebbtide.timestamps import from_datetime
from store.models import Rating
from store.models.records import Purpose
from tests.dashboard.test_pages import opened, words
from tests.support.clinic import Clinic
from tests.support.nights import a_night, put_nights

REASON = "not worn, or nothing was measured: the export has an empty row"
CAUSES = ("because", "caused", "leads to", "score")


def listed(*nights: dict[str, Any], gaps: tuple[str, ...] = ()) -> dict[str, Any]:
    figures = {"sdnn_ms": None, "mean_hr_bpm": None, "low_quarter_hr_bpm": None}
    return {
        "nights": [figures | night for night in nights],
        "gaps": [{"source": "Oura", "day": day, "reason": REASON} for day in gaps],
    }


def bare(day: str, rmssd_ms: float, source: str = "Oura") -> dict[str, Any]:
    return {"day": day, "source": source, "basis": "five-minute values", "rmssd_ms": rmssd_ms}


def days_from(first: str, count: int) -> list[str]:
    return [(date.fromisoformat(first) + timedelta(days=k)).isoformat() for k in range(count)]


def test_nights_are_placed_among_those_of_their_own_device() -> None:
    ring = [bare(day, 40.0 + k) for k, day in enumerate(days_from("2026-03-01", 30))]
    strap = [bare(day, 80.0 + k, "strap") for k, day in enumerate(days_from("2026-04-01", 20))]
    few = [bare(day, 60.0, "watch") for day in days_from("2026-05-01", 13)]
    days = calendar_days(listed(*ring, *strap, *few, gaps=("2026-03-31", "2026-03-02")))
    places = {item["day"]: item["place"] for item in days}
    assert [places[f"2026-03-{day}"] for day in ("01", "15", "30")] == [
        *("less calm", "middle", "calmer"),
    ]
    # Of the strap all are above the ring's: on one scale all would be among the calmer ones.
    assert (places["2026-04-01"], places["2026-04-20"]) == ("less calm", "calmer")
    assert {places[day] for day in days_from("2026-05-01", 13)} == {"measured"}
    gaps = [item["day"] for item in days if item["place"] is None]
    assert gaps == ["2026-03-31"]  # on the other day another source has a night
    assert [item["day"] for item in days] == sorted(places)


def test_a_calendar_is_drawn_with_a_legend_of_what_is_in_it() -> None:
    nights = [bare(day, 40.0 + k) for k, day in enumerate(days_from("2025-12-20", 30))]
    days = calendar_days(listed(*nights, gaps=("2026-01-25",)))
    for tag, month in (("en", "Jan 2026"), ("de", "Jan 2026")):
        with reading_as(Locale.parse(tag)):
            drawn = str(calendar_chart(days).to_dict())
            legend = calendar_legend_html(days)
        assert month in drawn
        assert legend.count("<li>") == 4  # three thirds and gaps; nothing is merely measured


def test_a_hole_in_a_night_is_not_joined() -> None:
    night = a_night(date(2026, 3, 2))
    night["values"] = [[at, 40.0, None, None] for at in (0, 300, 600, 3000, 3300)]
    ((chart, alternative),) = night_charts(night)  # no heart rate, so no picture of it
    (rows,) = chart.to_dict()["datasets"].values()
    assert [row["piece"] for row in rows] == [0, 0, 0, 1, 1] and "RMSSD" in alternative


def test_without_nights_there_is_a_sentence_and_the_next_step(clinic: Clinic) -> None:
    test = opened(clinic, "nights")
    assert "No nights yet." in words(test)
    assert not test.get("vega_lite_chart") and not test.date_input


def test_few_nights_have_no_rank_and_no_answer(clinic: Clinic) -> None:
    put_nights(clinic["ada"], 5)
    text = words(opened(clinic, "nights"))
    assert "5 nights, by a ring." in text
    assert "4 nights came before it on the same level" in text
    assert "of 100 of yours" not in text
    assert "0 of at least 30 ratings with nights" in text


def test_a_year_a_night_and_three_questions(clinic: Clinic) -> None:
    put_nights(clinic["ada"], 60, left_out=(30, 31))
    rng = np.random.default_rng(1)
    person = clinic.people["ada"]
    for k in range(60):
        noon = datetime.now(UTC).replace(hour=12) - timedelta(days=60 - k)
        at = from_datetime(noon)
        pain, stress = (int(value) for value in rng.integers(1, 9, 2))
        clinic.stores.records.add_rating(
            Rating(new_id(), 1, person.id, at, at, person.zone, pain, stress, None, False)
        )
    test = opened(clinic, "nights")
    text = words(test)
    assert "58 nights, by a ring; 2 days between them without one." in text
    assert "of 100 of yours" in text and "Compared with the 57 nights before it" in text
    assert "2 days: no night in the export" in text
    assert text.count("nights it cannot be told") + text.count("came before the other") >= 3
    assert "(95% interval)" in text
    for cause in CAUSES:
        assert cause not in text.lower()
    assert len(test.get("vega_lite_chart")) == 3  # the calendar, heart rate, RMSSD behind a fold
    gap = datetime.now(UTC).date() - timedelta(days=60 - 30)
    test.date_input[0].set_value(gap).run()
    assert not test.exception and "No night ended on this day. No night in the" in words(test)


def test_older_nights_are_reached_by_their_year(clinic: Clinic) -> None:
    put_nights(clinic["ada"], 3)
    put_nights(clinic["ada"], 4, days_ago=500)
    test = opened(clinic, "nights")
    assert "3 nights, by a ring; " in words(test)
    test.selectbox[0].select_index(1).run()
    assert not test.exception and "4 nights, by a ring; " in words(test)


def test_nights_are_listed_among_what_was_brought_in_and_taken_out(clinic: Clinic) -> None:
    put_nights(clinic["ada"], 3, source="a *ring*")
    test = opened(clinic, "bring_in")
    said = words(test)  # as Markdown: what would be a mark is escaped
    assert "a \\*ring\\*" in said and "3 nights\\, " in said
    next(button for button in test.button if button.label == "Take out").click().run()
    next(button for button in test.button if button.label == "Yes, take it out").click().run()
    assert not test.exception
    assert clinic["ada"].get("/v1/nights").json()["nights"] == []


def test_a_source_is_one_entry() -> None:
    answer = listed(*(bare(day, 40.0) for day in ("2026-03-05", "2026-03-01")))
    (entry,) = group_nights(answer)
    assert (entry["nights"], str(entry["first"]), str(entry["last"])) == (
        *(2, "2026-03-01", "2026-03-05"),
    )


@pytest.mark.parametrize("count", [0, 5, 27])
def test_a_therapist_sees_them_in_short_with_consent(clinic: Clinic, count: int) -> None:
    if count:
        put_nights(clinic["ada"], count)
    assert "a ring" not in words(opened(clinic, "patient", "tom"))  # not agreed to
    clinic.agree("ada", Purpose.CARE)
    test = opened(clinic, "patient", "tom")
    folds = [fold.label for fold in test.expander if fold.label.startswith("Nights")]
    assert folds == ([f"Nights: {count} of the last 28 measured"] if count else [])
    text = words(test)
    assert ("in the middle of" in text) == (count == 27)
    assert ("no usual value" in text) == (count == 5)
