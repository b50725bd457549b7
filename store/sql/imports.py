"""What comes from other systems, in an SQL database: what is stored, and what of it is new."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session, sessionmaker

from store.encoding.imports import ConflictError, correct_rating, join_ratings
from store.models.imports import (
    ImportedHeartRate,
    ImportedRating,
    ImportOutcome,
    ImportResult,
    foreign_identifiers,
    unpack_identifiers,
)
from store.models.records import Rating
from store.sql.engine import reading, write_transaction
from store.sql.heart_rates import SqlHeartRates, import_heart_rates
from store.sql.identifiers import chunks, find_identified, put_identifiers
from store.sql.rows import from_row, to_row
from store.sql.tables.imports import RatingPartRow
from store.sql.tables.records import PersonRow, RatingRow

_NAMES = ("pain", "stress", "pleasant", "note", "pleasant_note")


class _RefusedError(Exception):
    """Rolls an atomic import back."""


class SqlImports(SqlHeartRates):
    """The part of a SqlRecordStore that stores what comes from other systems."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._reading = reading(engine)

    def import_records(
        self,
        person_id: str,
        ratings: Sequence[ImportedRating],
        heart_rates: Sequence[ImportedHeartRate],
        *,
        is_atomic: bool = False,
    ) -> ImportResult:
        """Store records of another system; see RecordStore."""
        result = ImportResult([], [])
        try:
            with write_transaction(self._engine) as connection, Session(connection) as db:
                # The person's row is the lock: two imports at once are one after the other.
                lock = select(PersonRow.id).where(PersonRow.id == person_id).with_for_update()
                if db.scalar(lock) is None:
                    gone = ImportOutcome(None, reason="the account was erased")
                    return ImportResult([gone] * len(ratings), [gone] * len(heart_rates), False)
                self._require_consent(db, person_id)
                known = find_identified(db, person_id, [*ratings, *heart_rates])
                joined = _Ratings(db, person_id, ratings, known)
                result = ImportResult(
                    [joined.take(item) for item in ratings],
                    import_heart_rates(db, person_id, heart_rates, known),
                )
                db.flush()
                joined.put_identifiers()
                outcomes = [*result.ratings, *result.heart_rates]
                if is_atomic and any(item.reason or item.waiting_for for item in outcomes):
                    raise _RefusedError
        except _RefusedError:
            return replace(result, is_stored=False)
        return result


