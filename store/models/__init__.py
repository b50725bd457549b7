"""What the stores take and return: frozen dataclasses and enums, without any engine."""

from store.models.access import (
    AccessLogEntry,
    AccessToken,
    Attempts,
    FhirExport,
    IdempotentResponse,
    OneTimePurpose,
    OneTimeToken,
    Pseudonym,
    Scope,
    TokenKind,
)
from store.models.beats import Beats, DailyWindows, PlacedGap, StreamCoverage
from store.models.imports import (
    ImportedHeartRate,
    ImportedRating,
    ImportOutcome,
    ImportResult,
)
from store.models.programme import (
    Note,
    NoteKind,
    Practice,
    PracticeKind,
    Programme,
    SessionNotes,
)
from store.models.records import (
    AuditLine,
    Consent,
    Person,
    Purpose,
    Rating,
    Role,
    StoredReport,
    TherapySession,
)

__all__ = [
    "AccessLogEntry",
    "AccessToken",
    "Attempts",
    "AuditLine",
    "Beats",
    "Consent",
    "DailyWindows",
    "FhirExport",
    "IdempotentResponse",
    "ImportOutcome",
    "ImportResult",
    "ImportedHeartRate",
    "ImportedRating",
    "Note",
    "NoteKind",
    "OneTimePurpose",
    "OneTimeToken",
    "Person",
    "PlacedGap",
    "Practice",
    "PracticeKind",
    "Programme",
    "Pseudonym",
    "Purpose",
    "Rating",
    "Role",
    "Scope",
    "SessionNotes",
    "StoredReport",
    "StreamCoverage",
    "TherapySession",
    "TokenKind",
]
