"""Read nights of Garmin: FIT messages 371 (RMSSD of five minutes asleep) and 370 (the device's own
average of the last night), in files of their own or in the zips of a wellness export. UTC.

The shape could not be checked against a real export.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

import fitdecode

from ebbtide.errors import EbbtideError
from ebbtide.timestamps import SECOND, utc_offset_s
from ingest.files.fit import READER_ERRORS
from ingest.files.fit_events import timestamp_ns
from ingest.nights.assemble import Measured, clean, make_nights, once_each
from ingest.nights.clock import require_zone
from ingest.nights.daily import Averages, day_of_single
from ingest.nights.members import MAX_HELD_BYTES, Member, Members, open_members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks

_SOURCE = "Garmin"
_HRV_VALUE, _HRV_STATUS = 371, 370


@dataclass(slots=True)
class _Found:
    values: list[tuple[int, float]] = field(default_factory=list)
    averages: list[tuple[int, float]] = field(default_factory=list)


def _matches(member: Member) -> bool:
    return _is_fit(member) or member.name.lower().endswith(".zip")


def _is_fit(member: Member) -> bool:
    return member.head[8:12] == b".FIT"


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    all_found = _Found()
    for number, member in enumerate(found):
        for name, data in _fit_files(members, member):
            _read_fit(name, data, all_found, remarks)
        context.show((number + 1) / len(found))
    if not all_found.values and not all_found.averages:
        raise EbbtideError(
            f"{members.path} holds no nightly heart rate variability of Garmin.",
            "Export the wellness data of a watch that measures HRV status.",
        )
    zone = require_zone(context.zone, "nights of Garmin")
    values = [Measured(time, utc_offset_s(time, zone), rmssd) for time, rmssd in all_found.values]
    nights = make_nights(_SOURCE, values, remarks)
    averages = Averages(_SOURCE, zone, remarks)
    for time, rmssd in sorted(all_found.averages):
        local = datetime.fromtimestamp(time / SECOND + utc_offset_s(time, zone), UTC)
        averages.add(day_of_single(local), rmssd, "FIT files")
    averages.add_to(nights)
    return NightFile(
        "Garmin", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _fit_files(members: Members, member: Member) -> Iterator[tuple[str, bytes]]:
    """The FIT files of a member: itself, or those in a zip in the zip."""
    if _is_fit(member):
        yield member.base, members.read(member)
        return
    with members.as_file(member) as target:
        if not zipfile.is_zipfile(target):
            return
        with open_members(target) as inner:
            for part in inner.all:
                if _is_fit(part) and part.size <= MAX_HELD_BYTES:
                    yield part.base, inner.read(part)


def _read_fit(name: str, data: bytes, found: _Found, remarks: Remarks) -> None:
    try:
        with (
            warnings.catch_warnings(),
            fitdecode.FitReader(
                BytesIO(data), check_crc=fitdecode.CrcCheck.WARN, processor=None
            ) as frames,
        ):
            warnings.simplefilter("ignore")
            for frame in frames:
                if isinstance(frame, fitdecode.FitDataMessage):
                    _take(frame, found)
    except READER_ERRORS:
        remarks.add("FIT files are damaged; what stands before that was kept", name)


def _take(frame: fitdecode.FitDataMessage, found: _Found) -> None:
    number = frame.global_mesg_num
    if number not in (_HRV_VALUE, _HRV_STATUS):
        return
    time = timestamp_ns(frame, "timestamp")
    key = "value" if number == _HRV_VALUE else "last_night_average"
    rmssd = clean(frame.get_value(key, fallback=None), "rmssd_ms")
    if time is not None and rmssd is not None:
        (found.values if number == _HRV_VALUE else found.averages).append((time, rmssd))


FORMAT = NightFormat("Garmin", _matches, _read)
