"""Open mHealth heart-rate 2.0 with the header of IEEE 1752.1-2021. Mappings only."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from analytics.hrv.windows import WINDOW_NS
from api.export.fhir import UNREADABLE, describe_skipped, parse_time, require_storable
from api.services.imported_records import HeartRate, SkippedEntry
from ebbtide.timestamps import to_datetime

_SCHEMA = {"namespace": "omh", "name": "heart-rate", "version": "2.0"}


def window_point(
    row: Mapping[str, Any], person_id: str, zone: str, simulated: bool
) -> dict[str, Any]:
    """Map a usable row of the HRV table to a data point: the mean heart rate of five minutes."""
    start, end = row["start_ns"], row["start_ns"] + WINDOW_NS
    return _point(
        person_id,
        f"window {start}",
        end,
        zone,
        simulated,
        {
            "heart_rate": {"value": row["mean_hr_bpm"], "unit": "beats/min"},
            "effective_time_frame": {
                "time_interval": {
                    "start_date_time": to_datetime(start, zone).isoformat(),
                    "end_date_time": to_datetime(end, zone).isoformat(),
                }
            },
            "descriptive_statistic": "average",
        },
    )


def heart_rate_point(rate: HeartRate, person_id: str, zone: str, simulated: bool) -> dict[str, Any]:
    """Map a single heart rate to a data point."""
    return _point(
        person_id,
        f"rate {rate.time_ns}",
        rate.time_ns,
        zone,
        simulated,
        {
            "heart_rate": {"value": rate.bpm, "unit": "beats/min"},
            "effective_time_frame": {"date_time": to_datetime(rate.time_ns, zone).isoformat()},
        },
    )


def parse_points(points: Any) -> tuple[list[HeartRate], list[SkippedEntry]]:
    """Parse the single heart rates of data points. Averages and the like are not the heart rate of
    a moment and are returned as skipped. Raises ValueError for what is no list of data points.
    """
    if isinstance(points, dict) and "data_points" in points:
        points = points["data_points"]
    if isinstance(points, dict):
        points = [points]
    if not isinstance(points, list):
        raise ValueError("is neither a data point nor a list of them")
    rates: list[HeartRate] = []
    skipped: list[SkippedEntry] = []
    for number, point in enumerate(points):
        try:
            require_storable(point)
            rates.append(_rate(point))
        except UNREADABLE as error:
            reason = describe_skipped(error)
            skipped.append(SkippedEntry(number, reason))
    return rates, skipped


def _rate(point: Mapping[str, Any]) -> HeartRate:
    name = point["header"]["schema_id"]["name"]
    if name != "heart-rate":
        raise ValueError(f"{name} is not read, only heart-rate")
    body = point["body"]
    if body.get("descriptive_statistic"):
        raise ValueError(f"it is {body['descriptive_statistic']} of a while, not a single value")
    rate = body["heart_rate"]
    if rate["unit"] != "beats/min":
        raise ValueError(f"heart rate in {rate['unit']}, not in beats/min")
    value = rate["value"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 400:
        raise ValueError("its value cannot be a heart rate")
    time = body["effective_time_frame"].get("date_time")
    if time is None:
        raise ValueError("it is of a while, not of a moment")
    return HeartRate(parse_time(time), float(value))


def _point(
    person_id: str,
    name: str,
    created_ns: int,
    zone: str,
    simulated: bool,
    body: dict[str, Any],
) -> dict[str, Any]:
    header: dict[str, Any] = {
        # Made of the content, so that the same point has the same id in each export.
        "uuid": str(uuid.uuid5(uuid.UUID(person_id), name)),
        "schema_id": _SCHEMA,
        "source_creation_date_time": to_datetime(created_ns, zone).isoformat(),
        "modality": "sensed",
    }
    if simulated:
        header["external_datasheets"] = [
            {"datasheet_type": "software", "datasheet_reference": "urn:ebbtide:simulated"}
        ]
    return {"header": header, "body": body}
