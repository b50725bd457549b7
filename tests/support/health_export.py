"""An export of Apple Health, as an iPhone writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)


def health_export(count: int) -> str:
    """Measurements of a minute, one an hour; the seventh beat of each is missing."""
    records = []
    for hour in range(count):
        start = MORNING + timedelta(hours=hour)
        seen = start + timedelta(seconds=3)
        rows = []
        for index in range(20):
            seen += timedelta(milliseconds=800 + 10 * (index % 3))
            if index == 6:
                continue
            # The export writes the hour of another zone, as it does after a change of clocks.
            written_time = (seen + timedelta(hours=2)).strftime("%I:%M:%S.%f")[:-4]
            half = (seen + timedelta(hours=2)).strftime("%p")
            rows.append(f'<InstantaneousBeatsPerMinute bpm="74" time="{written_time} {half}"/>')
        records.append(
            '<Record type="HKQuantityTypeIdentifierHeartRateVariabilitySDNN" sourceName="Watch" '
            f'unit="ms" startDate="{start:%Y-%m-%d %H:%M:%S} +0000" value="40">'
            f"<HeartRateVariabilityMetadataList>{''.join(rows)}"
            "</HeartRateVariabilityMetadataList></Record>"
        )
    other = '<Record type="HKQuantityTypeIdentifierStepCount" value="9"/>'
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE HealthData><HealthData locale="en_DE">'
        + other
        + "".join(records)
        + "</HealthData>"
    )
