"""Trends over long ranges, from stored windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from api.services import hrv_trend
from api.services.cache.responses import ResponseCache
from api.services.daily_windows import load_daily_hrv
from api.services.inputs import local_day_and_hour
from ebbtide.timestamps import DAY, HOUR, MINUTE, to_datetime
from store import Stores
from store.models import Person
from tests.support.beats import MIDNIGHT, put_beats
from tests.support.uploads import get_hrv


def get_trend(client: httpx.Client, days: float, **more: object) -> dict[str, Any]:
    start = to_datetime(MIDNIGHT)
    params = {"start": start.isoformat(), "end": (start + timedelta(days=days)).isoformat()}
    found: dict[str, Any] = client.get("/v1/hrv/trend", params={**params, **more}).json()  # type: ignore[dict-item]
    return found


def test_a_trend_is_the_medians_of_the_windows(
    ada: tuple[httpx.Client, Person], stores: Stores
) -> None:
    client, person = ada
    put_beats(stores, person, MIDNIGHT + 8 * HOUR, 5000)
    put_beats(stores, person, MIDNIGHT + DAY + 9 * HOUR + 17 * MINUTE, 800, seed=2)
    found = get_trend(client, 3, bucket_s="3600")
    start = to_datetime(MIDNIGHT)
    windows = get_hrv(client, start, 3)["windows"]
    assert found["windows"] == len(windows) and found["usable"] > 10
    by_hour: dict[str, list[float]] = {}
    for window in windows:
        if window["missing"] is None:
            by_hour.setdefault(window["start"][:13], []).append(window["rmssd_ms"])
    assert {b["start"][:13] for b in found["buckets"] if b["usable"]} == set(by_hour)
    for bucket in found["buckets"]:
        if bucket["usable"]:
            expected = np.median(by_hour[bucket["start"][:13]])
            assert bucket["rmssd_ms"] == pytest.approx(expected, rel=1e-6)
            assert "two worn days" in bucket["stress_index"]["missing"]
    assert found["origins"] == ["strap"]


def test_windows_are_worked_out_once_and_again_when_beats_come(
    ada: tuple[httpx.Client, Person], stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, person = ada
    put_beats(stores, person, MIDNIGHT + 8 * HOUR, 1000)
    put_beats(stores, person, MIDNIGHT + DAY + 8 * HOUR, 1000)
    reads: list[int] = []
    inner = stores.beats.read

    def read(subject: str, start: int, end: int) -> object:
        reads.append(start // DAY)
        return inner(subject, start, end)

    monkeypatch.setattr(stores.beats, "read", read)
    first = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + 2 * DAY)
    assert reads == [20_700, 20_701]
    again = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + 2 * DAY)
    assert len(reads) == 2
    np.testing.assert_array_equal(first.rmssd_ms, again.rmssd_ms)
    put_beats(stores, person, MIDNIGHT + DAY + 12 * HOUR, 1000)
    more = load_daily_hrv(stores, person, MIDNIGHT, MIDNIGHT + 2 * DAY)
    assert reads[2:] == [20_701]
    assert len(more.start_ns) > len(first.start_ns)
    half = load_daily_hrv(stores, person, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY)
    assert half.start_ns.min() >= MIDNIGHT + DAY
    assert len(load_daily_hrv(stores, person, MIDNIGHT + 5 * DAY, MIDNIGHT + 6 * DAY).start_ns) == 0


def test_an_answer_is_the_same_until_beats_come(
    ada: tuple[httpx.Client, Person], stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, person = ada
    put_beats(stores, person, MIDNIGHT + 8 * HOUR, 2000)
    made: list[int] = []
    inner = hrv_trend.load_daily_hrv

    def counted(*words: Any, **more: Any) -> Any:
        made.append(1)
        return inner(*words, **more)

    monkeypatch.setattr(hrv_trend, "load_daily_hrv", counted)
    first = get_trend(client, 1, bucket_s="3600")
    # The range is widened to whole buckets: a request some minutes later is for the same ones.
    start = to_datetime(MIDNIGHT)
    later = client.get(
        "/v1/hrv/trend",
        params={
            "start": (start + timedelta(minutes=7)).isoformat(),
            "end": (start + timedelta(hours=23, minutes=50)).isoformat(),
            "bucket_s": "3600",
        },
    ).json()
    assert later == first and len(made) == 1
    assert {b["start"][14:19] for b in first["buckets"]} == {"00:00"}
    assert get_trend(client, 1, bucket_s="1800") != first and len(made) == 2
    put_beats(stores, person, MIDNIGHT + 12 * HOUR, 2000, seed=3)
    more = get_trend(client, 1, bucket_s="3600")
    assert more["usable"] > first["usable"] and len(made) == 3


def test_response_cache_drops_the_least_recently_used() -> None:
    cache = ResponseCache(max_bytes=10)
    cache.put("a", b"12345")
    cache.put("b", b"12345")
    assert cache.get("a") == b"12345"
    cache.put("c", b"12")
    assert [cache.get(key) for key in "abc"] == [b"12345", None, b"12"]
    cache.put("a", b"1")
    cache.put("d", b"1234567")
    assert cache.get("a") == b"1" and cache.get("d") == b"1234567"
    cache.put("e", b"longer than all there is")
    assert cache.get("e") is None and cache.get("d") == b"1234567"


def test_too_long_and_too_fine_are_refused(ada: tuple[httpx.Client, Person]) -> None:
    client, _ = ada
    assert "at most 400 days" in get_trend(client, 500)["detail"]
    assert "longer bucket_s" in get_trend(client, 300, bucket_s="300")["detail"]
    assert get_trend(client, 30)["buckets"] == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "UTC"])
def test_local_days_and_hours(zone: str) -> None:
    moments = MIDNIGHT + np.arange(0, 400 * DAY, 7 * HOUR + 13 * MINUTE, dtype=np.int64)
    day, hour = local_day_and_hour(moments, zone)
    for moment, one_day, one_hour in zip(moments.tolist(), day, hour, strict=True):
        local = to_datetime(moment, zone)
        assert (local.toordinal(), local.hour + local.minute / 60) == (
            one_day,
            pytest.approx(one_hour),
        )
    assert (
        datetime.fromtimestamp(0, UTC).toordinal() == local_day_and_hour(np.array([0]), "UTC")[0][0]
    )
