"""The protocol of a store of beats, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from store.models.beats import (
    Beats,
    DailyWindows,
    PlacedGap,
    Rates,
    RemovedStream,
    StoreGeneration,
    StreamCoverage,
)

if TYPE_CHECKING:
    from ebbtide.beats import Activity, Gap, Notification, Stream


class BeatStore(Protocol):
    """Stores the beats of subjects. Safe with several threads and processes."""

    def put_stream(self, subject_id: str, stream: Stream) -> None:
        """Register a stream. Idempotent.

        Raises StreamTakenError when the id belongs to another stream or subject,
        RemovedStreamError when the subject removed it, and ErasedSubjectError for a subject that
        was erased.
        """
        ...

    def append(
        self,
        subject_id: str,
        stream_id: str,
        notifications: Sequence[Notification],
        gaps: Sequence[Gap] = (),
    ) -> int:
        """Store a run of notifications without a hole in its sequence numbers.

        What is already stored stays as it is. Returns the highest sequence number up to which
        nothing is missing. Raises UnknownStreamError, and RemovedStreamError for one that was
        removed.
        """
        ...

    def append_activity(self, subject_id: str, stream_id: str, spans: Sequence[Activity]) -> None:
        """Store how much the wearer moved. Idempotent for the same span of a stream.

        Raises UnknownStreamError.
        """
        ...

    def activity(self, subject_id: str, start_ns: int, end_ns: int) -> list[Activity]:
        """List the spans that begin in [start_ns, end_ns), by time; where two straps saw the same
        span, the larger value.
        """
        ...

    def read(self, subject_id: str, start_ns: int, end_ns: int) -> Beats:
        """Read the beats with start_ns <= time < end_ns, of all streams of the subject, by time."""
        ...

    def rates(self, subject_id: str, start_ns: int, end_ns: int) -> Rates:
        """Read the heart rates without intervals that came with start_ns <= time < end_ns, of all
        streams of the subject, by time.
        """
        ...

    def gaps(self, subject_id: str, start_ns: int, end_ns: int) -> list[PlacedGap]:
        """List the gaps that touch the range, by start."""
        ...

    def coverage(self, subject_id: str) -> list[StreamCoverage]:
        """List what is stored of each stream, oldest first."""
        ...

    def day_fingerprints(self, subject_id: str, start_ns: int, end_ns: int) -> dict[int, str]:
        """Return the fingerprint of each UTC day (days since 1970) in the range that has beats
        or heart rates. It changes whenever beats, rates or movement of that day were added.
        """
        ...

    def changed_days(self, subject_id: str, since_ns: int) -> list[int]:
        """List the UTC days with beats or heart rates in runs to which something was added from
        then on, by the clock of this machine; a run may reach over several days, and all of them
        are named.
        """
        ...

    def stored_windows(
        self, subject_id: str, method: str, names: Sequence[str], first_day: int, last_day: int
    ) -> dict[int, DailyWindows]:
        """Return the windows of each of these days by this method, with the metrics ``names``. They
        are derived, and can be deleted and computed again.
        """
        ...

    def stored_fingerprints(
        self, subject_id: str, method: str, first_day: int, last_day: int
    ) -> dict[int, str]:
        """Return the fingerprint of the content that the stored windows of each day are computed
        from.
        """
        ...

    def store_windows(self, subject_id: str, method: str, days: Mapping[int, DailyWindows]) -> None:
        """Store the windows of days, in place of those of any method; nothing of a subject who was
        erased meanwhile.
        """
        ...

    def subjects(self) -> list[str]:
        """List all subjects with a stream."""
        ...

    def erased(self) -> list[str]:
        """List all erased subjects, which are refused."""
        ...

    def orphan_subjects(self) -> list[str]:
        """List the subjects of whom the engine holds data without a stream, by id.

        Only an engine that stores beats and their streams in two places can have any.
        """
        return []

    def stray_points(self) -> list[tuple[str, str]]:
        """List the servers, and the subjects of whom each holds beats that are read from another.

        Only an engine of several servers can have any: one of them was set back to before a move.
        """
        return []

    def server_states(self) -> dict[str, str | None]:
        """Ask each of several servers, by name: None where it answers, or what is wrong. Empty for
        an engine that has one or none.
        """
        return {}

    def notifications(self, subject_id: str, stream_id: str, after: int) -> list[Notification]:
        """Return the next stored notifications of a stream after this sequence number, in order:
        some thousands, or none at the end. Raises UnknownStreamError.
        """
        ...

    def stream_activity(self, subject_id: str, stream_id: str) -> list[Activity]:
        """List all movement of one stream, by time."""
        ...

    def erase(self, subject_id: str) -> int:
        """Delete all data of the subject, and return the number of beats that were erased.

        From then on its (random) id is refused, so that an upload that is on its way while the
        subject is erased brings nothing back.
        """
        ...

    @property
    def can_erase(self) -> bool:
        """Whether the engine can delete rows at all."""
        return True

    def purge(self) -> list[str]:
        """Overwrite what deleted rows left in files and logs, as far as that can be done from here.

        Returns, in words, what is left to the server or to whoever runs it. Raises EbbtideError
        or an error of the engine where it has to be repeated.
        """
        return []

    def release_memory(self) -> None:
        """Release what this process has cached."""
        return None

    def remove_stream(self, subject_id: str, stream_id: str, at_ns: int) -> int:
        """Delete one stream and the windows of its days, and return how many beats it had.

        From then on its id is refused. Raises UnknownStreamError.
        """
        ...

    def removed_streams(self, subject_id: str) -> list[RemovedStream]:
        """List the streams that the subject removed, by time of removal."""
        ...

    def readmit_stream(self, subject_id: str, stream_id: str) -> None:
        """Take a stream that was removed again, as it is imported again on purpose. Idempotent."""
        ...

    def generation(self) -> StoreGeneration:
        """Return which state of the store this is."""
        ...

    def begin_backup(self) -> int:
        """Raise the counter of the generation; what is acknowledged at the returned one, which it
        had before, is in whatever is copied from now on.
        """
        ...

    def finish_backup(self, covered: int) -> None:
        """Note that a backup, which ``begin_backup`` gave ``covered``, is finished and whole."""
        ...

    def renew_generation(self) -> None:
        """Give the generation a new id, once the store was restored to an older state."""
        ...

    def check(self) -> None:
        """Raise if the store cannot be used now."""
        ...

    def close(self) -> None:
        """Close files and connections."""
        ...
