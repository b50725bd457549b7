"""The table of withdrawals of consent to keeping."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base


class WithdrawalRow(Base):
    """Consent to keeping that was taken back, and how far that is carried out."""

    __tablename__ = "withdrawals"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    withdrawn_ns: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    due_ns: Mapped[int] = mapped_column(BigInteger, index=True)
    begun_ns: Mapped[int | None] = mapped_column(BigInteger)
    done_ns: Mapped[int | None] = mapped_column(BigInteger)
    subject_id: Mapped[str | None] = mapped_column(String(36))
    beats: Mapped[int] = mapped_column(BigInteger, default=0)
    ratings: Mapped[int] = mapped_column(default=0)
    heart_rates: Mapped[int] = mapped_column(default=0)
    notes: Mapped[int] = mapped_column(default=0)
    practices: Mapped[int] = mapped_column(default=0)
    sessions: Mapped[int] = mapped_column(default=0)
    leased_until_ns: Mapped[int] = mapped_column(BigInteger, default=0)
