"""The tables of prompts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base

_ID = String(36)
_HASH = String(64)


class ReminderPlanRow(Base):
    """When and how a person wishes to be asked. Its lock is the lock of the person's prompts."""

    __tablename__ = "reminder_plans"

    person_id: Mapped[str] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    seed: Mapped[str] = mapped_column(_HASH)
    body: Mapped[str] = mapped_column(Text)
    zone: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool]
    push: Mapped[bool]
    mail: Mapped[bool]
    desktop: Mapped[bool]
    shows_words: Mapped[bool]
    calendar_hash: Mapped[str | None] = mapped_column(_HASH, unique=True)
    version: Mapped[int]
    changed_ns: Mapped[int] = mapped_column(BigInteger)
    planned_through: Mapped[str | None] = mapped_column(String(10))
    next_ns: Mapped[int] = mapped_column(BigInteger, index=True)
    by_heart: Mapped[bool] = mapped_column(server_default=false())


class PromptRow(Base):
    """One time at which a person is asked, and what became of it."""

    __tablename__ = "prompts"
    __table_args__ = (
        UniqueConstraint("person_id", "slot", name="prompt_of_slot"),
        Index("prompts_of_person", "person_id", "planned_ns"),
        Index("prompts_of_state", "person_id", "state", "due_ns"),
    )

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    slot: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(20))
    planned_ns: Mapped[int] = mapped_column(BigInteger)
    zone: Mapped[str] = mapped_column(String(64))
    chance: Mapped[float] = mapped_column(Float)
    plan_version: Mapped[int]
    due_ns: Mapped[int] = mapped_column(BigInteger)
    expires_ns: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))
    skip_reason: Mapped[str | None] = mapped_column(String(100))
    attempts: Mapped[int]
    leased_until_ns: Mapped[int] = mapped_column(BigInteger)
    ways_tried: Mapped[str] = mapped_column(String(100))
    ways: Mapped[str] = mapped_column(String(100))
    receipt_hash: Mapped[str | None] = mapped_column(_HASH, unique=True)
    sent_ns: Mapped[int | None] = mapped_column(BigInteger)
    delivered_ns: Mapped[int | None] = mapped_column(BigInteger)
    opened_ns: Mapped[int | None] = mapped_column(BigInteger)
    answered_ns: Mapped[int | None] = mapped_column(BigInteger)
    let_go_ns: Mapped[int | None] = mapped_column(BigInteger)
    put_off_ns: Mapped[int | None] = mapped_column(BigInteger)
    simulated: Mapped[bool]
    asks: Mapped[str] = mapped_column(String(10), default="both", server_default="both")


class PushSubscriptionRow(Base):
    """A browser that shows notifications."""

    __tablename__ = "push_subscriptions"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    endpoint: Mapped[str] = mapped_column(Text, unique=True)
    p256dh: Mapped[str] = mapped_column(String(120))
    auth: Mapped[str] = mapped_column(String(40))
    created_ns: Mapped[int] = mapped_column(BigInteger)
    token_id: Mapped[str | None] = mapped_column(_ID)
    name: Mapped[str] = mapped_column(String(200))


class ServerKeyRow(Base):
    """A secret key of the service, such as the one that signs pushes."""

    __tablename__ = "server_keys"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    created_ns: Mapped[int] = mapped_column(BigInteger)
