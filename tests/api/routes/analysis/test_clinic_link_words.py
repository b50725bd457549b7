"""What is found of a clinic, and the sentence that is read: one table for the API and the pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from babel import Locale

from analytics.association.group import GroupLink, GroupVerdict, SecondLook
from analytics.association.group_wording import group_sentence, group_warnings
from analytics.association.rmcorr import RmCorr
from cli.analysis import link as command
from dashboard.i18n import language
from dashboard.i18n.api_texts import say
from tests.support.signals import CAUSAL

CLEAR_R = RmCorr(0.3, 900, 0.001, 0.2, 0.4, None)
CLEAR = GroupLink(
    n_subjects=20, n_pairs=1120, estimate=0.3, low=0.2, high=0.4, p_value=0.001, spread=0.1,
    people=(), only_lines=0, rmcorr=CLEAR_R, detrended_rmcorr=CLEAR_R, missing_reason=None,
    second_look=SecondLook(0.25, 0.28, 0.001, 20), missing_when_bad_p=0.4,
)  # fmt: skip
OPPOSITE = {"estimate": -0.3, "second_look": SecondLook(-0.25, -0.28, 0.001, 20)}
SHARED = {"second_look": SecondLook(0.09, 0.1, 0.3, 20)}

TABLE: list[tuple[dict[str, Any], GroupVerdict, str, str]] = [
    ({}, GroupVerdict.TOGETHER, "Rated pain and rated stress moved together within people.",
     "pain and stress moved together"),
    (OPPOSITE, GroupVerdict.OPPOSITE, "moved opposite ways within people.",
     "pain and stress moved opposite ways"),
    (SHARED, GroupVerdict.SHARED_MOMENTS, "moved together, but moments that they share could make",
     "pain and stress moved together, but moments that they share could make it"),
    ({**SHARED, "estimate": -0.3}, GroupVerdict.SHARED_MOMENTS,
     "moved opposite ways, but moments that they share could make",
     "pain and stress moved opposite ways, but moments that they share could make it"),
    ({"second_look": replace(CLEAR.second_look, standardised=-0.25)}, GroupVerdict.SHARED_MOMENTS,
     "but moments that they share could make", "but moments that they share could make it"),
    ({"second_look": None}, GroupVerdict.SHARED_MOMENTS,
     "but moments that they share could make", "but moments that they share could make it"),
    ({"p_value": 0.2}, GroupVerdict.UNCLEAR, "We cannot tell whether pain moved with stress.",
     "cannot tell whether pain moved with stress"),
    ({"detrended_rmcorr": replace(CLEAR_R, p_value=0.2)}, GroupVerdict.UNCLEAR,
     "We cannot tell whether pain moved with stress.",
     "cannot tell whether pain moved with stress"),
    ({"estimate": None, "p_value": None, "missing_reason": "3 of at least 5 people with 24 ratings "
      "or more that go up and down by themselves"}, GroupVerdict.NOT_ENOUGH,
     "Not enough yet to say whether pain moved with stress: 3 of at least 5 people",
     "not enough yet to say whether pain moved with stress: 3 of at least 5 people"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "verdict", "said", "of_table"), TABLE)
def test_what_is_found_of_a_clinic_has_its_sentence(
    found: dict[str, Any], verdict: GroupVerdict, said: str, of_table: str
) -> None:
    link = replace(CLEAR, **found)
    assert link.verdict is verdict
    sentence = group_sentence(link)
    assert said in sentence
    assert of_table in command._verdict(command._within(link, None), link, "stress", "pain")
    assert not any(word in sentence.lower() for word in CAUSAL)
    with language.reading_as(Locale("de")):
        assert say(sentence) != sentence


@pytest.mark.parametrize(("p_value", "warned"), [(0.01, True), (0.2, False), (None, False)])
def test_a_clinic_that_leaves_out_bad_moments_is_warned_in_words(
    p_value: float | None, warned: bool
) -> None:
    said = group_warnings(replace(CLEAR, missing_when_bad_p=p_value))
    assert bool(said) == warned
    for sentence in said:
        assert "missing when things were bad" in sentence
        with language.reading_as(Locale("de")):
            assert say(sentence) != sentence
