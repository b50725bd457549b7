"""The windows that the stress index compares, and a person's history of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import timedelta
from threading import Lock
from typing import Annotated

import numpy as np
from fastapi import Depends, Request
from numpy.typing import NDArray

from analytics.stress_index import MOST_DAYS, HeartWindows
from analytics.windows import HrvWindows, Movement, hrv_windows, starts_by_stretch
from api.beat_arrays import beat_arrays
from api.house import House
from ebbtide.instants import DAY, MINUTE, to_datetime
from store.records import Person

WINDOW_NS = 5 * MINUTE
_PIECE = 7 * DAY  # of the history read at once
_KEPT_S = 600.0
_MOST_KEPT = 200


def movement_of(house: House, person: Person, start_ns: int, end_ns: int) -> Movement:
    """How much the wearer moved."""
    spans = house.beats.activity(person.subject_id, start_ns, end_ns)
    return Movement(
        np.array([span.start_ns for span in spans], dtype=np.int64),
        np.array([span.mad_mg for span in spans], dtype=np.float64),
    )


def heart_windows(found: HrvWindows, zone: str) -> HeartWindows:
    """HRV windows as the stress index takes them, with the day and hour at the person's place."""
    middle = found.start_ns + found.window_ns // 2
    day, hour = local_day_and_hour(middle, zone)
    with np.errstate(all="ignore"):
        ln_rmssd = np.log(found.value("rmssd_ms"))
        ln_baevsky = np.log(found.value("stress_index_baevsky"))
    return HeartWindows(
        day=day,
        hour=hour,
        time_s=middle / 1e9,
        ln_rmssd=np.where(np.isfinite(ln_rmssd), ln_rmssd, np.nan),
        heart_rate=found.value("mean_hr_bpm"),
        ln_baevsky=np.where(np.isfinite(ln_baevsky), ln_baevsky, np.nan),
        motion_mg=found.found.motion_mg,
    )


def local_day_and_hour(
    time_ns: NDArray[np.int64], zone: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The local day (a number, one more each day) and hour of each instant."""
    local = [to_datetime(int(moment), zone) for moment in time_ns]
    day = np.array([moment.toordinal() for moment in local], dtype=np.int64)
    hour = np.array([moment.hour + moment.minute / 60 for moment in local], dtype=np.float64)
    return day, hour


class Histories:
    """The first fortnight with the strap of each person, worked out once and kept for ten minutes:
    it hardly ever changes, and every answer with a stress index needs it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[float, HeartWindows]] = OrderedDict()

    def of(self, house: House, person: Person) -> HeartWindows:
        """Five-minute windows of up to a day more than the baseline may use."""
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(person.subject_id)
            if kept is not None and now - kept[0] < _KEPT_S:
                return kept[1]
        found = _history(house, person)
        with self._lock:
            self._kept[person.subject_id] = (now, found)
            self._kept.move_to_end(person.subject_id)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


def histories_of(request: Request) -> Histories:
    """Those of this application."""
    histories: Histories = request.app.state.histories
    return histories


KnownHistories = Annotated[Histories, Depends(histories_of)]


def _history(house: House, person: Person) -> HeartWindows:
    covered = [item for item in house.beats.coverage(person.subject_id) if item.beats]
    pieces: list[HeartWindows] = []
    seen: set[int] = set()
    if covered:
        first = min(item.first_ns for item in covered if item.first_ns is not None)
        last = max(item.last_ns for item in covered if item.last_ns is not None)
        # From midnight to midnight, so that no day is cut in two.
        begin = to_datetime(first, person.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        at = first - round(
            (to_datetime(first, person.zone) - begin) / timedelta(microseconds=1) * 1000
        )
        while at <= last and len(seen) <= MOST_DAYS:
            beats = beat_arrays(house.beats.read(person.subject_id, at, at + _PIECE))
            if len(beats.time_ns):
                starts = starts_by_stretch(beats, WINDOW_NS, WINDOW_NS)
                movement = movement_of(house, person, at, at + _PIECE)
                found = hrv_windows(beats, starts, WINDOW_NS, movement=movement)
                pieces.append(heart_windows(found, person.zone))
                seen |= set(pieces[-1].day[pieces[-1].still].tolist())
            at += _PIECE
    return _joined(pieces)


def _joined(pieces: list[HeartWindows]) -> HeartWindows:
    def column(name: str) -> NDArray[np.float64]:
        parts = [getattr(piece, name) for piece in pieces]
        return np.concatenate(parts) if parts else np.empty(0)

    return HeartWindows(
        day=column("day").astype(np.int64),
        hour=column("hour"),
        time_s=column("time_s"),
        ln_rmssd=column("ln_rmssd"),
        heart_rate=column("heart_rate"),
        ln_baevsky=column("ln_baevsky"),
        motion_mg=column("motion_mg"),
    )
