"""Records as rows and back: every pair that the SQL stores have."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import DeclarativeBase

from ebbtide.beats import Gap, GapReason, Origin, Stream
from store.models import (
    AccessLogEntry,
    AccessToken,
    Attempts,
    AuditLine,
    Consent,
    FhirExport,
    IdempotentResponse,
    ImportedHeartRate,
    Message,
    Note,
    NoteKind,
    OneTimePurpose,
    OneTimeToken,
    Person,
    Practice,
    PracticeKind,
    Programme,
    Purpose,
    Rating,
    Role,
    Scope,
    SessionNotes,
    StoredReport,
    TherapySession,
    TokenKind,
)
from store.sql.rows import columns_of, from_row, from_values, to_row, to_values
from store.sql.tables import access, beats, imports, programme, records

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Each field has another value, so that two that are mixed up do not compare equal.
_PAIRS: list[tuple[type[DeclarativeBase], DataclassInstance]] = [
    (records.PersonRow, Person("i", "s", "e", "n", "z", Role.THERAPIST, True, "p", 7)),
    (
        records.RatingRow,
        Rating("i", 2, "p", 3, 4, "z", 5, 6, 7, True, True, "n", "pn"),
    ),
    (
        records.RatingRow,
        Rating(
            "i",
            1,
            "p",
            3,
            4,
            "z",
            5,
            6,
            None,
            False,
            imported=True,
            status="final",
            issued_ns=8,
            identifiers="[]",
        ),
    ),
    (
        imports.HeartRateRow,
        ImportedHeartRate("i", "p", 1, 61.4, "d", True, "m", "a", "s", 2, "[]", 3),
    ),
    (access.FhirExportRow, FhirExport("i", "p", "r", "t", 1)),
    (records.ConsentRow, Consent("p", Purpose.RESEARCH, True, "w", 1, 2)),
    (records.ConsentRow, Consent("p", Purpose.CARE, False, "w", 1, None)),
    (records.ReportRow, StoredReport("p", "k", "c", "b")),
    (records.AuditRow, AuditLine(1, "a", "s")),
    (records.SessionRow, TherapySession("i", "p", 1, 2, 3, 4)),
    (
        records.AccessTokenRow,
        AccessToken(
            "h",
            "p",
            1,
            2,
            "i",
            TokenKind.SCRIPT,
            "n",
            frozenset({Scope.WRITE, Scope.READ}),
            3,
            4,
        ),
    ),
    (
        records.AccessTokenRow,
        AccessToken("h", "p", 1, 2, "i", TokenKind.DEVICE, "n", frozenset(), 3),
    ),
    (access.OneTimeTokenRow, OneTimeToken("h", OneTimePurpose.OIDC_STATE, None, "{}", 1, 2)),
    (access.AccessLogRow, AccessLogEntry("p", "a", "r", 1, "w")),
    (access.AttemptsRow, Attempts(1, 2)),
    (access.IdempotentResponseRow, IdempotentResponse("h", 1, 200, "{}")),
    (programme.ProgrammeRow, Programme("p", 1, None, 3)),
    (programme.NoteRow, Note("i", "p", NoteKind.HELPED, "w", 1, 2)),
    (
        programme.PracticeRow,
        Practice("i", "p", PracticeKind.BREATHING, 1, 2, 5.5, 3, 4, None, 6),
    ),
    (programme.MessageRow, Message("i", "p", "a", "w", 1, 2)),
    (programme.SessionNotesRow, SessionNotes("p", 1, "n", "h", "a", 2, 3)),
    (beats.StreamRow, Stream("i", Origin.FILE, "s", 1, 1000)),
    (beats.GapRow, Gap(1, 2, 3, GapReason.OFF_THE_CLOCK)),
]


@pytest.mark.parametrize(
    ("row_type", "record"), _PAIRS, ids=lambda part: getattr(part, "__name__", "")
)
def test_a_record_comes_back_from_its_row(
    row_type: type[DeclarativeBase], record: DataclassInstance
) -> None:
    row = to_row(row_type, record)
    back = from_row(type(record), row)
    assert back == record
    columns = columns_of(row_type, type(record))
    assert from_values(type(record), [getattr(row, column.key) for column in columns]) == record
    for field in fields(record):
        value = getattr(back, field.name)
        assert type(value) is type(getattr(record, field.name))
        stored = getattr(row, field.name)
        assert stored is None or type(stored) in (str, int, float, bool)


@pytest.mark.parametrize(
    ("row_type", "record"), _PAIRS, ids=lambda part: getattr(part, "__name__", "")
)
def test_every_field_has_a_column(
    row_type: type[DeclarativeBase], record: DataclassInstance
) -> None:
    names = [field.name for field in fields(record)]
    assert [column.key for column in columns_of(row_type, type(record))] == names
    assert set(to_values(record)) <= set(inspect(row_type).column_attrs.keys())


def test_scopes_are_stored_in_order() -> None:
    token = AccessToken("h", "p", 1, 2, "i", TokenKind.SCRIPT, "n", frozenset(Scope), 3)
    assert to_values(token)["scopes"] == "account read upload write"


def test_further_columns_are_set_and_not_read() -> None:
    consent = Consent("p", Purpose.CARE, True, "w", 1)
    row = to_row(records.ConsentRow, consent, number=4)
    assert row.number == 4
    assert from_row(Consent, row) == consent


def test_an_enum_value_that_is_not_defined_is_refused() -> None:
    row = to_row(programme.NoteRow, Note("i", "p", NoteKind.HELPED, "w", 1, 2))
    row.kind = "something else"
    with pytest.raises(ValueError, match="something else"):
        from_row(Note, row)


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        from_values(Programme, ["p"])


def test_a_field_that_no_column_holds_is_refused() -> None:
    @dataclass(frozen=True)
    class Nested:
        values: list[int]

    with pytest.raises(TypeError, match="values"):
        to_values(Nested([1]))
    with pytest.raises(TypeError, match="person_id"):
        to_row(records.AuditRow, Programme("p"))
