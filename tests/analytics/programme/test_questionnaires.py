"""Scores of questionnaires, and what is due when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.programme import (
    Occasion,
    find_concerns,
    plan_occasions,
    questionnaires_due,
    score_answers,
    score_change,
)
from ebbtide.questionnaires import Questionnaire, load_library, parse_questionnaire

LIBRARY = {item.id: item for item in load_library().newest}
GAD7, PHQ9, PGIC = (LIBRARY[name] for name in ("gad7", "phq9", "pgic"))
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
STARTED = NOW - timedelta(days=200)


def own(**changes: Any) -> Questionnaire:
    """Four items from 1 to 4, the second of them reverse."""
    document = {
        **{"id": "own", "version": 1, "name": "Own", "short_name": "Own", "measures": "x"},
        **{"higher_is": "worse", "source": "nobody", "instruction": {"en": "How?"}},
        "licence": {"holder": "us", "words": "free", "source": "us"},
        "options": [{"value": k, "text": {"en": str(k)}} for k in (1, 2, 3, 4)],
        "items": [{"id": i, "text": {"en": i}, "reverse": i == "b"} for i in ("a", "b", "c", "d")],
        "scores": [{"id": "total", "name": "All", "max_missing": 1}],
    }
    return Questionnaire.model_validate(document | changes)


def total(questionnaire: Questionnaire, answers: dict[str, int]) -> float | None:
    return score_answers(questionnaire, answers)[0].value


def test_totals_as_the_authors_give_them() -> None:
    """PHQ-9: 0 to 27; GAD-7: 0 to 21. The paper's form adds 3 x nearly every day and so on."""
    assert total(PHQ9, {str(k): 3 for k in range(1, 10)}) == 27
    assert total(GAD7, {str(k): 3 for k in range(1, 8)}) == 21
    # HL7's personal health record guide, GAD-7 scored assessment example: total 3.
    example = {"1": 0, "2": 0, "3": 1, "4": 1, "5": 0, "6": 1, "7": 0}
    assert total(GAD7, example) == 3
    assert total(PGIC, {"1": 2}) == 2


def test_no_total_where_an_answer_is_missing_and_no_rule_is_given() -> None:
    (score,) = score_answers(GAD7, {"1": 3})
    assert score.value is None
    assert score.missing_items == ("2", "3", "4", "5", "6", "7")
    assert score.missing_reason == "6 of 7 questions left out; none may be"


def test_the_mean_of_the_others_stands_for_what_the_rule_allows() -> None:
    assert total(own(), {"a": 4, "b": 1, "c": 4, "d": 4}) == 16
    assert total(own(), {"a": 4, "c": 3, "d": 2}) == 12
    assert total(own(), {"a": 4, "c": 3}) is None
    mean = own(scores=[{"id": "total", "name": "Mean", "method": "mean", "items": ["a", "b"]}])
    assert total(mean, {"a": 1, "b": 4}) == 1
    assert score_answers(mean, {"a": 1, "b": 4})[0].highest == 4


def test_subscales_and_t_scores_are_of_their_own_items() -> None:
    table = {str(k): 30.0 + k for k in range(4, 17)}
    made = own(
        scores=[
            {"id": "total", "name": "T", "max_missing": 1, "t_scores": table, "t_source": "us"},
            {"id": "part", "name": "Part", "items": ["b", "c"]},
        ]
    )
    whole, part = score_answers(made, {"a": 1, "b": 2, "c": 2, "d": 3})
    assert (whole.value, whole.t_score) == (9, 39.0)
    assert (part.value, part.t_score) == (5, None)
    prorated = score_answers(made, {"a": 1, "c": 2, "d": 1})[0]
    assert prorated.value == pytest.approx(16 / 3)
    assert prorated.t_score == 36.0  # 5.33 is rounded up to 6, as PROMIS does


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"10": 1}, "no item '10'"),
        ({"1": 4}, "item '1' takes 0, 1, 2, 3, not 4"),
        ({"1": True}, ""),
    ],
)
def test_an_answer_that_is_none_is_refused(answers: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        score_answers(PHQ9, answers)


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 4)))
def test_scores_stay_inside_their_range_and_reverse_items_mirror(answers: dict[str, int]) -> None:
    (score,) = score_answers(own(), answers)
    assert (score.value is None) == (len(answers) < 3)
    if score.value is None:
        assert score.missing_reason
        return
    assert 4 <= score.value <= 16
    turned = {name: 5 - value for name, value in answers.items()}
    (mirrored,) = score_answers(own(), turned)
    assert mirrored.value == pytest.approx(20 - score.value)
    if "b" in answers and len(answers) == 4 and answers["b"] < 4:
        more = score_answers(own(), answers | {"b": answers["b"] + 1})[0].value
        assert more == score.value - 1