class _Ratings:
    """The ratings of an import, with what is stored of them already, which is read at once: four
    queries for each made a Bundle of 2,000 take 3 s.
    """

    def __init__(
        self, db: Session, person_id: str, sent: Sequence[ImportedRating], known: dict[str, str]
    ) -> None:
        self._db, self._person_id, self._known = db, person_id, known
        ids = sorted(
            {item.id for item in sent}
            | {item.own_id for item in sent if item.own_id is not None}
            | set(known.values())
        )
        self._newest: dict[str, RatingRow] = {}
        self._parts: dict[str, RatingPartRow] = {}
        for chunk in chunks(ids):
            newest = select(RatingRow).where(
                RatingRow.person_id == person_id,
                RatingRow.id.in_(chunk),
                RatingRow.superseded.is_(False),
            )
            self._newest.update((row.id, row) for row in db.scalars(newest))
            parts = select(RatingPartRow).where(RatingPartRow.id.in_(chunk))
            self._parts.update((row.id, row) for row in db.scalars(parts))
        person = select(PersonRow.simulated, PersonRow.zone).where(PersonRow.id == person_id)
        self._simulated, self._zone = db.execute(person).one()
        self._identifiers: list[tuple[str, str | None]] = []
        # Versions that were corrected: read when one is needed, and those of this import.
        self._corrected_before: dict[str, list[ImportedRating]] | None = None
        self._just_corrected: dict[str, list[ImportedRating]] = defaultdict(list)

    def take(self, sent: ImportedRating) -> ImportOutcome:
        """Join one to what is stored."""
        record_id = sent.id
        if sent.own_id is not None and sent.own_id in self._newest:
            record_id = sent.own_id
        else:
            names = unpack_identifiers(sent.identifiers)
            # An identifier may have become that of a heart rate, which no rating is.
            records = {
                record
                for record in (self._known.get(name) for name in names)
                if record in self._newest or record in self._parts
            }
            if len(records) > 1:
                return ImportOutcome(None, reason="its identifiers belong to different ratings")
            record_id = records.pop() if records else sent.id
        sent = replace(sent, identifiers=foreign_identifiers(sent.identifiers, record_id))
        row = self._newest.get(record_id)
        try:
            if row is not None:
                outcome = self._into_rating(row, sent)
            else:
                outcome = self._into_parts(replace(sent, id=record_id))
        except ConflictError as error:
            return ImportOutcome(None, reason=str(error))
        if outcome.reason is None and outcome.is_new:
            self._identifiers.append((record_id, sent.identifiers))
            names = unpack_identifiers(sent.identifiers)
            self._known.update((name, record_id) for name in names)
        return outcome

    def put_identifiers(self) -> None:
        """Store the identifiers of those that were new."""
        put_identifiers(self._db, self._person_id, self._identifiers)

    def _into_rating(self, row: RatingRow, sent: ImportedRating) -> ImportOutcome:
        """Join what was sent to a stored rating: nothing new, the rest of it, or a correction."""
        if row.withdrawn:
            raise ConflictError("it was withdrawn here")
        stored = _as_imported(row)
        if not row.imported:
            _require_same(row, sent)
            return ImportOutcome(row.id)
        try:
            joined = join_ratings(stored, sent)
        except ConflictError:
            try:
                corrected = correct_rating(stored, sent)
            except ConflictError:
                if any(_adds_nothing(sent, version) for version in self._corrected(row.id)):
                    return ImportOutcome(row.id)  # what was corrected since comes again
                raise
            row.superseded = True
            self._just_corrected[row.id].append(stored)
            newest = to_row(
                RatingRow,
                replace(
                    from_row(Rating, row),
                    version=row.version + 1,
                    entered_ns=sent.entered_ns,
                    about_ns=corrected.about_ns,
                    **_content(corrected),  # type: ignore[arg-type]
                ),
            )
            self._add(newest)
            return ImportOutcome(row.id, True)
        if joined == stored:
            return ImportOutcome(row.id)
        # The rest of what was sent in parts is no correction: the version stays.
        for name, value in {"entered_ns": sent.entered_ns, **_content(joined)}.items():
            setattr(row, name, value)
        return ImportOutcome(row.id, True)

    def _into_parts(self, sent: ImportedRating) -> ImportOutcome:
        """Store a rating of pain, of stress or of both. What else there is waits for one of them;
        of one alone the other may still come, and joins it.
        """
        part = self._parts.get(sent.id)
        joined = sent
        if part is not None:
            before = ImportedRating(**json.loads(part.body))
            try:
                joined = join_ratings(before, sent)
            except ConflictError:
                joined = correct_rating(before, sent)
            joined = replace(joined, entered_ns=sent.entered_ns)
        if joined.pain is None and joined.stress is None:
            body = json.dumps(asdict(replace(joined, own_id=None)))
            is_new = part is None
            if part is None:
                part = RatingPartRow(id=sent.id, person_id=self._person_id, body=body)
                self._parts[sent.id] = part
                self._db.add(part)
            elif replace(before, entered_ns=0) != replace(joined, entered_ns=0, own_id=None):
                part.body, is_new = body, True
            return ImportOutcome(sent.id, is_new, waiting_for="pain or stress")
        if part is not None:
            del self._parts[sent.id]
            if inspect(part).pending:  # it came with this import; a flush for each takes 0.4 ms
                self._db.expunge(part)
            else:
                self._db.delete(part)
        content = {
            **_content(joined),
            "zone": joined.zone or self._zone,
            "simulated": joined.simulated or self._simulated,
        }
        row = RatingRow(
            id=sent.id,
            version=1,
            person_id=self._person_id,
            about_ns=joined.about_ns,
            entered_ns=sent.entered_ns,
            imported=True,
            superseded=False,
            withdrawn=False,
            **content,
        )
        self._add(row)
        return ImportOutcome(sent.id, True)

    def _corrected(self, record_id: str) -> list[ImportedRating]:
        """The versions of a rating that were corrected."""
        if self._corrected_before is None:
            self._corrected_before = defaultdict(list)
            for chunk in chunks(sorted(self._newest)):
                query = select(RatingRow).where(
                    RatingRow.person_id == self._person_id,
                    RatingRow.id.in_(chunk),
                    RatingRow.superseded.is_(True),
                )
                for row in self._db.scalars(query):
                    self._corrected_before[row.id].append(_as_imported(row))
        return [*self._corrected_before[record_id], *self._just_corrected[record_id]]

    def _add(self, row: RatingRow) -> None:
        self._db.add(row)
        self._newest[row.id] = row


def _require_same(row: RatingRow, sent: ImportedRating) -> None:
    """Raise ConflictError where a rating that was entered here comes back with other content."""
    names = ["about_ns", "zone", *_NAMES]
    changed = [
        f"{name} {getattr(row, name)}, not {getattr(sent, name)}"
        for name in names
        if getattr(sent, name) is not None and getattr(sent, name) != getattr(row, name)
    ]
    if sent.simulated and not row.simulated:
        changed.append("not simulated")
    if changed:
        raise ConflictError(
            f"it was entered here with {', '.join(changed)}: correct it with PUT /v1/ratings/"
            f"{row.id}"
        )


def _adds_nothing(sent: ImportedRating, stored: ImportedRating) -> bool:
    try:
        return join_ratings(stored, sent) == stored
    except ConflictError:
        return False


def _as_imported(row: RatingRow) -> ImportedRating:
    return ImportedRating(
        row.id,
        row.person_id,
        row.about_ns,
        row.zone,
        row.pain,
        row.stress,
        row.pleasant,
        row.note,
        row.pleasant_note,
        row.simulated,
        row.status or "final",
        row.issued_ns,
        row.identifiers,
        row.entered_ns,
    )


def _content(item: ImportedRating) -> dict[str, object]:
    names = ("zone", *_NAMES, "simulated", "status", "issued_ns", "identifiers")
    return {name: getattr(item, name) for name in names}
