"""The table of nights that watches and rings measured."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base


class NightRow(Base):
    """One night of one source of a person."""

    __tablename__ = "nights"
    __table_args__ = (Index("nights_of_person", "person_id", "day"),)

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    source: Mapped[str] = mapped_column(String(120), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    start_ns: Mapped[int] = mapped_column(BigInteger)
    end_ns: Mapped[int] = mapped_column(BigInteger)
    offset_s: Mapped[int]
    basis: Mapped[str] = mapped_column(String(30))
    rmssd_ms: Mapped[float | None] = mapped_column(Float)
    sdnn_ms: Mapped[float | None] = mapped_column(Float)
    mean_hr_bpm: Mapped[float | None] = mapped_column(Float)
    low_quarter_hr_bpm: Mapped[float | None] = mapped_column(Float)
    windows: Mapped[int]
    steps: Mapped[int]
    readings: Mapped[str] = mapped_column(Text)
    missing_reason: Mapped[str | None] = mapped_column(String(200))
    stored_ns: Mapped[int] = mapped_column(BigInteger)
