"""What is new to a patient's pages: a rating of this hour, gaps by reason, spoken words, groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from babel import Locale

from dashboard.charts.gaps import gap_legend_html, gap_reasons
from dashboard.charts.trend import describe_chart, trend_charts
from dashboard.components.speech import split_sentences
from dashboard.i18n.language import reading_as
from dashboard.pages import pages_of, patient_sections
from dashboard.pages.link import _without_interval
from ebbtide.beats import new_id
from ebbtide.timestamps import MINUTE
from store.models import Rating
from tests.dashboard.test_pages import opened, words
from tests.support.clinic import Clinic

OFF = "the recording was off"
AWAY = "nothing was recorded: not worn, or not connected"
START = datetime(2026, 11, 20, tzinfo=UTC)


def rated(clinic: Clinic, minutes_ago: int) -> None:
    stores, person = clinic.stores, clinic.people["ada"]
    at = stores.now() - minutes_ago * MINUTE
    stores.records.add_rating(
        Rating(new_id(), 1, person.id, at, at, person.zone, 3, 4, None, False, note="a long call")
    )


def test_a_rating_of_this_hour_is_remembered_after_a_new_sign_in_and_corrected(
    clinic: Clinic,
) -> None:
    rated(clinic, 20)
    test = opened(clinic, "today")
    assert "pain 3, stress 4." in words(test)
    test.button(key="correct_recent").click().run()
    assert "Change your rating" in words(test)
    assert test.text_input(key="note").value == "a long call"
    test.session_state["pain"] = 5
    next(button for button in test.button if button.label == "Save").click().run()
    (rating,) = clinic["ada"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["version"]) == (5, 4, 2)


def test_a_rating_of_the_hour_before_is_let_be(clinic: Clinic) -> None:
    rated(clinic, 70)
    test = opened(clinic, "today")
    assert "How is it right now?" in words(test) and "You rated at" not in words(test)


def heart(days: list[dict[str, Any]], *, with_beats: bool) -> dict[str, Any]:
    bucket = {
        "start": START.isoformat(),
        "usable": 3,
        "mean_hr_bpm": 64.0,
        "rmssd_ms": None,
    }
    return {"days": days, "weeks": [], "buckets": [bucket] if with_beats else []}


def day(gaps: dict[str, float]) -> dict[str, Any]:
    return {
        "day": START.date().isoformat(),
        "stress_index": {"value": None},
        "gaps": [{"reason": reason, "minutes": minutes} for reason, minutes in gaps.items()],
    }


def drawn(trend: dict[str, Any], ratings: list[dict[str, Any]]) -> list[str]:
    with reading_as(Locale("en", "GB")):
        charts = trend_charts(
            ratings, trend, [], [], START, START + timedelta(days=1), "Europe/Berlin"
        )
        assert all(describe_chart(name) for name in charts)
        for chart in charts.values():
            chart.to_dict()  # Altair checks it against the schema of Vega-Lite
    return list(charts)


def test_a_chart_without_anything_to_show_is_not_drawn() -> None:
    rating = {"about": START.isoformat(), "pain": 3, "stress": 4, "pleasant": None}
    assert drawn(heart([], with_beats=False), []) == []
    assert drawn(heart([day({AWAY: 960})], with_beats=False), [rating]) == ["ratings"]
    # RMSSD has no value in the one stretch that there is.
    assert drawn(heart([day({OFF: 240})], with_beats=True), []) == ["gaps", "heart_rate"]


def test_gaps_have_their_reasons_the_longest_first_each_in_a_tint_of_its_own() -> None:
    days = [day({OFF: 60, AWAY: 30}), day({AWAY: 90, "<b>": 1})]
    reasons = gap_reasons(days)
    assert list(reasons) == [AWAY, OFF, "<b>"] and len(set(reasons.values())) == 3
    with reading_as(Locale("en", "GB")):
        legend = gap_legend_html(days)
    assert OFF in legend and "&lt;b&gt;" in legend and "<b>" not in legend


def test_every_page_of_a_patient_stands_once_in_the_navigation() -> None:
    slugs = [slug for _title, group in patient_sections() for slug in group]
    assert sorted(slugs) == sorted(page.slug for page in pages_of("patient"))
    # What is wanted most is not behind a group.
    assert patient_sections()[0] == ("", ("today", "programme"))


@pytest.mark.parametrize(
    ("sentence", "short"),
    [
        (
            "Pain was about 0.3 points higher (95% interval +0.21 to +0.36; 330 ratings).",
            "Pain was about 0.3 points higher.",
        ),
        (
            "Der Schmerz war höher (95-%-Intervall +0,21 bis +0,36; 330 Einschätzungen).",
            "Der Schmerz war höher.",
        ),
        ("From 31 ratings we cannot tell.", "From 31 ratings we cannot tell."),
    ],
)
def test_the_interval_is_left_to_the_fold(sentence: str, short: str) -> None:
    assert _without_interval(sentence) == short


def test_sentences_are_split_as_they_are_said() -> None:
    said = split_sentences("Where is it? Is it 1.5 wide: warm, or tight? You need not change it.")
    assert said == [
        "Where is it?",
        "Is it 1.5 wide: warm, or tight?",
        "You need not change it.",
    ]


def test_a_practice_pauses_slows_down_and_becomes_smaller(clinic: Clinic) -> None:
    clinic["ada"].put("/v1/programme", json={"physical_cause_ruled_out": True, "started": True})
    test = opened(clinic, "programme")
    test.radio[0].set_value("Somatic tracking").run()
    test.button(key="tracking_begin").click().run()
    state = test.session_state["tracking"]
    test.button(key="tracking_pause").click().run()
    assert state["is_paused"]
    passed = state["passed"]
    test.run()
    assert state["passed"] == passed  # a pause takes none of the words' time
    for _press in range(4):
        test.button(key="tracking_slower").click().run()
    assert state["pace"] == 0.5 and test.button(key="tracking_slower").disabled
    assert "Arriving" in words(test)
    test.button(key="tracking_smaller").click().run()
    assert "Ease: something pleasant" in words(test) and not state["is_paused"]
