"""The tables of what comes from other systems."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base

_ID = String(36)


class HeartRateRow(Base):
    """A heart rate of another system, without intervals."""

    __tablename__ = "heart_rates"
    __table_args__ = (Index("heart_rates_of_person", "person_id", "time_ns", "id"),)

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    time_ns: Mapped[int] = mapped_column(BigInteger)
    bpm: Mapped[float] = mapped_column(Float(53))
    device: Mapped[str] = mapped_column(String(300))
    simulated: Mapped[bool]
    modality: Mapped[str | None] = mapped_column(String(20))
    activity: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20))
    issued_ns: Mapped[int | None] = mapped_column(BigInteger)
    identifiers: Mapped[str | None] = mapped_column(Text)
    entered_ns: Mapped[int] = mapped_column(BigInteger)


class ImportedIdentifierRow(Base):
    """An identifier of the sender, as "system|value", and the record that has it."""

    __tablename__ = "imported_identifiers"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    identifier: Mapped[str] = mapped_column(String(500), primary_key=True)
    record_id: Mapped[str] = mapped_column(_ID)


class RatingPartRow(Base):
    """A part of a rating of another system, as JSON, that waits for pain or stress."""

    __tablename__ = "rating_parts"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)
