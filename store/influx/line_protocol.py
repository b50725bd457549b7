"""Beats, movement and windows in InfluxDB's line protocol.

``beats``: a point a beat, at its time. The first beat of a notification carries what the strap said
beside it. ``without_rr``: a notification without beats, at its sequence number (as nanoseconds), so
that it is there once however often it is sent. ``movement`` at the start of its span;
``hrv_5min`` at the start of its window. All are tagged with the random subject, so that one
statement erases a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ebbtide.beats import Activity, Notification

BEATS, WITHOUT_RR, MOVEMENT, WINDOWS = "beats", "without_rr", "movement", "hrv_5min"
MEASUREMENTS = (BEATS, WITHOUT_RR, MOVEMENT, WINDOWS)


def beat_lines(
    subject_id: str, stream_id: str, notifications: Iterable[Notification]
) -> Iterator[str]:
    """A line a beat, and one a notification without any."""
    tags = f",stream={stream_id},subject={subject_id}"
    for item in notifications:
        contact = -1 if item.contact is None else int(item.contact)
        said = f"contact={contact}i,heart_rate_bpm={item.heart_rate_bpm}i"
        said += f",received_ns={item.received_ns}i"
        if item.energy_kj is not None:
            said += f",energy_kj={item.energy_kj}i"
        sequence = f"sequence={item.sequence}i"
        if not item.rr_ticks:
            yield f"{WITHOUT_RR}{tags} {said},{sequence} {item.sequence}"
        for ticks, time in zip(item.rr_ticks, item.beat_times_ns, strict=True):
            yield f"{BEATS}{tags} {said},rr_ticks={ticks}i,{sequence} {time}"
            said = f"contact={contact}i"


def movement_lines(subject_id: str, stream_id: str, spans: Iterable[Activity]) -> Iterator[str]:
    """A line a span."""
    for span in spans:
        yield (
            f"{MOVEMENT},stream={stream_id},subject={subject_id}"
            f" mad_mg={span.mad_mg!r} {span.start_ns}"
        )


def window_lines(
    subject_id: str,
    method_tag: str,
    start_ns: NDArray[np.int64],
    metrics: Mapping[str, NDArray[np.float64]],
) -> Iterator[str]:
    """Write a line for each window; a metric that is missing (NaN) is left out."""
    texts = [(name, values.astype("<f4").astype(str).tolist()) for name, values in metrics.items()]
    for place, start in enumerate(start_ns.tolist()):
        said = "".join(f",{name}={text[place]}" for name, text in texts if text[place] != "nan")
        yield f"{WINDOWS},method={method_tag},subject={subject_id} window=1i{said} {start}"