def test_change_is_compared_with_what_matters_and_says_who_found_it() -> None:
    less = score_change(GAD7, 12, 8)
    assert (less.change, less.better, less.matters) == (-4, True, True)
    assert "Toussaint" in str(less.smallest_source)
    assert score_change(GAD7, 12, 9).matters is False
    assert score_change(PHQ9, 4, 9).better is False
    same = score_change(PGIC, 3, 3)
    assert (same.better, same.matters, same.smallest) == (None, None, None)


def test_any_answer_but_not_at_all_to_the_ninth_question_is_a_concern() -> None:
    assert find_concerns(PHQ9, {"9": 0}) == ()
    assert find_concerns(PHQ9, {}) == ()
    for value in (1, 2, 3):
        assert find_concerns(PHQ9, {"9": value}) == ("9",)


def due(now: datetime, answered: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, str]]:
    windows = plan_occasions(
        now, STARTED, STARTED + timedelta(days=11), STARTED + timedelta(days=25)
    )
    found = questionnaires_due(windows, [GAD7, PGIC], answered, now)
    return [(item.questionnaire, str(item.occasion)) for item in found]


def test_what_is_due_follows_the_programme() -> None:
    day = timedelta(days=1)
    assert due(STARTED - 15 * day) == []
    assert due(STARTED) == [("gad7", "before")]
    assert due(STARTED, (("gad7", "before"),)) == []
    assert due(STARTED + 5 * day) == []
    assert due(STARTED + 11 * day) == [("gad7", "mid"), ("pgic", "mid")]
    assert due(STARTED + 25 * day) == [("gad7", "after"), ("pgic", "after")]
    assert due(STARTED + 26 * day, (("gad7", "after"),)) == [("pgic", "after")]
    for months, word in ((1, "1 month"), (3, "3 months"), (6, "6 months"), (12, "12 months")):
        at = STARTED + (25 + months * 30.4375) * day
        assert due(at) == [("gad7", word), ("pgic", word)]
        assert due(at - 8 * day) == []
        assert due(at + 21 * day) == []


def test_before_a_programme_begins_the_first_questionnaires_wait() -> None:
    windows = plan_occasions(NOW, None, None, None)
    found = questionnaires_due(windows, [PGIC, GAD7], (), NOW)
    assert [(item.questionnaire, item.occasion, item.closes) for item in found] == [
        ("gad7", Occasion.BEFORE, None)
    ]
    with pytest.raises(ValueError, match="middle"):
        plan_occasions(NOW, STARTED, None, None)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(-30, 500))
def test_each_questionnaire_is_due_once_at_most(middle: int, more: int, day: int) -> None:
    now = STARTED + timedelta(days=day)
    last = STARTED + timedelta(days=middle + more)
    windows = plan_occasions(now, STARTED, STARTED + timedelta(days=middle), last)
    assert all(a.due <= b.due for a, b in pairwise(windows))
    found = questionnaires_due(windows, [GAD7, PHQ9, PGIC], (), now)
    assert len({item.questionnaire for item in found}) == len(found)
    answered = {(item.questionnaire, str(item.occasion)) for item in found}
    assert questionnaires_due(windows, [GAD7, PHQ9, PGIC], answered, now) == ()


def test_a_file_keeps_its_words_exactly() -> None:
    text = (files("ebbtide.questionnaires") / "files" / "phq9.toml").read_text(encoding="utf-8")
    parsed = parse_questionnaire(text, "phq9.toml")
    assert parsed.items[8].text["en"] == (
        "Thoughts that you would be better off dead or of hurting yourself in some way"
    )
