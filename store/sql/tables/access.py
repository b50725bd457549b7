"""The tables of who may do what, and who did."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base

_ID = String(36)
_HASH = String(64)
STORAGE_KEY_BYTES = 32  # 256 bits


class OneTimeTokenRow(Base):
    """A token that can be used once."""

    __tablename__ = "one_time"

    token_hash: Mapped[str] = mapped_column(_HASH, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[str] = mapped_column(Text)
    created_ns: Mapped[int] = mapped_column(BigInteger)
    expires_ns: Mapped[int] = mapped_column(BigInteger)
    issuer_id: Mapped[str | None] = mapped_column(_ID, index=True)


class ErasedTokenRow(Base):
    """The hash of a token of somebody who was erased: whoever holds it is told so, and not only
    that it is not valid. It does not say whose it was.
    """

    __tablename__ = "erased_tokens"

    token_hash: Mapped[str] = mapped_column(_HASH, primary_key=True)
    expires_ns: Mapped[int] = mapped_column(BigInteger)


class CareRow(Base):
    """A patient in a therapist's care."""

    __tablename__ = "care"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    therapist_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    since_ns: Mapped[int] = mapped_column(BigInteger)


class CareProposalRow(Base):
    """A patient whom a therapist may have in their care as soon as the patient agrees."""

    __tablename__ = "care_proposals"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    therapist_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    proposer_id: Mapped[str] = mapped_column(_ID)
    at_ns: Mapped[int] = mapped_column(BigInteger)


class AccessLogRow(Base):
    """Another person read something of a person."""

    __tablename__ = "looks"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    actor_id: Mapped[str] = mapped_column(_ID)
    actor_role: Mapped[str] = mapped_column(String(20))
    at_ns: Mapped[int] = mapped_column(BigInteger)
    what: Mapped[str] = mapped_column(String(200))


class AttemptsRow(Base):
    """Attempts to sign in that were not right; the key is a hash."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(_HASH, primary_key=True)
    failures: Mapped[int]
    since_ns: Mapped[int] = mapped_column(BigInteger)
    next_ns: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class RequestCountRow(Base):
    """Requests of one account or address in a minute, and in the minute before."""

    __tablename__ = "request_counts"

    key: Mapped[str] = mapped_column(_HASH, primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, index=True)
    count: Mapped[int]
    previous: Mapped[int]


class ExportPinRow(Base):
    """With which file a reading of an export by ranges began; the keys are hashes."""

    __tablename__ = "export_pins"

    reader: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    began_ns: Mapped[int] = mapped_column(BigInteger)
    used_ns: Mapped[int] = mapped_column(BigInteger, index=True)


class KnownDeviceRow(Base):
    """A device that a person has signed in with; only the hash of its secret is stored."""

    __tablename__ = "known_devices"

    device_hash: Mapped[str] = mapped_column(_HASH, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    created_ns: Mapped[int] = mapped_column(BigInteger)
    expires_ns: Mapped[int] = mapped_column(BigInteger)


class StorageKeyRow(Base):
    """With what a person's phones encrypt what they hold of them, in hexadecimal. A patient's is
    made with the account: a backup without it would cost what phones hold when it is restored.
    """

    __tablename__ = "storage_keys"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[str] = mapped_column(_HASH)
    created_ns: Mapped[int] = mapped_column(BigInteger)


class IdempotentResponseRow(Base):
    """The response to a request with an idempotency key (of which a hash is stored)."""

    __tablename__ = "answers"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(_HASH, primary_key=True)
    request_hash: Mapped[str] = mapped_column(_HASH)
    at_ns: Mapped[int] = mapped_column(BigInteger, index=True)
    status: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    about_id: Mapped[str | None] = mapped_column(_ID, index=True)


class ResearchSecretRow(Base):
    """What analysts' pseudonyms and moved dates are made from, in hexadecimal. One row."""

    __tablename__ = "research_secret"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    secret: Mapped[str] = mapped_column(_HASH)


class CohortMemberRow(Base):
    """A person whose data analysts may see, and when they entered the cohort."""

    __tablename__ = "cohort_members"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    at_ns: Mapped[int] = mapped_column(BigInteger)


class LiveShareRow(Base):
    """Until when therapists may watch a person live."""

    __tablename__ = "live_shares"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    until_ns: Mapped[int] = mapped_column(BigInteger)


class FhirExportRow(Base):
    """An export of FHIR resources that an analyst began."""

    __tablename__ = "fhir_exports"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    request: Mapped[str] = mapped_column(Text)
    types: Mapped[str] = mapped_column(String(200))
    created_ns: Mapped[int] = mapped_column(BigInteger)
