"""The recorder of this computer, as the API sees it: there is one under ``ebbtide start`` only.

``cli`` puts it on the application's state; the API imports nothing of ``ingest``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from api.schemas.recorder import PairedOut, RecorderOut, ScanOut, StrapOut
from api.services.errors import ServiceError
from ebbtide.timestamps import DAY, MINUTE, to_datetime

OFF_AFTER_NS = 10 * MINUTE
_DAY_BEGINS, _DAY_ENDS = 8, 22  # hours, by the person's clock


class NoRecorderError(ServiceError):
    """This service does not record."""


class NotTheirsError(ServiceError):
    """The recorder does not record for this person."""


class RecorderBusyError(ServiceError):
    """It does something else, or cannot do this now; the text says what to do."""


class UnknownStrapError(ServiceError):
    """No strap with this address is paired with the person."""


class LocalRecorder(Protocol):
    """Records straps for the people who are signed in on this computer. Each method raises
    NotTheirsError for everybody else.
    """

    def state(self, account: str, zone: str) -> RecorderOut:
        """Return what it does for this person."""
        ...

    def start_scan(self, account: str, seconds: int) -> ScanOut:
        """Begin to listen. Raises RecorderBusyError."""
        ...

    def scan(self, account: str) -> ScanOut:
        """Return what is heard, or was heard last."""
        ...

    def pair(self, account: str, address: str, name: str | None) -> PairedOut:
        """Ask a strap what it sends, and pair it. Raises RecorderBusyError."""
        ...

    def rename(self, account: str, address: str, name: str) -> StrapOut:
        """Rename a strap. Raises UnknownStrapError, and RecorderBusyError for a name in use."""
        ...

    def forget(self, account: str, address: str) -> None:
        """Forget a strap; what it recorded stays. Raises UnknownStrapError."""
        ...

    def note_off_said(self, account: str, address: str) -> None:
        """Note that the person was told that this strap is off. Raises UnknownStrapError."""
        ...


class NoRecorder:
    """In place of a recorder where the service does not record: each method raises
    NoRecorderError, and not before a request is known to be valid.
    """

    def state(self, account: str, zone: str) -> RecorderOut:
        """Refuse."""
        raise _no_recorder()

    def start_scan(self, account: str, seconds: int) -> ScanOut:
        """Refuse."""
        raise _no_recorder()

    def scan(self, account: str) -> ScanOut:
        """Refuse."""
        raise _no_recorder()

    def pair(self, account: str, address: str, name: str | None) -> PairedOut:
        """Refuse."""
        raise _no_recorder()

    def rename(self, account: str, address: str, name: str) -> StrapOut:
        """Refuse."""
        raise _no_recorder()

    def forget(self, account: str, address: str) -> None:
        """Refuse."""
        raise _no_recorder()

    def note_off_said(self, account: str, address: str) -> None:
        """Refuse."""
        raise _no_recorder()


def _no_recorder() -> NoRecorderError:
    return NoRecorderError(
        "This service does not record. The computer that the strap is near does: ebbtide start "
        "there, or ebbtide pair and ebbtide record."
    )


def is_off_worth_saying(last_heard_ns: int | None, now_ns: int, zone: str) -> bool:
    """Whether to say that a strap is off: it was worn within a day, has been silent for ten
    minutes, and it is between 8 and 22 where the person lives, now and since ten minutes ago.
    """
    if last_heard_ns is None or not OFF_AFTER_NS <= now_ns - last_heard_ns < DAY:
        return False
    local = to_datetime(now_ns).astimezone(ZoneInfo(zone))
    earlier = local - timedelta(minutes=10)
    return all(_DAY_BEGINS <= moment.hour < _DAY_ENDS for moment in (local, earlier))
