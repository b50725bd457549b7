"""Today's windows and the live heart while beats come: the answers from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from analytics.hrv import live_windows
from analytics.hrv.windows import TIME_ONLY, WINDOW_NS, hrv_windows, prepare_beats
from api.schemas.hrv import StressIndexOut, finite_or_none
from api.services import daily_windows, growing_day
from api.services.cache.analysis import AnalysisCache
from api.services.daily_windows import DailyHrv, load_daily_hrv
from api.services.growing_day import GROWING_DAYS
from api.services.inputs import load_beats, load_movement, windows_to_stress_index_input
from api.services.live_heart import STALE_S, LiveFigures
from ebbtide.beats import Activity, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import Person
from tests.support.beats import MIDNIGHT, put_beats


class Strap:
    """A strap whose beats come a part at a time, with faults, gaps and movement."""

    def __init__(self, stores: Stores, person: Person, begin_ns: int, seed: int = 3) -> None:
        self.stores, self.subject = stores, person.subject_id
        self.stream = new_id()
        stores.beats.put_stream(self.subject, Stream(self.stream, Origin.STRAP, "", begin_ns))
        self.rng, self.at, self.sequence = np.random.default_rng(seed), begin_ns, 1

    def send(self, until_ns: int) -> None:
        batch = []
        moved = np.arange(self.at // (5 * SECOND) + 1, until_ns // (5 * SECOND)) * 5 * SECOND
        while self.at < until_ns - 2 * SECOND:
            ticks = int(850 + 40 * np.sin(1.3 * self.sequence) + self.rng.normal(0, 15))
            if self.rng.random() < 0.02:
                ticks += 700
            if self.rng.random() < 0.002:
                self.sequence += 1  # one was lost
                self.at += 20 * SECOND
            self.at += ticks * SECOND // 1024
            batch.append(Notification(self.sequence, self.at, 70, (ticks,), (self.at,), True))
            self.sequence += 1
        self.stores.beats.append(self.subject, self.stream, batch)
        spans = [Activity(int(at), float(self.rng.uniform(0, 60))) for at in moved]
        self.stores.beats.append_activity(self.subject, self.stream, spans)


@pytest.fixture
def ada(stores: Stores, patient: Callable[..., str]) -> Person:
    patient("ada@example.org")
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    GROWING_DAYS.clear()
    return person


@pytest.fixture
def at(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time that it is."""
    clock = [MIDNIGHT + 9 * HOUR]
    monkeypatch.setattr(type(stores), "now", lambda _: clock[0])
    return clock


def assert_same_windows(found: DailyHrv, expected: DailyHrv) -> None:
    assert found.start_ns.tolist() == expected.start_ns.tolist()
    for name in ("mean_hr_bpm", "rmssd_ms", "sdnn_ms", "motion_mg", "minute_bpm", "window_bpm"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-6, err_msg=name
        )


