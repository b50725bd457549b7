"""Read nights of Health Connect: the SQLite database of its export.

Each app that wrote is a source of its own. Where sleep sessions are there, they are the sleep; else
values without two hours between are taken as one sleep. An app that writes one RMSSD a day wrote
its average of the night.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import EARLIEST, LATEST, MILLISECOND, SECOND, utc_offset_s
from ingest.nights.assemble import (
    HeartRates,
    Measured,
    Sleep,
    clean,
    make_nights,
    once_each,
    with_rates,
)
from ingest.nights.clock import require_zone
from ingest.nights.daily import day_of_single, night_of_day
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, plain_name

_RMSSD = "heart_rate_variability_rmssd_record_table"
_SESSIONS = "sleep_session_record_table"
_RATES, _SERIES = "heart_rate_record_table", "heart_rate_record_series_table"
_APPS = "application_info_table"
# An app whose days have fewer values than this on the average wrote averages.
_FEW_A_DAY = 3.0


def _matches(member: Member) -> bool:
    return member.head.startswith(b"SQLite format 3\x00")


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    nights: list[Night] = []
    for member in found:
        with members.as_file(member) as path:
            try:
                with closing(_open(path)) as db:
                    nights += _nights_of(db, member, context, remarks)
            except sqlite3.Error as error:
                raise EbbtideError(
                    f"{member.base} is a damaged database ({error}).",
                    "Export it again: Health Connect > Manage data > Backup and restore.",
                ) from error
    if not nights:
        raise EbbtideError(
            f"{members.path} holds no night with heart rate variability.",
            "Let the app of your watch write it to Health Connect, and export again.",
        )
    return NightFile(
        "Health Connect", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    """The columns of a table; none of a view, which can make rows without end of a small file."""
    kinds = {row[2] for row in db.execute(f"PRAGMA table_list({table})")}
    if kinds != {"table"}:
        return set()
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def _nights_of(
    db: sqlite3.Connection, member: Member, context: NightContext, remarks: Remarks
) -> list[Night]:
    columns = _columns(db, _RMSSD)
    if not {"time", "heart_rate_variability_millis"} <= columns:
        raise EbbtideError(
            f"{member.base} is a database, and not the export of Health Connect.",
            "Give the zip as Health Connect made it.",
        )
    names = _app_names(db)
    by_app: dict[str, list[Measured]] = {}
    zone = "zone_offset" if "zone_offset" in columns else "NULL"
    app = "app_info_id" if "app_info_id" in columns else "NULL"
    for time, shift, ms, who in db.execute(
        f"SELECT time, {zone}, heart_rate_variability_millis, {app} FROM {_RMSSD} ORDER BY time"
    ):
        rmssd = clean(ms, "rmssd_ms")
        if rmssd is None or not _is_time(time):
            remarks.add("values are no RMSSD; left out", f"{ms!r} at {time!r}")
            continue
        by_app.setdefault(names.get(who, "unknown app"), []).append(
            Measured(time * MILLISECOND, _shift(shift, time, context), rmssd)
        )
    context.show(0.4)
    sleeps = _sleeps(db, names, context)
    rates = HeartRates([value.time_ns for values in by_app.values() for value in values])
    for time, bpm in _heart_rates(db):
        rate = clean(bpm, "hr_bpm")
        if rate is not None and _is_time(time):
            rates.add(time * MILLISECOND, rate)
    context.show(0.8)
    nights: list[Night] = []
    anyone = [sleep for of_app in sleeps.values() for sleep in of_app]
    for name, values in sorted(by_app.items()):
        source = f"Health Connect ({name})"
        days = {value.time_ns // (86_400 * SECOND) for value in values}
        if len(values) < _FEW_A_DAY * len(days):
            nights += _singles(source, values)
            remarks.note(f"{name} wrote one RMSSD a night: taken as its own average of the night")
            continue
        found = make_nights(
            source, with_rates(values, rates), remarks, sleeps.get(name) or anyone or None
        )
        nights += [night for night in found if night.windows or night.is_measured]
    return nights


def _app_names(db: sqlite3.Connection) -> dict[object, str]:
    columns = _columns(db, _APPS)
    if "row_id" not in columns:
        return {}
    name = "app_name" if "app_name" in columns else "NULL"
    package = "package_name" if "package_name" in columns else "NULL"
    return {
        row: plain_name(str(called or named or "app"))
        for row, called, named in db.execute(f"SELECT row_id, {name}, {package} FROM {_APPS}")
    }


def _shift(shift: object, time_ms: int, context: NightContext) -> int:
    if isinstance(shift, int) and abs(shift) <= 18 * 3600:
        return shift
    zone = require_zone(context.zone, "values without zone_offset")
    return utc_offset_s(time_ms * MILLISECOND, zone)


def _sleeps(
    db: sqlite3.Connection, names: dict[object, str], context: NightContext
) -> dict[str, list[Sleep]]:
    columns = _columns(db, _SESSIONS)
    if not {"start_time", "end_time"} <= columns:
        return {}
    zone = "end_zone_offset" if "end_zone_offset" in columns else "NULL"
    app = "app_info_id" if "app_info_id" in columns else "NULL"
    found: dict[str, list[Sleep]] = {}
    for start, end, shift, who in db.execute(
        f"SELECT start_time, end_time, {zone}, {app} FROM {_SESSIONS}"
    ):
        if _is_time(start) and _is_time(end) and start < end:
            found.setdefault(names.get(who, "unknown app"), []).append(
                Sleep(start * MILLISECOND, end * MILLISECOND, _shift(shift, end, context))
            )
    return found


def _is_time(value: object) -> bool:
    """Whether it is a time of this century, in milliseconds."""
    return isinstance(value, int) and EARLIEST <= value * MILLISECOND < LATEST


def _heart_rates(db: sqlite3.Connection) -> Iterator[tuple[Any, object]]:
    """Rates of the samples of each record, as they are read."""
    if {"epoch_millis", "beats_per_minute"} <= _columns(db, _SERIES):
        yield from db.execute(f"SELECT epoch_millis, beats_per_minute FROM {_SERIES}")


def _singles(source: str, values: list[Measured]) -> Iterator[Night]:
    seen: set[str] = set()
    for value in values:
        local = datetime.fromtimestamp(value.time_ns / SECOND + value.offset_s, UTC)
        day = day_of_single(local)
        if day.isoformat() in seen:
            continue
        seen.add(day.isoformat())
        zone_free = night_of_day(source, day, None, NightBasis.DEVICE, rmssd_ms=value.rmssd_ms)
        shift = timedelta(seconds=value.offset_s) // timedelta(microseconds=1) * 1000
        yield Night(
            zone_free.day,
            source,
            zone_free.start_ns - shift,
            zone_free.end_ns - shift,
            value.offset_s,
            NightBasis.DEVICE,
            rmssd_ms=value.rmssd_ms,
        )


FORMAT = NightFormat("Health Connect", _matches, _read)
