"""Why a patient may need their therapist: rules on answers, sessions, ratings and beats. Never a
score.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

from analytics.programme.change import change_between
from api.services.consent import KeepingState, is_consented_to_care, keeping_state
from api.services.questionnaires import QuestionnaireService, ScoredResponse
from ebbtide.timestamps import DAY, SECOND, to_datetime
from store import Stores
from store.models import CareRecords, Person, Role, StoredReport

_SESSION_SOON_NS = 2 * DAY
_SILENT_DAYS, _STRAP_DAYS = 5, 3  # without a rating, without beats
_ANSWERED_DAYS = 7  # a questionnaire that was finished is news for so long, or until a meeting
_PERIOD_DAYS = 14  # compared with as many before
_REPORT = "caseload"  # the kind of the stored report of changes
_REPORT_VERSION = 1


@dataclass(frozen=True, slots=True)
class RatingChange:
    """A change of pain or stress (``what``) over two weeks, with its 95% interval."""

    what: str
    change: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"{self.what} {self.change:+.1f} in two weeks (95% interval {self.low:+.1f} to "
            f"{self.high:+.1f})"
        )


@dataclass(frozen=True, slots=True)
class PatientStatus:
    """``needs``: each need with its text, the most pressing first."""

    needs: dict[Need, str]
    changes: tuple[RatingChange, ...] = ()
    next_session_ns: int | None = None
    next_number: int | None = None
    last_session_ns: int | None = None
    last_rating_ns: int | None = None
    last_beat_ns: int | None = None


@dataclass(frozen=True, slots=True)
class CaseloadEntry:
    """A patient in care. ``status``: None where they do not agree that it is seen."""

    person: Person
    keeping: KeepingState
    status: PatientStatus | None


class Need(StrEnum):
    """Why a patient may need you, the most pressing first. Never a score."""

    ANSWER = "answer to ask about"
    SESSION = "session soon"
    CHANGED = "changed"
    SILENT = "silent"
    ANSWERED = "questionnaire finished"
    STRAP = "strap"
    NONE = "nothing in particular"


def load_caseload(
    stores: Stores, therapist_id: str, questionnaires: QuestionnaireService
) -> Iterator[CaseloadEntry]:
    """Load a therapist's patients and what each may need now."""
    now = stores.now()
    since = now - (2 * _PERIOD_DAYS + 2) * DAY
    for records in stores.access.care_records(therapist_id, since, _REPORT):
        agreed = is_consented_to_care(records.consents, now)
        yield CaseloadEntry(
            records.person,
            keeping_state(records.consents, now),
            _status(stores, records, now, questionnaires) if agreed else None,
        )


def _status(
    stores: Stores, records: CareRecords, now_ns: int, questionnaires: QuestionnaireService
) -> PatientStatus:
    patient = records.person
    covered = stores.beats.coverage(patient.subject_id)
    last_beat = max((item.last_ns or 0 for item in covered), default=0) or None
    last_rating = records.rated[-1][0] if records.rated else None
    coming = [item for item in records.sessions if item.held_ns > now_ns]
    held = [item.held_ns for item in records.sessions if item.held_ns <= now_ns]
    newest = {
        item.response.questionnaire: item
        for item in map(questionnaires.score, records.responses)
        if item.questionnaire
    }
    start = now_ns - 2 * _PERIOD_DAYS * DAY
    flagged = [
        item for item in newest.values() if item.concerns and item.response.about_ns >= start
    ]
    answered = [
        item
        for item in newest.values()
        if not item.concerns
        and item.response.about_ns >= max([now_ns - _ANSWERED_DAYS * DAY, *held])
    ]
    changes = load_changes(stores, records, now_ns)
    needs: dict[Need, str] = {}
    if flagged:
        needs[Need.ANSWER] = f"please ask about an answer: {_name(flagged, patient.zone)}"
    if coming and coming[0].held_ns - now_ns <= _SESSION_SOON_NS:
        at = to_datetime(coming[0].held_ns, patient.zone)
        needs[Need.SESSION] = f"session {coming[0].number} on {at:%A at %H:%M}"
    if changes:
        needs[Need.CHANGED] = "; ".join(map(str, changes))
    if last_rating is not None and now_ns - last_rating > _SILENT_DAYS * DAY:
        needs[Need.SILENT] = f"no rating for {(now_ns - last_rating) // DAY} days"
    elif last_rating is None:
        needs[Need.SILENT] = "no rating in four weeks"
    if answered:
        needs[Need.ANSWERED] = f"answered {_name(answered, patient.zone)}"
    if last_beat is not None and now_ns - last_beat > _STRAP_DAYS * DAY:
        needs[Need.STRAP] = f"no heartbeats for {(now_ns - last_beat) // DAY} days"
    return PatientStatus(
        needs,
        changes,
        coming[0].held_ns if coming else None,
        coming[0].number if coming else None,
        held[-1] if held else None,
        last_rating,
        last_beat,
    )


def _name(items: list[ScoredResponse], zone: str) -> str:
    return ", ".join(
        f"{item.questionnaire.short_name} of {to_datetime(item.response.about_ns, zone):%d %B}"
        for item in items
        if item.questionnaire
    )


def load_changes(stores: Stores, records: CareRecords, now_ns: int) -> tuple[RatingChange, ...]:
    """Load what changed from the fortnight before the last to the last, up to the patient's last
    midnight, where the interval of the change excludes zero.

    It is computed once for the same ratings and day, and stored: two changes take as long as all
    else of a patient together.
    """
    midnight = to_datetime(now_ns, records.person.zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    end_ns = round(midnight.timestamp()) * SECOND
    rated = [row for row in records.rated if row[0] < end_ns]
    content = json.dumps([_REPORT_VERSION, end_ns, rated], separators=(",", ":"))
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    stored = records.report
    if stored is not None and stored.fingerprint == fingerprint:
        return tuple(RatingChange(**row) for row in json.loads(stored.body))
    changes = tuple(compute_changes(rated, end_ns))
    body = json.dumps([asdict(change) for change in changes])
    stores.records.put_report(StoredReport(records.person.id, _REPORT, fingerprint, body))
    return changes


def refresh_changes(stores: Stores) -> int:
    """Compute the changes of today's caseloads, so that pages only read; of how many patients."""
    now, done = stores.now(), set()
    for person in stores.records.people():
        if person.role is not Role.THERAPIST:
            continue
        since = now - (2 * _PERIOD_DAYS + 2) * DAY
        for records in stores.access.care_records(person.id, since, _REPORT):
            if records.person.id not in done and is_consented_to_care(records.consents, now):
                load_changes(stores, records, now)
                done.add(records.person.id)
    return len(done)


def compute_changes(
    rated: list[tuple[int, int | None, int | None]], end_ns: int
) -> Iterator[RatingChange]:
    """Compute the changes of pain and stress over the two fortnights before ``end_ns`` that are
    clear. ``rated``: (about_ns, pain, stress) of each rating; None where it was not asked for.
    """
    days = np.array([(row[0] - end_ns) / DAY for row in rated], dtype=np.float64)
    for column, what in ((1, "pain"), (2, "stress")):
        values = np.array([row[column] for row in rated], dtype=np.float64)
        there = ~np.isnan(values)
        change = change_between(
            days[there], values[there], (-2.0 * _PERIOD_DAYS, -_PERIOD_DAYS), (-_PERIOD_DAYS, 0.0)
        )
        if change.missing_reason is None and change.reliable:
            assert change.change is not None and change.low is not None and change.high is not None
            yield RatingChange(what, change.change, change.low, change.high)
