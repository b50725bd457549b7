"""The stress index of devices that send heart rates and no times between beats."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from api.services.daily_windows import load_daily_hrv
from api.services.imported_records import ParsedImport, SentHeartRate, import_parsed
from api.services.nightly import DaysOfBeats, StoredDays, _pop_days, analyse_task
from ebbtide.beats import Gap, GapReason, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Person
from tests.support.beats import MIDNIGHT, put_beats

DAYS = 4


def put_rates(
    stores: Stores, person: Person, start_ns: int, minutes: int, bpm: float, seed: int = 1
) -> str:
    """A heart rate every five seconds, which wanders around ``bpm`` from minute to minute."""
    rng = np.random.default_rng(seed)
    of_minute = bpm + rng.normal(0, 2, minutes)
    stream = Stream(new_id(), Origin.STRAP, "a watch", start_ns)
    stores.beats.put_stream(person.subject_id, stream)
    times = range(start_ns, start_ns + minutes * MINUTE, 5 * SECOND)
    stores.beats.append(
        person.subject_id,
        stream.id,
        [
            Notification(n, at, round(of_minute[(at - start_ns) // MINUTE]), (), ())
            for n, at in enumerate(times, 1)
        ],
    )
    return stream.id


def get_days(client: httpx.Client) -> dict[str, Any]:
    start = to_datetime(MIDNIGHT)
    end = start + timedelta(days=DAYS) - timedelta(hours=3)
    params = {"start": start.isoformat(), "end": end.isoformat(), "bucket_s": "3600"}
    found: dict[str, Any] = client.get("/v1/hrv/trend", params=params).json()
    return found


def test_a_watch_without_beats_gets_an_index_by_heart_rate_only(
    ada: tuple[httpx.Client, Person], stores: Stores
) -> None:
    client, person = ada
    for day in range(DAYS - 1):
        put_rates(stores, person, MIDNIGHT + day * DAY + 8 * HOUR, 300, 66, seed=day)
    put_rates(stores, person, MIDNIGHT + (DAYS - 1) * DAY + 8 * HOUR, 300, 78, seed=9)
    found = get_days(client)
    last = found["days"][-1]["stress_index"]
    assert last["missing"] is None
    assert last["value"] > 80 and last["low"] > 50
    assert (last["reported_share"], last["baseline_days"]) == (1.0, DAYS - 1)
    assert found["origins"] == ["strap"]
    # Of HRV there is nothing: no window counts as one, and no metric has a value.
    assert (found["windows"], found["usable"]) == (0, 0)
    for bucket in found["buckets"]:
        assert (bucket["rmssd_ms"], bucket["sdnn_ms"], bucket["mean_hr_bpm"]) == (None,) * 3
        assert bucket["stress_index"]["reported_share"] == 1.0
    daily = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAYS * DAY)
    assert daily.reported.all() and len(daily.start_ns) == DAYS * 60
    assert np.isnan(daily.rmssd_ms).all() and np.isnan(daily.vagal).all()
    assert client.get("/v1/stress/baseline").json()["worn_days"] == DAYS
    rows = client.get("/v1/export/hrv").json()["rows"]
    assert len(rows) == DAYS * 60 and all(row["reported_rate"] for row in rows)
    assert {row["rmssd_ms"] for row in rows} == {row["mean_hr_bpm"] for row in rows} == {None}
    assert rows[-1]["stress_index"] > 60


def test_beats_come_before_rates_and_the_rest_is_filled(
    ada: tuple[httpx.Client, Person], stores: Stores
) -> None:
    client, person = ada
    put_beats(stores, person, MIDNIGHT + 9 * HOUR + 2 * MINUTE, 2000)  # some 28 minutes
    alone = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAY)
    assert not alone.reported.any()
    put_rates(stores, person, MIDNIGHT + 8 * HOUR, 180, 90)
    both = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAY)
    # A window that has the last beats alone, too few for one of their own before, is of beats.
    of_beats = both.at(~both.reported & (both.start_ns <= alone.start_ns[-1]))
    np.testing.assert_array_equal(of_beats.start_ns, alone.start_ns)
    np.testing.assert_array_equal(of_beats.rmssd_ms, alone.rmssd_ms)
    np.testing.assert_array_equal(of_beats.minute_bpm, alone.minute_bpm)
    assert np.all(np.diff(both.start_ns) >= 5 * MINUTE)  # none overlaps another
    of_rates = both.at(both.reported)
    assert len(of_rates.start_ns) >= 28
    assert np.all(np.abs(of_rates.window_bpm - 90) < 5)
    share = get_days(client)["days"][0]["stress_index"]["reported_share"]
    assert share == pytest.approx(len(of_rates.start_ns) / len(both.start_ns), abs=0.02)


def test_rates_of_other_systems_count_and_what_was_counted_by_hand_does_not(
    ada: tuple[httpx.Client, Person], stores: Stores
) -> None:
    client, person = ada
    before = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAY)
    assert len(before.start_ns) == 0
    at = MIDNIGHT + 8 * HOUR
    sent = [SentHeartRate(at + k * 5 * MINUTE, 64.0 + k % 5, "a watch") for k in range(60)]
    sent += [SentHeartRate(at - HOUR, 50.0, "by hand", modality="self-reported")]
    import_parsed(stores, person, ParsedImport([], sent, []))
    daily = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAY)
    assert daily.reported.tolist() == [True] * 60
    assert daily.window_bpm.tolist() == [64.0 + k % 5 for k in range(60)]
    assert np.count_nonzero(np.isfinite(daily.minute_bpm)) == 60  # a minute of each window
    # A correction is another content of the day.
    corrected = SentHeartRate(
        at, 70.0, "a watch", status="corrected", issued_ns=stores.now() - MINUTE
    )
    import_parsed(stores, person, ParsedImport([], [corrected], []))
    anew = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAY)
    assert anew.window_bpm[0] == 70.0
    assert get_days(client)["days"][0]["stress_index"]["reported_share"] == 1.0


def test_what_the_rate_fills_is_no_gap_of_the_day(
    ada: tuple[httpx.Client, Person], stores: Stores
) -> None:
    client, person = ada
    ticks, at = 870, MIDNIGHT + 8 * HOUR
    step = ticks * SECOND // 1024
    stream = Stream(new_id(), Origin.STRAP, "a strap", at)
    stores.beats.put_stream(person.subject_id, stream)
    beats = [Notification(k + 1, at + k * step, 70, (ticks,), (at + k * step,)) for k in range(700)]
    last, sequence = beats[-1].beat_times_ns[0], 701
    rates = [
        Notification(sequence + k, last + (k + 1) * SECOND, 70, (), ()) for k in range(60 * 60)
    ]
    later = last + 60 * MINUTE + 2 * SECOND
    end = Notification(sequence + 3600, later, 70, (ticks,), (later,))
    gap = Gap(end.sequence, last, later, GapReason.NO_RR_SENT)
    stores.beats.append(person.subject_id, stream.id, [*beats, *rates, end], [gap])
    day = get_days(client)["days"][0]
    gaps = {item["reason"]: item["minutes"] for item in day["gaps"]}
    assert gaps.get("the device sent no times between beats", 0) <= 10
    assert day["stress_index"]["reported_share"] > 0.7


def test_the_nightly_run_makes_the_same_windows(
    ada: tuple[httpx.Client, Person], stores: Stores
) -> None:
    _, person = ada
    put_rates(stores, person, MIDNIGHT + 8 * HOUR, 60, 66)
    day = MIDNIGHT // DAY
    task = DaysOfBeats(tuple(_pop_days(stores, person, {day: "f"})))
    stored = analyse_task(task)
    assert isinstance(stored, StoredDays)
    daily = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + DAY)
    np.testing.assert_array_equal(stored.days[day].start_ns, daily.start_ns)
    np.testing.assert_array_equal(stored.days[day].metrics["window_bpm"], daily.window_bpm)
