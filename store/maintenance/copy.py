"""Everything of one pair of stores into another: a move, a backup, a restore.

Idempotent: it goes on where it stopped, and does not send again what is there already.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from sqlalchemy import Connection, Engine, Table, delete, func, select, text, tuple_
from sqlalchemy.exc import DataError, IntegrityError

from ebbtide.beats import Origin, Stream
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import DAY, FOREVER
from store.protocols.beats import BeatStore
from store.sql.engine import dialect_insert, write_transaction
from store.sql.heart_rate_days import drop_day_indexes
from store.sql.tables.access import (
    AccessLogRow,
    CareProposalRow,
    CareRow,
    CohortMemberRow,
    ErasedTokenRow,
    KnownDeviceRow,
    LiveShareRow,
    ResearchSecretRow,
    StorageKeyRow,
)
from store.sql.tables.imports import HeartRateRow, ImportedIdentifierRow, RatingPartRow
from store.sql.tables.nights import NightRow
from store.sql.tables.offers import DecisionPointRow, OfferPlanRow
from store.sql.tables.programme import (
    BaselineStartRow,
    IndexMethodRow,
    MessageRow,
    NoteRow,
    PracticeRow,
    ProgrammeRow,
    QuestionnaireResponseRow,
    ReadingRow,
    SessionNotesRow,
)
from store.sql.tables.prompts import (
    PromptRow,
    PushSubscriptionRow,
    ReminderPlanRow,
    ServerKeyRow,
)
from store.sql.tables.records import (
    AccessTokenRow,
    AuditRow,
    Base,
    ConsentRow,
    PersonRow,
    RatingRow,
    SessionRow,
)
from store.sql.tables.second_factors import PasskeyRow, RecoveryCodeRow, TotpRow

# Ordered so that the rows of a person come after the person. What can be computed again or expires
# within days (reports, one-time tokens, attempts, stored responses) is not copied.
RECORD_TABLES: tuple[Table, ...] = tuple(
    Base.metadata.tables[row.__tablename__]
    for row in (
        PersonRow,
        AccessTokenRow,
        RatingRow,
        SessionRow,
        ConsentRow,
        CareRow,
        CareProposalRow,
        KnownDeviceRow,
        StorageKeyRow,
        PasskeyRow,
        TotpRow,
        RecoveryCodeRow,
        AccessLogRow,
        ResearchSecretRow,
        CohortMemberRow,
        LiveShareRow,
        ProgrammeRow,
        NoteRow,
        PracticeRow,
        BaselineStartRow,
        IndexMethodRow,
        ReadingRow,
        SessionNotesRow,
        MessageRow,
        QuestionnaireResponseRow,
        ReminderPlanRow,
        PromptRow,
        OfferPlanRow,
        DecisionPointRow,
        NightRow,
        PushSubscriptionRow,
        ServerKeyRow,
        HeartRateRow,
        ImportedIdentifierRow,
        RatingPartRow,
        ErasedTokenRow,
        AuditRow,
    )
)
_NUMBERED_TABLES = ("audit", "looks")  # their ids are made by the database
_COPY_ORDER: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (Base.metadata.tables[AccessTokenRow.__tablename__], ("token_hash",)),
    (Base.metadata.tables[PasskeyRow.__tablename__], ("id",)),
    (Base.metadata.tables[TotpRow.__tablename__], ("person_id",)),
    (Base.metadata.tables[RecoveryCodeRow.__tablename__], ("code_hash",)),
    (Base.metadata.tables[CareRow.__tablename__], ("person_id", "therapist_id")),
    (Base.metadata.tables[CohortMemberRow.__tablename__], ("person_id",)),
    (Base.metadata.tables[NoteRow.__tablename__], ("id",)),
    (Base.metadata.tables[MessageRow.__tablename__], ("id",)),
    (Base.metadata.tables[BaselineStartRow.__tablename__], ("person_id", "day")),
    (Base.metadata.tables[ReminderPlanRow.__tablename__], ("person_id",)),
    (Base.metadata.tables[PushSubscriptionRow.__tablename__], ("id",)),
    (Base.metadata.tables[HeartRateRow.__tablename__], ("id",)),  # of which two became one
    (Base.metadata.tables[RatingPartRow.__tablename__], ("id",)),
)
_ROWS = 500
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_COMPARED_NS = 32 * DAY

Progress = Callable[[str, int, int], None]
"""Called with what is being copied, how much is done, and how much there is in all."""


@dataclass(slots=True)
class CopyResult:
    """How much there is, in both. ``rows`` by table of people and ratings. ``cleaned``: by table,
    the texts from which a character that no server takes was left out.
    """

    rows: dict[str, int] = field(default_factory=dict)
    streams: int = 0
    notifications: int = 0
    beats: int = 0
    gaps: int = 0
    movement: int = 0
    cleaned: dict[str, int] = field(default_factory=dict)


def clean_text(value: str) -> str:
    """Leave out the NUL character and halves of surrogate pairs, which PostgreSQL refuses.

    The API takes neither any more; a SQLite store of an older version may hold them.
    """
    return _UNSTORABLE.sub("", value)


def copy_records(source: Engine, target: Engine, progress: Progress | None = None) -> CopyResult:
    """Copy people, what they entered, tokens and the audit. It is an error if the target has rows
    of a person whom the source does not have: it is another store. Rows deleted from the source
    since the last copy (sign-outs, erased people) are deleted from the target.
    """
    found = CopyResult()
    with source.connect() as db, write_transaction(target) as to:
        for table in RECORD_TABLES:
            keys = list(table.primary_key.columns)
            total = db.scalar(select(func.count()).select_from(table)) or 0
            done = 0
            last: tuple[object, ...] | None = None
            while True:
                query = select(table).order_by(*keys).limit(_ROWS)
                if last is not None:
                    query = query.where(tuple_(*keys) > last)
                rows = [dict(row) for row in db.execute(query).mappings()]
                if not rows:
                    break
                last = tuple(rows[-1][key.name] for key in keys)
                cleaned = _clean_rows(rows)
                if cleaned:
                    found.cleaned[table.name] = found.cleaned.get(table.name, 0) + cleaned
                _put(to, table, rows)
                done += len(rows)
                if progress is not None:
                    progress(table.name, done, total)
            found.rows[table.name] = done
        _delete_removed_rows(db, to)
        drop_day_indexes(to)
        if to.dialect.name == "postgresql":
            for name in _NUMBERED_TABLES:
                to.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'),"
                        f" (SELECT coalesce(max(id), 0) + 1 FROM {name}), false)"
                    )
                )
        for table in RECORD_TABLES:
            there = to.scalar(select(func.count()).select_from(table)) or 0
            if there != found.rows[table.name]:
                raise EbbtideError(
                    f"Of {found.rows[table.name]} rows of {table.name}, {there} are in the target.",
                    "It is in use, or the store of others: name an empty one.",
                )
    return found


def _clean_rows(rows: list[dict[str, object]]) -> int:
    """Clean all texts of ``rows`` in place; how many changed."""
    changed = 0
    for row in rows:
        for name, value in row.items():
            if isinstance(value, str) and _UNSTORABLE.search(value):
                row[name] = clean_text(value)
                changed += 1
    return changed


def _put(db: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    statement = dialect_insert(db, table)
    keys = [key.name for key in table.primary_key.columns]
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys
    }
    try:
        db.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)
    except (DataError, IntegrityError) as error:
        # The message of the driver may hold what people entered.
        raise EbbtideError(
            f"A row of {table.name} does not fit into the target ({type(error.orig).__name__}).",
            "Nothing was copied. Please report this with the version of Ebbtide.",
        ) from error


def _delete_removed_rows(source: Connection, target: Connection) -> None:
    """Delete tokens, second factors, care and notes that ended, imports that became part of others,
    and people who were erased; nothing else is ever deleted.
    """
    for table, names in _COPY_ORDER:
        key = tuple_(*(table.c[name] for name in names))
        query = select(*(table.c[name] for name in names))
        gone = {tuple(row) for row in target.execute(query)} - {
            tuple(row) for row in source.execute(query)
        }
        if gone:
            target.execute(delete(table).where(key.in_(gone)))
    gone_people = set(target.scalars(select(PersonRow.id))) - set(
        source.scalars(select(PersonRow.id))
    )
    if not gone_people:
        return
    erased = set(source.scalars(select(AuditRow.subject)))
    theirs = target.execute(
        select(PersonRow.id, PersonRow.subject_id).where(PersonRow.id.in_(gone_people))
    ).all()
    if any(subject not in erased for _, subject in theirs):
        raise EbbtideError(
            "The target has people whom the source does not know.",
            "It is the store of others: name an empty one.",
        )
    target.execute(delete(PersonRow).where(PersonRow.id.in_(gone_people)))


def _clean_stream(stream: Stream) -> Stream:
    source = clean_text(stream.source)
    return stream if source == stream.source else replace(stream, source=source)


def copy_beats(
    source: BeatStore, target: BeatStore, progress: Progress | None = None
) -> CopyResult:
    """Copy beats, gaps and movement of all subjects, and who was erased. Windows are computed
    again. What comes while this copies is left for the next copy: an end must be certain, however
    fast people record.
    """
    found = CopyResult()
    for subject in source.erased():
        target.erase(subject)
    for subject in source.subjects():
        _copy_removed(source, target, subject)
    covered = [
        (subject, covered) for subject in source.subjects() for covered in source.coverage(subject)
    ]
    total = sum(covered.beats for _, covered in covered)
    for subject, here in covered:
        stream = _clean_stream(here.stream)
        if stream != here.stream:
            found.cleaned["streams"] = found.cleaned.get("streams", 0) + 1
        target.put_stream(subject, stream)
        gaps = {
            gap.gap.sequence: gap.gap
            for gap in source.gaps(subject, *FOREVER)
            if gap.stream_id == stream.id
        }
        there = {item.stream.id: item for item in target.coverage(subject)}[stream.id]
        after = there.acknowledged
        found.beats += there.beats
        while after < here.last_sequence:
            batch = source.notifications(subject, stream.id, after)
            if not batch:  # removed meanwhile
                break
            # As runs without a hole, which is what can be appended.
            numbers = np.array([item.sequence for item in batch])
            for run in np.split(np.arange(len(batch)), np.flatnonzero(np.diff(numbers) != 1) + 1):
                part = batch[run[0] : run[-1] + 1]
                theirs = [gaps[n.sequence] for n in part if n.sequence in gaps]
                target.append(subject, stream.id, part, theirs)
            after = batch[-1].sequence
            found.beats += sum(len(item.rr_ticks) for item in batch)
            if progress is not None:
                progress("beats", min(found.beats, total), total)
        spans = source.stream_activity(subject, stream.id)
        for begin in range(0, len(spans), _ROWS * 10):
            target.append_activity(subject, stream.id, spans[begin : begin + _ROWS * 10])
    return found


def _copy_removed(source: BeatStore, target: BeatStore, subject: str) -> None:
    """Remove what was removed from the source since the last copy, and refuse it from now on."""
    stored = {item.stream.id for item in target.coverage(subject)}
    refused = {item.stream_id for item in target.removed_streams(subject)}
    for item in source.removed_streams(subject):
        if item.stream_id in refused:
            continue
        if item.stream_id not in stored:
            empty = Stream(item.stream_id, Origin.FILE, "removed", item.removed_ns)
            target.put_stream(subject, empty)
        target.remove_stream(subject, item.stream_id, item.removed_ns)


def compare_beats(
    source: BeatStore, target: BeatStore, progress: Progress | None = None
) -> CopyResult:
    """Read both, and count. Raises EbbtideError for the first thing that is not the same.

    What arrives in the source meanwhile is not the same either: compare when nothing writes.
    """
    found = CopyResult()
    subjects = source.subjects()
    _same("the subjects", subjects, target.subjects())
    _same("who was erased", source.erased(), target.erased())
    for done, subject in enumerate(subjects, 1):
        covered = source.coverage(subject)
        cleaned = [replace(item, stream=_clean_stream(item.stream)) for item in covered]
        _same(f"the streams of {subject}", cleaned, target.coverage(subject))
        gaps = source.gaps(subject, *FOREVER)
        _same(f"the gaps of {subject}", gaps, target.gaps(subject, *FOREVER))
        for item in covered:
            spans = source.stream_activity(subject, item.stream.id)
            _same("movement", spans, target.stream_activity(subject, item.stream.id))
            found.movement += len(spans)
            found.notifications += _same_notifications(source, target, subject, item.stream.id)
        found.streams += len(covered)
        found.gaps += len(gaps)
        filled = [item for item in covered if item.first_ns is not None]
        begin = min((item.first_ns or 0 for item in filled), default=0)
        end = max((item.last_ns or 0 for item in filled), default=-1) + 1
        for start in range(begin, end, _COMPARED_NS):
            span = (subject, start, min(start + _COMPARED_NS, end))
            here, there = source.read(*span), target.read(*span)
            for column in ("time_ns", "rr_ticks", "contact", "follows"):
                if not np.array_equal(getattr(here, column), getattr(there, column)):
                    raise EbbtideError(
                        f"Beats of {subject} are not the same in both stores ({column}).",
                        "Give the command again.",
                    )
            found.beats += len(there)
        if progress is not None:
            progress("compared", done, len(subjects))
    return found


def _same_notifications(source: BeatStore, target: BeatStore, subject: str, stream_id: str) -> int:
    """The engines cut them differently; how many there are."""
    count, after = 0, 0
    waiting: dict[int, object] = {}
    while batch := source.notifications(subject, stream_id, after):
        after = batch[-1].sequence
        for item in batch:
            if item.sequence not in waiting:
                more = target.notifications(subject, stream_id, item.sequence - 1)
                waiting = {other.sequence: other for other in more}
            _same(f"notification {item.sequence} of {stream_id}", item, waiting.get(item.sequence))
        count += len(batch)
    return count


def _same(what: str, here: object, there: object) -> None:
    if here != there:
        raise EbbtideError(
            f"In the two stores, {what}: not the same.",
            "If something writes meanwhile, stop it; then give the command again.",
        )
