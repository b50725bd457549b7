"""The tables of the records store."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    false,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_ID = String(36)


class Base(DeclarativeBase):
    """All tables of people and what they enter."""


class PersonRow(Base):
    """An account."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    subject_id: Mapped[str] = mapped_column(_ID, unique=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    zone: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(20))
    simulated: Mapped[bool]
    password_hash: Mapped[str] = mapped_column(String(255))
    created_ns: Mapped[int] = mapped_column(BigInteger)
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    language: Mapped[str] = mapped_column(String(10), default="", server_default="")


class AccessTokenRow(Base):
    """An access token; only its hash is stored."""

    __tablename__ = "sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    created_ns: Mapped[int] = mapped_column(BigInteger)
    expires_ns: Mapped[int] = mapped_column(BigInteger)
    id: Mapped[str] = mapped_column(_ID, unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[str] = mapped_column(String(200))
    used_ns: Mapped[int] = mapped_column(BigInteger)
    idle_ns: Mapped[int] = mapped_column(BigInteger)
    second_factor: Mapped[bool] = mapped_column(default=False, server_default=false())
    verified_ns: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class RatingRow(Base):
    """One version of one rating. ``superseded`` is true once a correction exists."""

    __tablename__ = "ratings"
    __table_args__ = (
        CheckConstraint("pain BETWEEN 0 AND 10"),
        CheckConstraint("stress BETWEEN 0 AND 10"),
        CheckConstraint("pleasant BETWEEN 0 AND 10"),
        CheckConstraint("pain IS NOT NULL OR stress IS NOT NULL", name="rating_of_something"),
        Index("ratings_of_person", "person_id", "about_ns"),
    )

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    about_ns: Mapped[int] = mapped_column(BigInteger)
    entered_ns: Mapped[int] = mapped_column(BigInteger)
    zone: Mapped[str] = mapped_column(String(64))
    pain: Mapped[int | None]
    stress: Mapped[int | None]
    pleasant: Mapped[int | None]
    simulated: Mapped[bool]
    superseded: Mapped[bool] = mapped_column(default=False)
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())
    note: Mapped[str | None] = mapped_column(String(500))
    pleasant_note: Mapped[str | None] = mapped_column(String(500))
    imported: Mapped[bool] = mapped_column(default=False, server_default=false())
    status: Mapped[str | None] = mapped_column(String(20))
    issued_ns: Mapped[int | None] = mapped_column(BigInteger)
    identifiers: Mapped[str | None] = mapped_column(Text)
    prompt_id: Mapped[str | None] = mapped_column(_ID)


class ConsentRow(Base):
    """One answer to whether a person agrees to something; nothing is overwritten."""

    __tablename__ = "consents"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    purpose: Mapped[str] = mapped_column(String(20))
    given: Mapped[bool]
    wording: Mapped[str] = mapped_column(String(64))
    at_ns: Mapped[int] = mapped_column(BigInteger)
    until_ns: Mapped[int | None] = mapped_column(BigInteger)


class ReportRow(Base):
    """A computed report, with the fingerprint of what it was computed from."""

    __tablename__ = "reports"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    fingerprint: Mapped[str] = mapped_column("content", String(64))
    body: Mapped[str] = mapped_column(Text)


class AuditRow(Base):
    """What an operator did, without any health data; it outlives those it is about."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at_ns: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(_ID)


class SessionRow(Base):
    """A therapy session."""

    __tablename__ = "therapy_sessions"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(_ID, unique=True)
    held_ns: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    changed_ns: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
