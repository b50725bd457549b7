"""Heart rate variability of Fitbit's web API, as programs and studies save its answers: JSON.

``/hrv/date``: the device's own average of a night (``dailyRmssd``), by the date on which it ended.
``/hrv/date/all``: RMSSD of every five minutes asleep, by local time. The shape is that of Fitbit's
documentation; it could not be checked against a saved answer.
"""

from __future__ import annotations

from typing import Any

from ingest.nights.members import Member
from ingest.nights.people import ObjectsOfOne


def is_answer(member: Member) -> bool:
    """Whether a file is such an answer, by its first bytes."""
    if not member.is_json:
        return False
    text = member.text
    return '"dailyRmssd"' in text or ('"minute"' in text and '"rmssd"' in text)


def averages_and_values(
    member: Member, whole: Any, people: ObjectsOfOne
) -> tuple[list[tuple[str, object]], list[tuple[str, object]]]:
    """The averages, each with its date, and the values, each with its local time, as written.

    Raises EbbtideError for answers of several people.
    """
    averages: list[tuple[str, object]] = []
    values: list[tuple[str, object]] = []
    for item in people.find(member, whole):
        value = item.get("value")
        if isinstance(value, dict) and "dailyRmssd" in value:
            averages.append((str(item.get("dateTime", "")), value["dailyRmssd"]))
        elif isinstance(value, dict) and "minute" in item:
            values.append((str(item["minute"]), value.get("rmssd")))
    return averages, values
