"""The texts of the pages: words that are not used, and completeness."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from api.services.programme_plan import READINGS, Step
from dashboard.components.guided_practice import SAVOURING, SOMATIC_TRACKING, Guide, chime
from dashboard.components.offers import PRACTICES
from dashboard.i18n import texts
from store.models import OFFERED_KINDS, NoteKind, PracticeKind, Purpose
from tests.conftest import ROOT

PAGES = sorted((ROOT / "dashboard").rglob("*.py"))
NOT_USED = (
    r"alarm",
    r"catastroph",
    r"worse than yesterday",
    r"fail(ed|ure)",
    r"streak",
    r"you should have",
    r"warning!",
    r"caus(ed|es) (by|your)",
    r"leads to",
    r"because of (your )?stress",
    r"bad day",
    r"\bscore\b",
)


def strings_of(path: Path) -> list[str]:
    """Return every string that may be rendered: no docstrings, no keys."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        and " " in node.value
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT / "dashboard")))
def test_texts_avoid_these_words(path: Path) -> None:
    for words in strings_of(path):
        for word in NOT_USED:
            assert not re.search(word, words, re.IGNORECASE), f"{path.name}: {words!r}"


def test_avoided_words_would_be_found() -> None:
    """Show that the test above can fail."""
    assert any(
        "danger is over" in words for words in strings_of(ROOT / "dashboard" / "i18n" / "texts.py")
    )
    assert re.search("|".join(NOT_USED), "Your alarm failed")


def test_all_warning_signs_are_listed() -> None:
    signs = " ".join(texts.WARNING_SIGNS).lower()
    for sign in ("weakness", "numbness around the groin", "urine", "fever", "weight loss"):
        assert sign in signs
    for sign in ("accident", "cancer"):
        assert sign in signs
    assert "emergency number" in texts.EMERGENCY


def test_every_name_of_the_api_has_a_text() -> None:
    assert set(texts.STEPS) == {str(step) for step in Step}
    assert tuple(texts.READINGS) == READINGS
    assert set(texts.CONSENT) == {str(purpose) for purpose in Purpose}
    assert set(texts.NOTE_KINDS) == {str(kind) for kind in NoteKind}


def test_readings_are_short() -> None:
    for title, paragraphs in texts.READINGS.values():
        assert len(title) < 60
        words = sum(len(paragraph.split()) for paragraph in paragraphs)
        assert 50 < words < 160, title


@pytest.mark.parametrize("guide", [SOMATIC_TRACKING, SAVOURING], ids=lambda guide: guide.key)
def test_the_steps_of_a_practice_fill_its_length(guide: Guide) -> None:
    assert sum(length for _, length, _ in guide.steps) == pytest.approx(1)
    seen = [guide.step_at(k / 1000) for k in range(1001)]
    titles = [title for title, _, _ in guide.steps]
    assert list(dict.fromkeys(title for title, _ in seen)) == titles
    assert len(set(seen)) == sum(len(words) for _, _, words in guide.steps)


def test_every_practice_that_can_be_offered_has_a_name_and_words() -> None:
    assert set(PRACTICES) == set(map(str, OFFERED_KINDS))
    guided = {SOMATIC_TRACKING.kind, SAVOURING.kind}
    assert guided == set(PRACTICES) - {str(PracticeKind.BREATHING)}
    assert min(SAVOURING.minutes) >= 3 and max(SAVOURING.minutes) <= 5  # that of an offer


def test_the_sound_loops_and_is_soft() -> None:
    import io
    import wave

    import numpy as np

    with wave.open(io.BytesIO(chime())) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    assert np.abs(samples).max() < 0.3 * 32767
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 50


def test_the_circle_has_a_label_for_screen_readers() -> None:
    from dashboard.components.breathing import breathing_circle_html

    assert "Breathe in for 4.0 seconds, and out for 6.0" in breathing_circle_html(6.0)
    assert "prefers-reduced-motion" in breathing_circle_html(6.0)
