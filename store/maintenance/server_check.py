"""Check stores of any engine: integrity, no duplicates, no orphans."""

from __future__ import annotations

from collections.abc import Callable

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import FOREVER
from store.maintenance.sqlite_check import IntegrityReport
from store.models.beats import StreamCoverage
from store.protocols.beats import BeatStore
from store.protocols.records import RecordStore


def check_stores(
    beats: BeatStore, records: RecordStore, progress: Callable[[int, int], None] | None = None
) -> IntegrityReport:
    """Read every notification once. ``progress`` is called with streams done and in all."""
    found = IntegrityReport()
    people = records.people()
    found.people = len(people)
    found.ratings = sum(len(records.ratings(person.id, *FOREVER)) for person in people)
    subjects, erased = {person.subject_id for person in people}, set(beats.erased())
    covered = [(subject, item) for subject in beats.subjects() for item in beats.coverage(subject)]
    for subject in beats.orphan_subjects():
        who = "was erased" if subject in erased else "has no stream"
        found.problems.append(f"points of {subject}, who {who}")
    for server, subject in beats.stray_points():
        found.problems.append(f"points of {subject} on {server}, who is on another server")
    for done, (subject, item) in enumerate(covered, 1):
        if subject in erased:
            found.problems.append(f"stream {item.stream.id} is of somebody who was erased")
        elif subject not in subjects:
            found.problems.append(f"stream {item.stream.id} belongs to nobody")
        found.streams += 1
        _check_stream(beats, subject, item, found)
        if progress is not None:
            progress(done, len(covered))
    found.gaps = sum(len(beats.gaps(subject, *FOREVER)) for subject in beats.subjects())
    return found


def _check_stream(
    beats: BeatStore, subject: str, item: StreamCoverage, found: IntegrityReport
) -> None:
    stream, expected, last_ns, count = item.stream.id, 1, 0, 0
    try:
        after = 0
        # What comes meanwhile is not read: it could come faster than this reads.
        while after < item.last_sequence:
            batch = beats.notifications(subject, stream, after)
            if not batch:
                break
            after = batch[-1].sequence
            for one in batch:
                if one.sequence > expected:
                    missing = f"{expected} to {one.sequence - 1}"
                    found.waiting.append(f"stream {stream}: {missing} are not here yet")
                expected = one.sequence + 1
                found.notifications += 1
                for time in one.beat_times_ns:
                    if time <= last_ns:
                        found.problems.append(f"stream {stream}: beats out of order at {time}")
                    last_ns = time
                    count += 1
    except EbbtideError as error:
        found.problems.append(str(error))
        return
    found.beats += count
    # A batch may hold what arrived meanwhile: more, never less.
    if count < item.beats:
        found.problems.append(f"stream {stream}: {count} beats, and not {item.beats}")
