"""Why a patient may need their therapist: rules on answers, sessions, ratings and beats. Never a
score.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics.programme.change import change_between
from api.services.questionnaires import QuestionnaireService
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import Person, Rating

_SESSION_SOON_NS = 2 * DAY
_SILENT_DAYS, _STRAP_DAYS = 5, 3  # without a rating, without beats
_PERIOD_DAYS = 14.0  # compared with as many before


@dataclass(frozen=True, slots=True)
class PatientStatus:
    """``needs``: each need with its text, the most pressing first."""

    needs: dict[Need, str]
    next_session_ns: int | None
    last_rating_ns: int | None
    last_beat_ns: int | None


class Need(StrEnum):
    """Why a patient may need you, the most pressing first. Never a score."""

    ANSWER = "answer to ask about"
    SESSION = "session soon"
    CHANGED = "changed"
    SILENT = "silent"
    STRAP = "strap"
    NONE = "nothing in particular"


def patient_status(
    stores: Stores, patient: Person, now_ns: int, questionnaires: QuestionnaireService
) -> PatientStatus:
    """Find what a patient may need now."""
    start = now_ns - round(2 * _PERIOD_DAYS) * DAY
    ratings = stores.records.ratings(patient.id, start, now_ns + DAY)
    covered = stores.beats.coverage(patient.subject_id)
    last_beat = max((item.last_ns or 0 for item in covered), default=0) or None
    last_rating = ratings[-1].about_ns if ratings else None
    coming = [item for item in stores.records.sessions(patient.id) if item.held_ns > now_ns]
    needs: dict[Need, str] = {}
    newest = {
        item.response.questionnaire: item for item in questionnaires.load_scored(stores, patient)
    }
    asked_about = [
        f"{item.questionnaire.short_name} of "
        f"{to_datetime(item.response.about_ns, patient.zone):%d %B}"
        for item in newest.values()
        if item.questionnaire and item.concerns and item.response.about_ns >= start
    ]
    if asked_about:
        needs[Need.ANSWER] = f"please ask about an answer: {', '.join(asked_about)}"
    if coming and coming[0].held_ns - now_ns <= _SESSION_SOON_NS:
        held = to_datetime(coming[0].held_ns, patient.zone)
        needs[Need.SESSION] = f"session {coming[0].number} on {held:%A at %H:%M}"
    changes = describe_changes(ratings, now_ns)
    if changes:
        needs[Need.CHANGED] = changes
    if last_rating is not None and now_ns - last_rating > _SILENT_DAYS * DAY:
        needs[Need.SILENT] = f"no rating for {(now_ns - last_rating) // DAY} days"
    elif last_rating is None:
        needs[Need.SILENT] = "no rating in four weeks"
    if last_beat is not None and now_ns - last_beat > _STRAP_DAYS * DAY:
        needs[Need.STRAP] = f"no heartbeats for {(now_ns - last_beat) // DAY} days"
    return PatientStatus(needs, coming[0].held_ns if coming else None, last_rating, last_beat)


def describe_changes(ratings: list[Rating], now_ns: int) -> str:
    """Describe what changed from the fortnight before the last to the last, where the interval of
    the change excludes zero.
    """
    days = np.array([(rating.about_ns - now_ns) / DAY for rating in ratings], dtype=np.float64)
    texts = []
    for name in ("pain", "stress"):
        values = np.array([getattr(rating, name) for rating in ratings], dtype=np.float64)
        change = change_between(
            days, values, (-2 * _PERIOD_DAYS, -_PERIOD_DAYS), (-_PERIOD_DAYS, 1.0)
        )
        if change.missing_reason is None and change.reliable and change.change is not None:
            texts.append(
                f"{name} {change.change:+.1f} in two weeks (95% interval {change.low:+.1f} to "
                f"{change.high:+.1f})"
            )
    return "; ".join(texts)
