"""The tables of offers by lot."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base

_ID = String(36)
_HASH = String(64)


class OfferPlanRow(Base):
    """Offers by lot that a person agreed to, or that a therapist proposes."""

    __tablename__ = "offer_plans"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seed: Mapped[str] = mapped_column(_HASH)
    arms: Mapped[str] = mapped_column(String(200))
    base_probability: Mapped[float] = mapped_column(Float)
    delay_min: Mapped[int]
    first_days: Mapped[int]
    start_min: Mapped[int]
    end_min: Mapped[int]
    created_ns: Mapped[int] = mapped_column(BigInteger)
    proposed_by: Mapped[str | None] = mapped_column(_ID)
    wording: Mapped[str] = mapped_column(String(40))
    agreed_ns: Mapped[int | None] = mapped_column(BigInteger)
    first_day: Mapped[str | None] = mapped_column(String(10))
    quiet_until_ns: Mapped[int] = mapped_column(BigInteger)
    ended_ns: Mapped[int | None] = mapped_column(BigInteger)
    ended_why: Mapped[str | None] = mapped_column(String(100))
    times: Mapped[str] = mapped_column(String(60), server_default="")


class DecisionPointRow(Base):
    """A moment at which chance decides whether a practice is offered."""

    __tablename__ = "decision_points"
    __table_args__ = (
        UniqueConstraint("person_id", "prompt_id", name="point_of_prompt"),
        Index("points_of_person", "person_id", "planned_ns"),
    )

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    plan_number: Mapped[int]
    prompt_id: Mapped[str] = mapped_column(_ID)
    planned_ns: Mapped[int] = mapped_column(BigInteger)
    zone: Mapped[str] = mapped_column(String(64))
    block: Mapped[str] = mapped_column(String(60))
    base_probability: Mapped[float] = mapped_column(Float)
    arms: Mapped[str] = mapped_column(String(200))
    delay_min: Mapped[int]
    commitment: Mapped[str] = mapped_column(_HASH)
    committed_ns: Mapped[int] = mapped_column(BigInteger)
    available: Mapped[bool | None]
    why_not: Mapped[str | None] = mapped_column(String(200))
    nonce: Mapped[str | None] = mapped_column(_HASH)
    probability: Mapped[float | None] = mapped_column(Float)
    offered: Mapped[bool | None]
    arm: Mapped[str | None] = mapped_column(String(40))
    drawn_ns: Mapped[int | None] = mapped_column(BigInteger)
    before_ns: Mapped[int | None] = mapped_column(BigInteger)
    after_prompt_id: Mapped[str | None] = mapped_column(_ID)
    shown_ns: Mapped[int | None] = mapped_column(BigInteger)
    declined_ns: Mapped[int | None] = mapped_column(BigInteger)
    simulated: Mapped[bool]
