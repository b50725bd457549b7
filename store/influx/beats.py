"""Store beats on InfluxDB servers, with a catalogue in an SQL database for what they cannot
guarantee, and for which server has whom.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import Activity, Gap, GapReason, Notification, Stream
from ebbtide.timestamps import DAY, FOREVER
from store.encoding.assemble import (
    StreamPart,
    merge_rates,
    merge_streams,
    stream_part,
    without_contact,
)
from store.encoding.runs import Run, plan_append
from store.errors import DamagedStoreError, StoreUnavailableError
from store.influx import line_protocol as lines
from store.influx.placed_points import PlacedPoints
from store.influx.points import (
    delete_points,
    delete_subject,
    of_stream,
    of_subject,
    on_days,
)
from store.models.beats import (
    Beats,
    DailyWindows,
    PlacedGap,
    Rates,
    RemovedStream,
    StoreGeneration,
    StreamCoverage,
)
from store.protocols.beats import BeatStore


class InfluxBeatStore(PlacedPoints, BeatStore):
    """A BeatStore on one or several InfluxDB servers, of which each subject is on one.

    An upload locks its stream in the catalogue, writes its points, then notes the run. If anything
    stops in between, nothing was acknowledged, and the same points are written again.
    """

    def close(self) -> None:
        """Close the connections."""
        self.servers.close()
        self._catalogue.close()

    def check(self) -> None:
        """Raise if the catalogue, or every server, does not answer."""
        self._catalogue.check()
        if len(self.servers.names) == 1:
            self.servers.all()[0].check()
        elif all(self.servers.states().values()):
            raise StoreUnavailableError(
                "No InfluxDB server answers.", "Are they running, and is there room?"
            )

    def server_states(self) -> dict[str, str | None]:
        """What each of several servers says now; see BeatStore."""
        return self.servers.states() if len(self.servers.names) > 1 else {}

    def put_stream(self, subject_id: str, stream: Stream) -> None:
        """Register a stream. Idempotent."""
        # Nobody new on a server that is away, unless all are.
        servers = self.servers.answering() or self.servers.names
        self._catalogue.put_stream(subject_id, stream, servers)

    def append(
        self,
        subject_id: str,
        stream_id: str,
        notifications: Sequence[Notification],
        gaps: Sequence[Gap] = (),
    ) -> int:
        """Store a run of notifications; see BeatStore."""
        with self._appending(subject_id, stream_id) as (stream, server):
            plan = plan_append(stream_id, notifications, gaps, stream.stored_runs(notifications))
            server.write(lines.beat_lines(subject_id, stream_id, plan.notifications))
            stream.add(plan)
            return stream.acknowledged()

    def append_activity(self, subject_id: str, stream_id: str, spans: Sequence[Activity]) -> None:
        """Store how much the wearer moved; see BeatStore."""
        with self._appending(subject_id, stream_id) as (stream, server):
            first = min(span.start_ns for span in spans)
            last = max(span.start_ns for span in spans)
            stored = {
                row[0]
                for row in server.rows(
                    f"SELECT mad_mg FROM {lines.MOVEMENT}"
                    f" WHERE {of_stream(subject_id, stream_id)}"
                    f" AND time >= {first} AND time <= {last}"
                )
            }
            fresh: dict[int, Activity] = {}
            for span in spans:
                if span.start_ns not in stored:
                    fresh.setdefault(span.start_ns, span)
            server.write(lines.movement_lines(subject_id, stream_id, fresh.values()))
            stream.add_movement(Counter(start // DAY for start in fresh))

    def activity(self, subject_id: str, start_ns: int, end_ns: int) -> list[Activity]:
        """List the spans of the range, by time; see BeatStore."""
        largest: dict[int, float] = {}
        streams = self._catalogue.movement_streams(subject_id, start_ns // DAY, end_ns // DAY)
        for stream_id in streams:
            for span in self._movement(subject_id, stream_id, start_ns, end_ns):
                largest[span.start_ns] = max(span.mad_mg, largest.get(span.start_ns, 0.0))
        return [Activity(start, largest[start]) for start in sorted(largest)]

    def stream_activity(self, subject_id: str, stream_id: str) -> list[Activity]:
        """List all movement of one stream, by time."""
        return self._movement(subject_id, stream_id, *FOREVER)

    def _movement(
        self, subject_id: str, stream_id: str, start_ns: int, end_ns: int
    ) -> list[Activity]:
        rows = self._rows(
            subject_id,
            f"SELECT mad_mg FROM {lines.MOVEMENT} WHERE {of_stream(subject_id, stream_id)}"
            f" AND time >= {start_ns} AND time < {end_ns}",
        )
        return [Activity(int(start), float(mad)) for start, mad in rows]

    def read(self, subject_id: str, start_ns: int, end_ns: int) -> Beats:
        """Read the beats of the range, by time; see BeatStore. Raises DamagedStoreError when
        InfluxDB lacks beats that it acknowledged.
        """
        found = self._catalogue.runs(subject_id, start_ns, end_ns)
        parts: list[StreamPart] = []
        off: dict[str, list[tuple[int, int]]] = {}
        for placed in self._catalogue.gaps(subject_id, start_ns, end_ns):
            if placed.gap.reason is GapReason.OFF_THE_CLOCK:
                span = (placed.gap.start_ns, placed.gap.end_ns)
                off.setdefault(placed.stream_id, []).append(span)
        for index, (stream, runs, gaps) in enumerate(found):
            # Whole runs are read, since the catalogue has their number of beats to compare with.
            stored = self._columns(subject_id, stream.id, runs, ("rr_ticks", "sequence", "contact"))
            parts.append(
                stream_part(
                    index,
                    stream,
                    [(run.first, run.last) for run in runs],
                    gaps,
                    stored["time"],
                    stored["rr_ticks"].astype(np.int32),
                    without_contact(
                        stored["contact"].astype(np.int8), stored["time"], off.get(stream.id, ())
                    ),
                    stored["sequence"],
                    (start_ns, end_ns),
                )
            )
        return merge_streams(tuple(stream for stream, _, _ in found), parts)

    def _columns(
        self, subject_id: str, stream_id: str, runs: Sequence[Run], names: Sequence[str]
    ) -> dict[str, NDArray[Any]]:
        """Points of whole runs, by time, counted."""
        start = min(run.start_ns for run in runs if run.start_ns is not None)
        end = max(run.end_ns for run in runs if run.end_ns is not None)
        quoted = ", ".join(f'"{name}"' for name in names)
        found = self._columns_of(
            subject_id,
            f"SELECT {quoted} FROM {lines.BEATS} WHERE {of_stream(subject_id, stream_id)}"
            f" AND time >= {start} AND time < {end}",
            ("time", *names),
        )
        # Points of an upload that is not acknowledged yet are there, and do not count.
        firsts = np.array([run.first for run in runs])
        lasts = np.array([run.last for run in runs])
        place = np.maximum(np.searchsorted(firsts, found["sequence"], side="right") - 1, 0)
        inside = (found["sequence"] >= firsts[place]) & (found["sequence"] <= lasts[place])
        counts = np.bincount(place[inside], minlength=len(runs))
        for run, count in zip(runs, counts.tolist(), strict=True):
            if count != run.beats:
                raise DamagedStoreError(
                    f"Of {run.beats} beats of stream {stream_id}, notifications {run.first} to "
                    f"{run.last}, InfluxDB gave {count}.",
                    "Try again; if it stays so, restore InfluxDB from a backup.",
                )
        return {name: column[inside] for name, column in found.items()}

    def notifications(self, subject_id: str, stream_id: str, after: int) -> list[Notification]:
        """Return the next notifications, as they were sent; see BeatStore."""
        run = self._catalogue.next_run(subject_id, stream_id, after)
        if run is None:
            return []
        found: dict[int, Notification] = {}
        if run.beats:
            names = ("rr_ticks", "sequence", "contact", "heart_rate_bpm", "received_ns")
            for row in self._whole(subject_id, stream_id, run, (*names, "energy_kj")):
                found[row.sequence] = row
        for row in self._without_rr(subject_id, stream_id, run):
            found[row.sequence] = row
        if len(found) != run.last - run.first + 1:
            raise DamagedStoreError(
                f"Notifications {run.first} to {run.last} of stream {stream_id} are not all there.",
                "Restore InfluxDB from a backup.",
            )
        return [found[number] for number in range(max(run.first, after + 1), run.last + 1)]

    def _whole(
        self, subject_id: str, stream_id: str, run: Run, names: Sequence[str]
    ) -> Iterator[Notification]:
        rows = self._rows(
            subject_id,
            f"SELECT {', '.join(names)} FROM {lines.BEATS} WHERE {of_stream(subject_id, stream_id)}"
            f" AND time >= {run.start_ns} AND time < {run.end_ns}",
        )
        said: dict[int, list[list[Any]]] = {}
        for row in rows:
            if run.first <= row[2] <= run.last:
                said.setdefault(row[2], []).append(row)
        if sum(len(beats) for beats in said.values()) != run.beats:
            raise DamagedStoreError(
                f"Stream {stream_id} lacks beats of {run.first} to {run.last}.",
                "Restore InfluxDB from a backup.",
            )
        for sequence, beats in said.items():
            _, _, _, contact, rate, received, energy = beats[0]
            yield Notification(
                sequence,
                received,
                rate,
                tuple(row[1] for row in beats),
                tuple(row[0] for row in beats),
                _contact(contact),
                energy,
            )

    def _without_rr(self, subject_id: str, stream_id: str, run: Run) -> Iterator[Notification]:
        for row in self._rows(
            subject_id,
            "SELECT contact, heart_rate_bpm, received_ns, energy_kj"
            f" FROM {lines.WITHOUT_RR} WHERE {of_stream(subject_id, stream_id)}"
            f" AND time >= {run.first} AND time <= {run.last}",
        ):
            sequence, contact, rate, received, energy = row
            yield Notification(sequence, received, rate, (), (), _contact(contact), energy)

    def rates(self, subject_id: str, start_ns: int, end_ns: int) -> Rates:
        """Read the heart rates without intervals of the range, by time; see BeatStore."""
        found = self._catalogue.rate_runs(subject_id, start_ns, end_ns)
        parts = []
        for stream, runs in found:
            names = ("sequence", "contact", "heart_rate_bpm", "received_ns")
            quoted = ", ".join(f'"{name}"' for name in names)
            points = self._columns_of(
                subject_id,
                f"SELECT {quoted} FROM {lines.WITHOUT_RR} WHERE {of_stream(subject_id, stream.id)}"
                f" AND time >= {runs[0].first} AND time <= {runs[-1].last}",
                ("time", *names),
            )
            # Points of an upload that is not acknowledged yet do not count.
            place = np.searchsorted([run.first for run in runs], points["sequence"], "right") - 1
            lasts = np.array([run.last for run in runs])
            which = (place >= 0) & (points["sequence"] <= lasts[np.maximum(place, 0)])
            which &= (points["heart_rate_bpm"] > 0) & (points["contact"] != 0)
            received = points["received_ns"]
            which &= (received >= start_ns) & (received < end_ns)
            parts.append((received[which], points["heart_rate_bpm"][which].astype(np.float64)))
        return merge_rates(tuple(stream for stream, _ in found), parts)

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """List the gaps that touch the range, by start."""
        return self._catalogue.gaps(subject_id, start_ns, end_ns)

    def coverage(self, subject_id: str) -> list[StreamCoverage]:
        """List what is stored of each stream, oldest first."""
        return self._catalogue.coverage(subject_id)

    def day_fingerprints(self, subject_id: str, start_ns: int, end_ns: int) -> dict[int, str]:
        """Return the fingerprint of each day; see BeatStore."""
        return self._catalogue.day_fingerprints(subject_id, start_ns, end_ns)

    def changed_days(self, subject_id: str, since_ns: int) -> list[int]:
        """List the UTC days to which something was added from then on; see BeatStore."""
        return self._catalogue.changed_days(subject_id, since_ns)

    def stored_windows(
        self, subject_id: str, method: str, names: Sequence[str], first_day: int, last_day: int
    ) -> dict[int, DailyWindows]:
        """Read the windows of each day; see BeatStore."""
        return self._catalogue.windows.read(subject_id, method, names, first_day, last_day)

    def stored_fingerprints(
        self, subject_id: str, method: str, first_day: int, last_day: int
    ) -> dict[int, str]:
        """Return the fingerprints of the stored windows of each day; see BeatStore."""
        return self._catalogue.windows.fingerprints(subject_id, method, first_day, last_day)

    def store_windows(self, subject_id: str, method: str, days: Mapping[int, DailyWindows]) -> None:
        """Store the windows of days; see BeatStore."""
        tag = _tag(method)
        with self._catalogue.windows.replacing(subject_id, method, days) as name:
            if name is None:
                return
            server = self.servers.get(name)
            theirs = of_subject(subject_id)
            stored = server.rows(
                f'SELECT "window" FROM {lines.WINDOWS}'
                f" WHERE {theirs} AND {on_days(min(days), max(days))}"
            )
            # InfluxDB merges a new point into the old one: metrics that the new one lacks would
            # stay.
            for day in {row[0] // DAY for row in stored} & set(days):
                delete_points(server, lines.WINDOWS, f"{theirs} AND {on_days(day, day)}")
            server.write(
                line
                for windows in days.values()
                for line in lines.window_lines(subject_id, tag, windows.start_ns, windows.metrics)
            )

    def subjects(self) -> list[str]:
        """List all subjects with a stream."""
        return self._catalogue.subjects()

    def orphan_subjects(self) -> list[str]:
        """List the subjects of whom a server that answers has points, and the catalogue no stream.
        Raises StoreUnavailableError where none answers.
        """
        registered = set(self._catalogue.subjects())
        return sorted({subject for _, subject in self._points_of(lambda _, s: s not in registered)})

    def stray_points(self) -> list[tuple[str, str]]:
        """List the servers with points of a subject who is on another; see BeatStore."""
        if len(self.servers.names) == 1:
            return []
        places = {item.subject_id: item.place for item in self._catalogue.places.residents()}
        return self._points_of(
            lambda name, subject: subject in places and name not in places[subject].servers
        )

    def erased(self) -> list[str]:
        """List all erased subjects."""
        return self._catalogue.erased()

    @property
    def can_erase(self) -> bool:
        """Whether the servers can delete rows."""
        return all(server.can_erase for server in self.servers.all())

    def erase(self, subject_id: str) -> int:
        """Delete every point of the subject; see BeatStore. Raises DamagedStoreError when points
        can still be read.
        """
        beats = self._catalogue.erase(subject_id)
        # Of those of whom nothing is noted (any more), a restored server may have points again.
        place = self._catalogue.places.find(subject_id)
        names = self.servers.names if place is None else place.servers
        for name in names:
            delete_subject(self.servers.get(name), subject_id)
        if place is not None:
            self._catalogue.places.forget(subject_id)
        return beats

    def purge(self) -> list[str]:
        """Say what is left to InfluxDB, which compacts by itself; see BeatStore. The catalogue is
        in the SQL database, which overwrites its own.
        """
        if not self.can_erase:
            return ["This InfluxDB cannot delete rows: beats stay in it, under a random id."]
        return [
            "InfluxDB answers with none of the beats any more, and writes its files without them "
            "when it compacts their shards next: after compact-full-write-cold-duration (4 h by "
            "default) without a write to that week. Its index holds the random id for longer."
        ]

    def remove_stream(self, subject_id: str, stream_id: str, at_ns: int) -> int:
        """Delete one stream from the catalogue, then its points; see BeatStore."""
        beats = self._catalogue.generations.remove_stream(subject_id, stream_id, at_ns)
        removed = {item.stream_id: item for item in self.removed_streams(subject_id)}[stream_id]
        # While the subject is moved, its points are on two servers; the last step of the move
        # deletes what was copied meanwhile.
        for name in self._catalogue.places.get(subject_id).servers:
            server = self.servers.get(name)
            for measurement in (lines.BEATS, lines.WITHOUT_RR, lines.MOVEMENT):
                delete_points(server, measurement, of_stream(subject_id, stream_id))
            if removed.start_ns is not None and removed.end_ns is not None:
                days = on_days(removed.start_ns // DAY, removed.end_ns // DAY)
                delete_points(server, lines.WINDOWS, f"{of_subject(subject_id)} AND {days}")
        return beats

    def removed_streams(self, subject_id: str) -> list[RemovedStream]:
        """List the streams that the subject removed; see BeatStore."""
        return self._catalogue.generations.removed_streams(subject_id)

    def readmit_stream(self, subject_id: str, stream_id: str) -> None:
        """Take a stream that was removed again; see BeatStore."""
        self._catalogue.generations.readmit_stream(subject_id, stream_id)

    def generation(self) -> StoreGeneration:
        """Return which state of the store this is."""
        return self._catalogue.generations.read()

    def begin_backup(self) -> int:
        """Raise the counter of the generation; see BeatStore."""
        return self._catalogue.generations.begin_backup()

    def finish_backup(self, covered: int) -> None:
        """Note that a backup is finished; see BeatStore."""
        self._catalogue.generations.finish_backup(covered)

    def renew_generation(self) -> None:
        """Give the generation a new id; see BeatStore."""
        self._catalogue.generations.renew()


def _contact(stored: int) -> bool | None:
    return None if stored < 0 else bool(stored)


def _tag(method: str) -> str:
    """A method as a tag: its name is long, and has spaces."""
    return hashlib.sha256(method.encode()).hexdigest()[:12]
