"""Read nights of Samsung Health: a table of sleeps whose first line is metadata, and beside it the
values as JSON, with SDNN and RMSSD of every five minutes. Times of the table are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night
from ebbtide.timestamps import MILLISECOND, utc_offset_s
from ingest.nights.assemble import (
    HeartRates,
    Measured,
    clean,
    make_nights,
    once_each,
    with_rates,
)
from ingest.nights.clock import parse_offset, require_zone
from ingest.nights.json_objects import DamagedJsonError, load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks, plain_name
from ingest.nights.tables import read_rows

_HRV, _RATE = "com.samsung.health.hrv", "com.samsung.shealth.tracker.heart_rate"
_SLEEP = "com.samsung.shealth.sleep"


def _matches(member: Member) -> bool:
    tables = (_HRV, _RATE, _SLEEP)
    return any(_is_table(member, name) for name in tables) or _is_binning(member)


def _is_table(member: Member, name: str) -> bool:
    first = member.text.splitlines()[:1]
    return bool(first) and first[0].split(",")[0].strip() == name


def _is_binning(member: Member) -> bool:
    text = member.text
    return (
        member.base.endswith(".json")
        and text.lstrip()[:1] == "["
        and '"start_time"' in text
        and any(f'"{name}"' in text for name in ("rmssd", "sdnn", "heart_rate"))
    )


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    tables = [member for member in found if _is_table(member, _HRV)]
    if not tables:
        raise EbbtideError(
            f"{members.path} holds no {_HRV} of Samsung Health.",
            "In the app: Settings > Download personal data; import the whole zip or folder.",
        )
    bins = {member.base: member for member in members.all if member.base.endswith(".json")}
    values: dict[str, list[Measured]] = {}
    rows = [row for table in tables for row in _rows(members, table, remarks)]
    for number, row in enumerate(rows):
        _add_row(row, members, bins, context, values, remarks)
        context.show((number + 1) / len(rows))
    rates = HeartRates([value.time_ns for of in values.values() for value in of])
    for member in found:
        if _is_table(member, _RATE):
            _add_rates(members, member, bins, rates, remarks)
    nights: list[Night] = []
    for source, of_source in sorted(values.items()):
        nights += make_nights(source, with_rates(of_source, rates), remarks)
    if not nights:
        raise EbbtideError(
            f"{members.path} holds no night of Samsung Health with values.",
            "Import the whole zip as the app made it: the values are in its folder jsons.",
        )
    return NightFile(
        "Samsung Health", once_each(nights, remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _rows(members: Members, member: Member, remarks: Remarks) -> Iterator[dict[str, str]]:
    """Names of columns may begin with that of the table."""
    for cells in read_rows(members, member, remarks, skip=1):
        yield {name.rpartition(".")[2]: cell for name, cell in cells.items() if name}


def _add_row(
    row: dict[str, str],
    members: Members,
    bins: dict[str, Member],
    context: NightContext,
    values: dict[str, list[Measured]],
    remarks: Remarks,
) -> None:
    name = PurePosixPath(row.get("binning_data", "")).name
    when = row.get("start_time", "")
    if name not in bins:
        remarks.add("sleeps have no file of values in the export; left out", f"of {when} UTC")
        return
    fixed = parse_offset(row.get("time_offset", ""))
    package = plain_name(row.get("pkg_name", "")) or "com.sec.android.app.shealth"
    source = (
        "Samsung Health"
        if package == "com.sec.android.app.shealth"
        else f"Samsung Health ({package})"
    )
    for item in _binned(members, bins[name], remarks):
        value = Measured(
            item[0],
            fixed
            if fixed is not None
            else utc_offset_s(item[0], require_zone(context.zone, f"the sleep of {when} UTC")),
            clean(item[1].get("rmssd"), "rmssd_ms"),
            clean(item[1].get("sdnn"), "sdnn_ms"),
        )
        if value.has_hrv:
            values.setdefault(source, []).append(value)


def _binned(
    members: Members, member: Member, remarks: Remarks
) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        whole = load_json(members, member, remarks)
    except DamagedJsonError:
        remarks.add("files of values are damaged; left out", member.base)
        return
    for item in whole if isinstance(whole, list) else []:
        time = item.get("start_time") if isinstance(item, dict) else None
        if isinstance(time, int | float) and 0 < time < 4.2e12:
            yield round(time) * MILLISECOND, item


def _add_rates(
    members: Members,
    table: Member,
    bins: dict[str, Member],
    rates: HeartRates,
    remarks: Remarks,
) -> None:
    for row in _rows(members, table, remarks):
        name = PurePosixPath(row.get("binning_data", "")).name
        if name not in bins:
            continue
        for time, item in _binned(members, bins[name], Remarks()):
            rate = clean(item.get("heart_rate"), "hr_bpm")
            if rate is not None:
                rates.add(time, rate)


FORMAT = NightFormat("Samsung Health", _matches, _read)
