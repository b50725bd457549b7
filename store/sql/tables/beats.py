"""The tables of the catalogue of beats, for what InfluxDB does not guarantee: no duplicates, order,
erasure.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from store.sql.tables.records import Base

_ID = String(36)


class StreamRow(Base):
    """A stream of beats. Its row is locked while something is appended to it."""

    __tablename__ = "beat_streams"

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    subject_id: Mapped[str] = mapped_column(_ID, index=True)
    origin: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(300))
    created_ns: Mapped[int] = mapped_column(BigInteger)
    ticks_per_second: Mapped[int]


class RunRow(Base):
    """A run of notifications without a hole; InfluxDB has acknowledged its points."""

    __tablename__ = "beat_runs"

    stream_id: Mapped[str] = mapped_column(
        ForeignKey("beat_streams.id", ondelete="CASCADE"), primary_key=True
    )
    first_sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    beats: Mapped[int]
    start_ns: Mapped[int | None] = mapped_column(BigInteger)
    end_ns: Mapped[int | None] = mapped_column(BigInteger)
    kept_ns: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    rates: Mapped[int] = mapped_column(default=0, server_default="0")
    rates_start_ns: Mapped[int | None] = mapped_column(BigInteger)
    rates_end_ns: Mapped[int | None] = mapped_column(BigInteger)


class GapRow(Base):
    """A time without beats."""

    __tablename__ = "beat_gaps"

    stream_id: Mapped[str] = mapped_column(
        ForeignKey("beat_streams.id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    start_ns: Mapped[int] = mapped_column(BigInteger)
    end_ns: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(40))


class MovementDayRow(Base):
    """How many spans of movement InfluxDB has of a UTC day of a stream."""

    __tablename__ = "movement_days"

    stream_id: Mapped[str] = mapped_column(
        ForeignKey("beat_streams.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    spans: Mapped[int]


class WindowDayRow(Base):
    """The five-minute windows of a day, and the fingerprint of what they were computed from.
    InfluxDB has them too, for other programs; from here a year is read in a twentieth of the time.
    """

    __tablename__ = "window_days"

    subject_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    method: Mapped[str] = mapped_column(String(300), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[str] = mapped_column(String(64))
    block: Mapped[bytes]


class RemovedStreamRow(Base):
    """A stream that its person removed, and which is refused."""

    __tablename__ = "removed_streams"

    stream_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    subject_id: Mapped[str] = mapped_column(_ID, index=True)
    removed_ns: Mapped[int] = mapped_column(BigInteger)
    start_ns: Mapped[int | None] = mapped_column(BigInteger)
    end_ns: Mapped[int | None] = mapped_column(BigInteger)


class GenerationRow(Base):
    """The one row of which state of the store of beats this is."""

    __tablename__ = "store_generation"

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(_ID)
    counter: Mapped[int] = mapped_column(BigInteger)
    covered: Mapped[int] = mapped_column(BigInteger)


class ErasedRow(Base):
    """A subject that was erased, and is refused."""

    __tablename__ = "erased_subjects"

    subject_id: Mapped[str] = mapped_column(_ID, primary_key=True)


class BeatPlaceRow(Base):
    """On which InfluxDB server the beats of a subject lie; without a row, on the one named main.

    ``epoch`` rises whenever ``server`` changes. ``target``: where they are being copied to, by the
    process that has ``mover``. ``cleaning``: where they lay before, until they are deleted there.
    """

    __tablename__ = "beat_places"

    subject_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    server: Mapped[str] = mapped_column(String(30), index=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    target: Mapped[str | None] = mapped_column(String(30))
    mover: Mapped[str | None] = mapped_column(_ID)
    cleaning: Mapped[str | None] = mapped_column(String(30))


class DrainedServerRow(Base):
    """An InfluxDB server that takes no new people, since it is to be taken away."""

    __tablename__ = "drained_servers"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