def test_a_minute_more_computes_few_windows_and_the_day_is_as_from_nothing(
    stores: Stores, ada: Person, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    strap = Strap(stores, ada, MIDNIGHT + 6 * HOUR)
    strap.send(at[0])
    computed: list[int] = []

    def counting(beats: object, starts: np.ndarray, *rest: object, **more: object) -> object:
        computed.append(len(starts))
        return hrv_windows(beats, starts, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(live_windows, "hrv_windows", counting)
    first = load_daily_hrv(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    assert len(first.start_ns) > 30 and computed == []
    for _ in range(6):
        at[0] += MINUTE
        strap.send(at[0])
        found = load_daily_hrv(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    assert len(computed) == 6 and max(computed) <= 4
    GROWING_DAYS.clear()
    monkeypatch.setattr(daily_windows, "STORED_METHOD", "another")
    assert_same_windows(found, load_daily_hrv(stores, ada, MIDNIGHT, MIDNIGHT + DAY))
    assert len(computed) == 6  # from nothing


def test_older_beats_make_the_day_anew(stores: Stores, ada: Person, at: list[int]) -> None:
    strap = Strap(stores, ada, MIDNIGHT + 8 * HOUR)
    strap.send(at[0])
    load_daily_hrv(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    put_beats(stores, ada, MIDNIGHT + 2 * HOUR, 900)
    at[0] += MINUTE
    strap.send(at[0])
    found = load_daily_hrv(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    beats = load_beats(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    movement = load_movement(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    expected = daily_windows.day_windows(beats, movement)
    rows = expected.metrics.intervals > 0
    assert found.start_ns.tolist() == expected.start_ns[rows].tolist()
    np.testing.assert_allclose(found.rmssd_ms, expected.value("rmssd_ms")[rows], rtol=1e-6)
    assert np.count_nonzero(found.start_ns < MIDNIGHT + 4 * HOUR) >= 2


def test_what_is_kept_equals_the_day_to_1e_9_and_goes_with_the_subject(
    stores: Stores, ada: Person, at: list[int]
) -> None:
    strap = Strap(stores, ada, MIDNIGHT + 8 * HOUR)
    for _ in range(3):
        strap.send(at[0])
        load_daily_hrv(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
        at[0] += MINUTE
    beats = load_beats(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    movement = load_movement(stores, ada, MIDNIGHT, MIDNIGHT + DAY)
    day = MIDNIGHT // DAY
    found = GROWING_DAYS.extend(ada.subject_id, day, beats, movement)
    assert found is not None
    expected = daily_windows.day_windows(beats, movement)
    for name in expected.metrics.values:
        np.testing.assert_allclose(found.value(name), expected.value(name), rtol=1e-9)
    np.testing.assert_allclose(found.rates.minute_bpm, expected.rates.minute_bpm, rtol=1e-9)
    np.testing.assert_allclose(found.metrics.motion_mg, expected.metrics.motion_mg, rtol=1e-9)
    AnalysisCache().drop(ada.subject_id)
    assert growing_day.GROWING_DAYS.extend(ada.subject_id, day, beats, movement) is None


def live_from_nothing(stores: Stores, cache: AnalysisCache, person: Person) -> LiveFigures:
    """Both windows by the functions that long recordings take, from all beats of the time."""
    now = stores.now()
    beats = load_beats(stores, person, now - HOUR, now + MINUTE)
    last = int(beats.time_ns[-1])
    prepared = prepare_beats(beats)
    minute = hrv_windows(beats, np.array([last + 1 - MINUTE]), MINUTE, TIME_ONLY, prepared=prepared)
    five = hrv_windows(
        beats,
        np.array([last + 1 - WINDOW_NS]),
        WINDOW_NS,
        movement=load_movement(stores, person, last + 1 - WINDOW_NS, last + 1),
        prepared=prepared,
    )
    index = cache.baselines.load(stores, person).judge(
        windows_to_stress_index_input(five, person.zone)
    )
    return LiveFigures(
        last,
        finite_or_none(minute.value("mean_hr_bpm")[0]),
        finite_or_none(minute.value("rmssd_ms")[0]),
        finite_or_none(minute.metrics.coverage[0]),
        finite_or_none(1 - minute.metrics.normal_share[0]),
        StressIndexOut.from_index(index, 0, 5.0),
        minute.missing_detail[0],
        Origin.STRAP,
    )


@pytest.mark.parametrize("seed", [3, 4])
def test_the_live_heart_is_that_of_long_recordings(
    stores: Stores, ada: Person, at: list[int], seed: int
) -> None:
    for day in (3, 2, 1):
        put_beats(stores, ada, MIDNIGHT - day * DAY + 8 * HOUR, 4000, seed=day)
    strap = Strap(stores, ada, at[0] - 15 * MINUTE, seed)
    cache, judged = AnalysisCache(), 0
    for _ in range(12):
        strap.send(at[0])
        found = cache.live.load(stores, cache.baselines, ada)
        expected = live_from_nothing(stores, cache, ada)
        assert found is not None and found.stress_index is not None
        assert expected.stress_index is not None
        if at[0] - found.last_ns <= STALE_S * SECOND:
            for name in ("heart_rate_bpm", "rmssd_ms", "coverage", "removed_share"):
                value = getattr(expected, name)
                near = None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)
                assert getattr(found, name) == near, name
            assert found.missing == expected.missing and found.last_ns == expected.last_ns
            assert found.stress_index.value is not None
            others = expected.stress_index.model_dump()
            for name, value in found.stress_index.model_dump().items():
                other = others[name]
                is_number = isinstance(other, float)
                assert value == (pytest.approx(other, rel=1e-9) if is_number else other), name
            judged += 1
        at[0] += 7 * SECOND
    assert judged >= 8


def test_without_a_new_beat_nothing_is_computed_and_a_stale_heart_has_no_figure(
    stores: Stores, ada: Person, at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    strap = Strap(stores, ada, at[0] - 10 * MINUTE)
    strap.send(at[0])
    cache = AnalysisCache()
    first = cache.live.load(stores, cache.baselines, ada)
    at[0] += 3 * SECOND
    monkeypatch.setattr("api.services.live_heart.compute_figures", None)
    assert cache.live.load(stores, cache.baselines, ada) is first
    at[0] += 20 * SECOND
    stale = cache.live.load(stores, cache.baselines, ada)
    assert first is not None and stale is not None and stale.missing is not None
    assert replace(stale, missing=None) == LiveFigures(
        first.last_ns, None, None, None, None, None, None, first.origin
    )
