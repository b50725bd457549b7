"""Send nights to the API, in parts that its requests hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

from ebbtide.nights import Night
from ebbtide.timestamps import to_datetime
from ingest.outbox.api_client import IngestClient

_MAX_NIGHTS, _MAX_VALUES = 100, 12_000  # of one request


@dataclass(frozen=True, slots=True)
class NightsSent:
    """What sending did: nights that were new, fuller than before, and there already."""

    new: int = 0
    grown: int = 0
    known: int = 0


async def send_nights(
    client: IngestClient,
    nights: Sequence[Night],
    on_progress: Callable[[int], None] | None = None,
) -> NightsSent:
    """Send nights. Raises EbbtideError where the API refuses or does not answer: sent again, those
    that had arrived change nothing.
    """
    new = grown = known = 0
    for part in _parts(nights):
        done = await client.put_nights([night_body(night) for night in part])
        new, grown, known = new + done[0], grown + done[1], known + done[2]
        if on_progress is not None:
            on_progress(len(part))
    return NightsSent(new, grown, known)


def _parts(nights: Sequence[Night]) -> Iterator[list[Night]]:
    part: list[Night] = []
    values = 0
    for night in nights:
        if part and (len(part) == _MAX_NIGHTS or values + len(night.values) > _MAX_VALUES):
            yield part
            part, values = [], 0
        part.append(night)
        values += len(night.values)
    if part:
        yield part


def night_body(night: Night) -> dict[str, Any]:
    """A night as the API takes it."""
    there = timezone(timedelta(seconds=night.offset_s))

    def cut(value: float | None) -> float | None:
        return None if value is None else round(value, 4)

    return {
        "day": night.day,
        "source": night.source,
        "start": to_datetime(night.start_ns).astimezone(there).isoformat(),
        "end": to_datetime(night.end_ns).astimezone(there).isoformat(),
        "basis": str(night.basis),
        "rmssd_ms": cut(night.rmssd_ms),
        "sdnn_ms": cut(night.sdnn_ms),
        "mean_hr_bpm": cut(night.mean_hr_bpm),
        "low_quarter_hr_bpm": cut(night.low_quarter_hr_bpm),
        "windows": night.windows,
        "steps": night.steps,
        "values": [
            [value.at_s, cut(value.rmssd_ms), cut(value.sdnn_ms), cut(value.hr_bpm)]
            for value in night.values
        ],
        "missing_reason": night.missing_reason,
    }
