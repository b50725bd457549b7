"""Read Polar's nightly recharge, as AccessLink documents it: a JSON object a night, with averages
and ``hrv_samples`` of five minutes by local time of day. RMSSD.

The shape of the account export could not be checked against a real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from ebbtide.errors import EbbtideError
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import SECOND, utc_offset_s
from ingest.nights.assemble import Measured, clean, clean_in_words, make_nights, once_each
from ingest.nights.clock import is_of_this_century, local_to_utc, require_zone
from ingest.nights.daily import keep_first, night_of_day
from ingest.nights.json_objects import first_of, load_json
from ingest.nights.members import Member, Members
from ingest.nights.night_file import NightContext, NightFile, NightFormat, Remarks
from ingest.nights.people import ObjectsOfOne

_SOURCE = "Polar"
_AVERAGE = ("heart_rate_variability_avg", "heart-rate-variability-avg", "heartRateVariabilityAvg")
_RATE = ("heart_rate_avg", "heart-rate-avg", "heartRateAvg")
_SAMPLES = ("hrv_samples", "hrv-samples", "hrvSamples")
_KEYS = (*_AVERAGE, *_SAMPLES)


def _matches(member: Member) -> bool:
    text = member.text
    return member.is_json and any(f'"{name}"' in text for name in _KEYS)


def _read(members: Members, found: list[Member], context: NightContext) -> NightFile:
    remarks = Remarks()
    nights: dict[str, Night] = {}
    people = ObjectsOfOne()
    for number, member in enumerate(found):
        whole = load_json(members, member, remarks)
        for _ in people.find(member, whole):  # refuse those of several
            pass
        for row in _recharges(whole):
            night = _night(row, member, context, remarks)
            if night is not None:
                keep_first(nights, night, remarks, member.base)
        context.show((number + 1) / len(found))
    if not nights:
        raise EbbtideError(
            f"{members.path} holds no night of Polar with heart rate variability.",
            "Export the nights in which the watch was worn.",
        )
    remarks.note("averages of a night are Polar's own (of its first four hours asleep)")
    return NightFile(
        "Polar", once_each(nights.values(), remarks), remarks.all_problems(), tuple(remarks.notes)
    )


def _recharges(whole: Any) -> Iterator[dict[str, Any]]:
    if isinstance(whole, dict) and isinstance(whole.get("recharges"), list):
        whole = whole["recharges"]
    for row in whole if isinstance(whole, list) else [whole]:
        if isinstance(row, dict) and "date" in row:
            yield row


def _night(
    row: dict[str, Any], member: Member, context: NightContext, remarks: Remarks
) -> Night | None:
    day: date | None
    try:
        day = date.fromisoformat(str(row["date"])[:10])
    except ValueError:
        day = None
    if day is None or not is_of_this_century(day):
        remarks.add("nights have no date of this century; left out", str(row.get("date"))[:40])
        return None
    own = clean_in_words(first_of(row, _AVERAGE), "rmssd_ms", remarks, f"of {day}")
    rate = clean_in_words(first_of(row, _RATE), "hr_bpm", remarks, f"of {day}")
    zone = require_zone(context.zone, member.base)
    samples = first_of(row, _SAMPLES)
    night = None
    if isinstance(samples, dict):
        found = make_nights(_SOURCE, _samples(samples, day, zone, remarks), remarks)
        night = next((one for one in found if one.day == day.isoformat()), None)
    if own is None and rate is None and night is None:
        remarks.add("nights have no heart rate variability; left out", f"of {day}")
        return None
    if night is None:
        return night_of_day(_SOURCE, day, zone, NightBasis.DEVICE, rmssd_ms=own, mean_hr_bpm=rate)
    return Night(
        day.isoformat(),
        _SOURCE,
        night.start_ns,
        night.end_ns,
        night.offset_s,
        NightBasis.VALUES if own is None else NightBasis.DEVICE,
        rmssd_ms=night.rmssd_ms if own is None else own,
        mean_hr_bpm=rate,
        windows=night.windows,
        steps=night.steps,
        values=night.values,
    )


def _samples(samples: dict[str, Any], day: date, zone: str, remarks: Remarks) -> list[Measured]:
    """The samples in their order; those before a step back of the clock are of the evening."""
    clocks = []
    for text, value in samples.items():
        try:
            clock = datetime.strptime(text[:5], "%H:%M").time()  # noqa: DTZ007
        except ValueError:
            remarks.add("samples have no time of day; left out", text)
            continue
        clocks.append((clock, clean(value, "rmssd_ms")))
    evening = any(clock.hour >= 15 for clock, _ in clocks) and any(
        clock.hour < 15 for clock, _ in clocks
    )
    naive = [
        datetime.combine(day - timedelta(days=1 if evening and clock.hour >= 15 else 0), clock)
        for clock, _ in clocks
    ]
    order = sorted(range(len(naive)), key=lambda place: (naive[place].date(), place))
    times = local_to_utc([naive[place] for place in order], zone, remarks)
    return [
        Measured(time, utc_offset_s(time, zone), clocks[place][1])
        for time, place in zip(times, order, strict=True)
        if time >= SECOND
    ]


FORMAT = NightFormat("Polar nightly recharge", _matches, _read, _KEYS)
