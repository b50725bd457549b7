"""Sentences of the API are shown in the reader's language."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest

from analytics.association.asked_apart import apart_link
from analytics.association.group import METHOD as COHORT_METHOD
from analytics.association.group import GroupVerdict
from analytics.association.prompts_let_go import LetGo
from analytics.association.within_person import Association, day_to_day_link, within_person_link
from analytics.association.wording import ASKED_APART, association_text
from analytics.hrv.requirements import MissingReason
from analytics.hrv.windows import _missing_reason
from analytics.nights.links import NightQuestion
from analytics.nights.links import _sentence as night_sentence
from analytics.practice.clinic import ClinicEffects, ClinicMoments, clinic_effects
from analytics.practice.clinic_wording import clinic_sentences
from analytics.practice.confidence_sequence import Interval
from analytics.practice.excursion_effects import Coefficient
from analytics.practice.missingness import MissingAnswers
from analytics.practice.person import OfferEffect, why_not_compared
from analytics.practice.wording import EVERY_LOOK, NOT_BLIND, offer_sentence
from analytics.programme.around_practice import practice_effect
from analytics.programme.change import change_between, onset
from analytics.programme.trial import TRIAL
from analytics.programme.trigger_patterns import trigger_pattern
from analytics.report import _COMPARISONS
from api.routes.analysis.therapy import CAUTION as TRIAL_CAUTION
from api.routes.patient_data.practices import CAUTION as PRACTICE_CAUTION
from api.routes.patient_data.questionnaires import CAUTION as QUESTIONNAIRE_CAUTION
from api.routes.research import clinic_offers, cohort_link
from api.schemas.nights import CAUTION as NIGHT_CAUTION
from api.services import stress_days
from api.services.nights import NOT_IN_EXPORT
from api.services.offers import results
from api.services.older_copies import CopyKind
from dashboard.i18n import language
from dashboard.i18n.api_texts import say
from ebbtide.daily_state import problem_of
from ebbtide.timestamps import DAY
from ingest.nights.whoop import NOT_WORN
from store.models import NotAvailable, PracticeKind, Role

ENGLISH = (
    r"\b(the|of|with|were|are|and|more|ratings?|than|before|that|from|cannot|one|usual|two|weeks)\b"
)
DAYS = np.arange(40.0)
EMPTY = np.empty(0)
CLEAR = Association(60, 0.45, 0.2, 0.7, 0.001, 0.3, None, EMPTY, EMPTY)
UNCLEAR = replace(CLEAR, low=-0.2, high=0.34, p_value=0.4)
OUTLYING = {"outlying_ns": 1_795_530_600_000_000_000, "without_outlying": (0.1, -0.2, 0.4)}
LINKS = (
    *(CLEAR, UNCLEAR, replace(CLEAR, estimate=-0.45, low=-0.7, high=-0.2)),
    replace(CLEAR, estimate=0.01, copies=1, changes=10, missing_when_bad_p=0.01),
    replace(CLEAR, copies=3, robustness=0.2, day_share=0.1, reliability=0.8),
    replace(CLEAR, robustness=0.2, day_share=0.001),
    replace(CLEAR, robustness=0.2),
    replace(CLEAR, p_value=0.2, order_p=0.2),
    replace(CLEAR, few_moments=5, without_few=(0.1, -0.2, 0.4)),
    *(
        replace(UNCLEAR, held_back_for=names)
        for names in (
            *(("weekday",), ("weekday", "time of day")),
            *(("rhythm of a few days",), ("rhythm of a few days", "time of day")),
        )
    ),
    *(
        replace(link, clear_without_outlying=clear, **OUTLYING)
        for link, clear in product((CLEAR, UNCLEAR), (True, False))
    ),
)
LET_GO = [
    LetGo(40, 30, p_rating, p_heart, worse, faster)
    for p_rating, p_heart, worse, faster in product((0.01, 0.5), (0.01, 0.5), (-1, 1), (-1, 1))
]


def _sentences() -> set[str]:
    """Return what the API says on the pages, each kind of sentence at least once."""
    said: set[str | None] = {*MissingReason, *GroupVerdict, *Role, *PracticeKind}
    said |= {TRIAL_CAUTION, PRACTICE_CAUTION, QUESTIONNAIRE_CAUTION}
    said |= {group.name for group in TRIAL}
    said |= {stress_days.NOT_RECORDED, stress_days.DISTURBED, stress_days.ACTIVE}
    said |= set(stress_days.GAP_WORDS.values())
    for compared in _COMPARISONS.values():
        for link in LINKS:
            text = association_text(link, compared, p_adjusted=link.p_value and link.p_value + 1e-3)
            said |= {text.sentence, text.unit, *text.caveats}
    for let_go in LET_GO:
        said.update(association_text(CLEAR, let_go=let_go).caveats)
    time_ns = (DAYS * 43_200e9).astype(np.int64)
    few = [
        within_person_link(time_ns[:count], DAYS[:count], DAYS[:count], x_name=name)
        for count in (3, 4, 26, 27)
        for name in ("stress", "usable beats before them")
    ]
    few += [within_person_link(time_ns // 20, DAYS, DAYS), day_to_day_link(time_ns, DAYS, DAYS)]
    few += [within_person_link(time_ns, np.ones(40), DAYS)]
    for link in few:
        said |= {link.missing_reason, association_text(link).sentence}
    said.add(onset(DAYS[:5], DAYS[:5]).missing_reason)
    said.add(onset(DAYS, np.ones(40)).missing_reason)
    said.add(change_between(DAYS[:1], DAYS[:1], (0, 7), (21, 28)).missing_reason)
    said.add(practice_effect(DAYS[:2], DAYS[:2]).missing_reason)
    said.add(practice_effect(DAYS, DAYS + 1).missing_reason)
    days = np.arange(40)
    said |= {trigger_pattern(days[:k], np.ones(k)).missing_reason for k in (3, 40)}
    for length, beats, coverage, normal in (
        (1, 9, 1, 1),
        (300, 0, 1, 1),
        (300, 9, 1, 0),
        (300, 9, 0, 1),
    ):
        missing = _missing_reason(length, beats, coverage, normal)
        assert missing is not None
        said.add(missing[1])
    said |= {"session 3 on Tuesday at 10:00", "no rating for 9 days", "no rating in four weeks"}
    said |= {
        "pain +1.5 in two weeks (95% interval +0.2 to +2.8); stress -1.1 in two weeks "
        "(95% interval -2.0 to -0.2)"
    }
    return {words for words in said if words}


def _offer_sentences() -> set[str]:
    """Return what is said of practice by lot, each kind of sentence at least once."""
    said = {EVERY_LOOK, NOT_BLIND, results._SEVERAL, *NotAvailable}
    said |= {str(why_not_compared(3, 9, DAYS)), str(why_not_compared(30, 30, np.ones(60)))}
    even, uneven = (
        MissingAnswers(30, gone, 30, 1, 0.3, Interval(-0.1, 0.6), None, p_value)
        for gone, p_value in ((1, 0.6), (14, 0.001))
    )
    clear = OfferEffect(
        *(30, 30, 28, 29, -1.2, Interval(-2, -0.4), Interval(-2.5, -0.2), None, 0.01, 1.5, even),
        *(None, 0.5, 0, None),
    )
    unclear = replace(clear, anytime=Interval(-2.5, 0.4))
    effects = [
        *(clear, replace(clear, estimate=1.2, anytime=Interval(0.3, np.inf)), unclear),
        replace(clear, missing_reason="nothing can be compared"),
        replace(clear, missing_reason=why_not_compared(3, 9, DAYS)),
        replace(clear, missing=uneven),
        *(replace(unclear, more_offers=more) for more in (None, 1, 40)),
    ]
    for effect, outcome, delay in product(effects, results._OUTCOMES.values(), (30, 60, 45)):
        for yours in (outcome.words.yours, outcome.words.yours.replace("your", "their", 1)):
            words = replace(outcome.words, yours=yours)
            for offered in (*results._ARM_WORDS.values(), results._name(["a", "b"])):
                text = offer_sentence(effect, words, offered, results._later(delay))
                said.add(text.sentence)
    assert len(said) > 180
    return said


def _service_sentences() -> set[str]:
    """Return what is said of all people, and of the service itself."""
    nobody = clinic_effects(
        ClinicMoments(
            *(
                np.empty(0, bool if field.name == "offered" else float)
                for field in fields(ClinicMoments)
            )
        )
    )
    up, unclear, down = (
        Coefficient("x", (low + high) / 2, 0.1, low, high, 0.01, 20)
        for low, high in ((0.1, 0.9), (-0.4, 0.4), (-0.9, -0.1))
    )
    said = {str(nobody.missing_reason), *clinic_sentences(nobody)}
    for stress, pain, split in product((up, unclear, down), (up, unclear, down), (up, unclear)):
        for indirect in (split, None):
            effects = ClinicEffects(9, 99, 0, 0, stress=stress, pain=pain, indirect=indirect)
            said.update(clinic_sentences(effects))
    said.add(COHORT_METHOD)
    for row in clinic_offers.ASSUMPTIONS:
        said |= {row.what, row.otherwise}
    for each in cohort_link.ASSUMPTIONS:
        said |= {each.what, each.otherwise}
    said |= {"the patient does not share it now", "the time asked for is over"}
    said |= {"the sign-in is over", "the role that could watch was taken away"}
    said.add(
        "Deleted, but not overwritten in the files yet (OperationalError: database is locked). "
        "The service tries it again every minute and at its start."
    )
    said |= {*CopyKind, problem_of(None, 0.0), "nothing new for 730 days"}
    return said


def test_what_is_said_of_the_service_is_said_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    german = language._match_locale("de-DE")
    monkeypatch.setattr(language, "reader_locale", lambda: german)
    said = _service_sentences()
    assert len(said) > 25
    for words in said:
        assert say(words) != words and not re.search(ENGLISH, say(words)), (words, say(words))
    assert say("After an offer pain was lower than without.") == (
        "Nach einem Angebot war Schmerz niedriger als ohne."
    )


def _night_sentences() -> set[str]:
    """Return what is said of nights and days, and why a night is missing."""
    said = {NIGHT_CAUTION, NOT_IN_EXPORT, NOT_WORN}
    few = [
        within_person_link(DAYS[:k].astype(np.int64), DAYS[:k], DAYS[:k], x_name="nights")
        for k in (3, 29)
    ]
    few.append(within_person_link((DAYS * DAY).astype(np.int64), DAYS * 0, DAYS, x_name="nights"))
    for question, link in product(NightQuestion, (CLEAR, replace(CLEAR, estimate=-0.4), *few)):
        said |= {night_sentence(question, link, is_clear=clear) for clear in (True, False)}
    return said


def test_what_is_said_of_nights_is_said_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    german = language._match_locale("de-DE")
    monkeypatch.setattr(language, "reader_locale", lambda: german)
    said = _night_sentences()
    assert len(said) > 12
    for words in said:
        assert not re.search(ENGLISH, say(words), re.IGNORECASE), (words, say(words))


def test_the_day_of_a_questionnaire_is_said_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    german = language._match_locale("de-DE")
    monkeypatch.setattr(language, "reader_locale", lambda: german)
    words = "answered PHQ-9 of 02 May, PCS of 12 November"
    assert say(words) == "PHQ-9 vom 2. Mai, PCS vom 12. Nov. beantwortet"
    assert say("please ask about an answer: PHQ-9 of 29 February").endswith("PHQ-9 vom 29. Feb.")
    assert say("PHQ-9 of 12 Brumaire") == "PHQ-9 of 12 Brumaire"


def test_what_offers_did_is_said_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    german = language._match_locale("de-DE")
    monkeypatch.setattr(language, "reader_locale", lambda: german)
    for words in _offer_sentences():
        assert not re.search(ENGLISH + r"|\b(your|their|by|to|later)\b", say(words)), say(words)
    assert say(
        "On the moments when Ebbtide offered breathing, your heart rate half an hour later was "
        "2.1 bpm lower (0.5 bpm to 3.9 bpm) than when it did not."
    ) == (
        "Wenn Ebbtide langsames Atmen anbot, war Ihre Herzfrequenz eine halbe Stunde später um "
        "2,1 Schläge pro Minute niedriger (0,5 bis 3,9 pro Minute) als ohne Angebot."
    )


def test_what_is_said_of_questions_asked_apart_is_said_in_german(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = apart_link(*(np.arange(3), np.arange(3.0), np.arange(3.0), np.arange(3), np.arange(3.0)))
    said = [association_text(link, ASKED_APART) for link in (*LINKS, few)]
    sentences = {words for text in said for words in (text.sentence, *text.caveats)}
    locale = language._match_locale("de-DE")
    monkeypatch.setattr(language, "reader_locale", lambda: locale)
    for words in sentences:
        assert not re.search(ENGLISH, say(words), re.IGNORECASE), (words, say(words))
    assert "60 Paare von Einschätzungen" in say(said[0].sentence)


def test_what_the_api_says_is_said_in_german(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = _sentences()
    assert len(sentences) > 150
    for tag in ("en-GB", "de-DE"):
        locale = language._match_locale(tag)
        monkeypatch.setattr(language, "reader_locale", lambda locale=locale: locale)
        assert all(say(words) == words for words in sentences) == (tag == "en-GB")
    for words in sentences - {"RMSSD"}:
        assert not re.search(ENGLISH, say(words), re.IGNORECASE), (words, say(words))
    assert say(association_text(CLEAR).sentence) == (
        "Eingeschätzter Schmerz und eingeschätzter Stress haben sich gemeinsam verändert: Bei "
        "einem Punkt mehr Stress als sonst war der Schmerz etwa 0,5 Punkte höher (95-%-Intervall "
        "+0,20 bis +0,70; 60 Einschätzungen)."
    )
    assert say("24 November 2026, 14:30") == "24. November 2026, 14:30"
    assert say("Nobody has said this before.") == "Nobody has said this before."
