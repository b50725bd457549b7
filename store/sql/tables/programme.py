"""The tables of what a patient does in the programme."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base

_ID = String(36)


class ProgrammeRow(Base):
    """The progress of a person."""

    __tablename__ = "programmes"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    cleared_ns: Mapped[int | None] = mapped_column(BigInteger)
    started_ns: Mapped[int | None] = mapped_column(BigInteger)
    ratings_a_day: Mapped[int]


class NoteRow(Base):
    """A few words about a moment."""

    __tablename__ = "notes"
    __table_args__ = (Index("notes_of_person", "person_id", "about_ns"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(String(300))
    about_ns: Mapped[int] = mapped_column(BigInteger)
    entered_ns: Mapped[int] = mapped_column(BigInteger)


class PracticeRow(Base):
    """A guided practice."""

    __tablename__ = "practices"
    __table_args__ = (Index("practices_of_person", "person_id", "start_ns"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    start_ns: Mapped[int] = mapped_column(BigInteger)
    end_ns: Mapped[int] = mapped_column(BigInteger)
    breaths_per_min: Mapped[float | None] = mapped_column(Float)
    pain_before: Mapped[int | None]
    stress_before: Mapped[int | None]
    pain_after: Mapped[int | None]
    stress_after: Mapped[int | None]


class BaselineStartRow(Base):
    """A day on which the baseline of the stress index begins anew."""

    __tablename__ = "baseline_starts"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(String(20))
    entered_ns: Mapped[int] = mapped_column(BigInteger)


class IndexMethodRow(Base):
    """A version of the stress index's method that a person's values were made with."""

    __tablename__ = "index_methods"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since_ns: Mapped[int] = mapped_column(BigInteger)
    seen_ns: Mapped[int | None] = mapped_column(BigInteger)


class ReadingRow(Base):
    """A reading that was read."""

    __tablename__ = "readings"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    reading: Mapped[str] = mapped_column(String(40), primary_key=True)
    read_ns: Mapped[int] = mapped_column(BigInteger)


class MessageRow(Base):
    """A few words of a therapist to a patient."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_of_person", "person_id", "written_ns"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    author_id: Mapped[str] = mapped_column(_ID)
    words: Mapped[str] = mapped_column(String(500))
    written_ns: Mapped[int] = mapped_column(BigInteger)
    seen_ns: Mapped[int | None] = mapped_column(BigInteger)


class SessionNotesRow(Base):
    """A therapist's notes of a session, and homework."""

    __tablename__ = "session_notes"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    notes: Mapped[str] = mapped_column(Text)
    homework: Mapped[str] = mapped_column(Text)
    author_id: Mapped[str] = mapped_column(_ID)
    version: Mapped[int]
    changed_ns: Mapped[int] = mapped_column(BigInteger)


class QuestionnaireResponseRow(Base):
    """One version of the answers to a questionnaire."""

    __tablename__ = "questionnaire_responses"
    __table_args__ = (Index("questionnaire_responses_of_person", "person_id", "about_ns"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    questionnaire: Mapped[str] = mapped_column(String(40))
    definition_version: Mapped[int]
    language: Mapped[str] = mapped_column(String(10))
    answers: Mapped[str] = mapped_column(Text)
    about_ns: Mapped[int] = mapped_column(BigInteger)
    entered_ns: Mapped[int] = mapped_column(BigInteger)
    zone: Mapped[str] = mapped_column(String(64))
    occasion: Mapped[str] = mapped_column(String(20))
    planned_by: Mapped[str] = mapped_column(String(20))
    simulated: Mapped[bool]
    superseded: Mapped[bool] = mapped_column(default=False, server_default=false())
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())
    imported: Mapped[bool] = mapped_column(default=False, server_default=false())
