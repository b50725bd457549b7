"""While a strap uploads, the link is not worked out anew, and is never an old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np
import pytest

from analytics.association.hrv_before_rating import Span
from analytics.hrv import BeatArrays, HrvWindows, Movement
from analytics.hrv.reported import ReportedRates
from api.services import link_report as link_service
from api.services.cache import rating_windows
from api.services.cache.analysis import AnalysisCache
from api.services.link_report import link_report, load_report_json
from api.services.rating_windows import (
    RatingWindows,
    WindowGroup,
    compute_group,
    compute_groups,
    group_windows,
    read_group,
)
from api.services.stress_baseline import StressBaselineCache
from ebbtide.beats import Activity, Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import Person, Rating

SignedIn = Callable[..., httpx.Client]
DAYS = 20
MIDNIGHT = 20_700 * DAY


class Wearer:
    """A person with ratings and a strap, and what a process knows of them."""

    def __init__(self, stores: Stores, person: Person) -> None:
        self.stores, self.person, self.cache = stores, person, AnalysisCache()
        self.rng = np.random.default_rng(4)
        self.stream = Stream(new_id(), Origin.STRAP, "a strap", MIDNIGHT)
        stores.beats.put_stream(person.subject_id, self.stream)
        self.sequence, self.at = 1, MIDNIGHT
        for day in range(DAYS):
            self.wear(MIDNIGHT + day * DAY + 8 * HOUR, 4 * HOUR)
            self.rate(MIDNIGHT + day * DAY + 10 * HOUR)
        self.wear(MIDNIGHT + DAYS * DAY + 8 * HOUR, 2 * HOUR)
        self.rate(self.at)

    def wear(self, start_ns: int, lasts_ns: int) -> None:
        ticks = self.rng.integers(820, 940, lasts_ns // SECOND)
        times = start_ns + np.cumsum(ticks * SECOND // 1024)
        self.stores.beats.append(
            self.person.subject_id,
            self.stream.id,
            [
                Notification(self.sequence + k, int(t), 70, (int(n),), (int(t),), True)
                for k, (n, t) in enumerate(zip(ticks, times, strict=True))
            ],
        )
        self.sequence += len(ticks)
        self.at = int(times[-1]) + 1

    def rate(self, at: int) -> None:
        pain, stress = (int(value) for value in self.rng.integers(0, 11, 2))
        self.stores.records.add_rating(
            Rating(new_id(), 1, self.person.id, at, at, "UTC", pain, stress, None, False)
        )

    def get_report(self, span: Span = Span.MINUTES_30) -> str:
        """The report, compared with one that is made without a cache."""
        found = load_report_json(self.stores, self.cache, self.person, 0, 2**62, span)
        ratings = self.stores.records.ratings(self.person.id, 0, 2**62)
        starts, window_index = group_windows(ratings, span)
        groups = [read_group(self.stores, self.person, one) for one in starts]
        anew = RatingWindows(
            tuple(ratings),
            self.person.zone,
            span,
            window_index,
            StressBaselineCache().load(self.stores, self.person),
            tuple(compute_groups(groups)),
            frozenset().union(*(group.origins for group in groups)),
        )
        assert found == link_report(anew).model_dump_json()
        return found


@pytest.fixture
def wearer(signed_in: SignedIn, stores: Stores) -> Wearer:
    signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    # The last day is today: the baseline is of the days before it.
    return Wearer(replace(stores, now=lambda: MIDNIGHT + DAYS * DAY + 18 * HOUR), person)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is computed: windows, and reports."""
    seen: list[str] = []
    windows, report = compute_groups, link_service.link_report

    def noted_windows(groups: list[WindowGroup]) -> list[HrvWindows]:
        seen.extend("windows" for _ in groups)
        return windows(groups)

    def noted_report(*given: object) -> object:
        seen.append("report")
        return report(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rating_windows, "compute_groups", noted_windows)
    monkeypatch.setattr(link_service, "link_report", noted_report)
    return seen


def test_beats_after_the_last_rating_change_nothing(wearer: Wearer, computed: list[str]) -> None:
    first = wearer.get_report()
    assert computed.count("windows") == DAYS + 1
    del computed[:]
    for _ in range(5):
        wearer.wear(wearer.at, MINUTE)
        assert wearer.get_report() == first
    assert computed == []


def test_a_new_rating_has_its_own_windows_worked_out(wearer: Wearer, computed: list[str]) -> None:
    first = wearer.get_report()
    wearer.wear(wearer.at, 4 * HOUR)
    wearer.rate(wearer.at)
    del computed[:]
    assert wearer.get_report() != first
    assert computed == ["windows", "report"]


def test_beats_and_movement_that_come_late_are_seen(wearer: Wearer) -> None:
    first = wearer.get_report()
    stores, subject = wearer.stores, wearer.person.subject_id
    other = Stream(new_id(), Origin.STRAP, "another", MIDNIGHT)
    stores.beats.put_stream(subject, other)
    # A day on which the strap was not worn before its rating, and that of another one was.
    at = MIDNIGHT + 3 * DAY + 16 * HOUR
    wearer.rate(at)
    without = wearer.get_report()
    assert without != first
    times = [at - 40 * MINUTE + k * SECOND for k in range(2400)]
    notes = [Notification(k + 1, t, 60, (1024,), (t,), True) for k, t in enumerate(times)]
    stores.beats.append(subject, other.id, notes)
    with_beats = wearer.get_report()
    assert with_beats != without
    spans = [Activity(at - 30 * MINUTE + k * 5 * SECOND, 40.0 + k % 7) for k in range(360)]
    stores.beats.append_activity(subject, other.id, spans)
    wearer.get_report()


def test_a_request_for_a_part_leaves_the_whole_cached(wearer: Wearer, computed: list[str]) -> None:
    whole = wearer.get_report()
    del computed[:]
    week = load_report_json(
        wearer.stores, wearer.cache, wearer.person, MIDNIGHT, MIDNIGHT + 7 * DAY, Span.MINUTES_30
    )
    assert week != whole
    wearer.wear(wearer.at, MINUTE)
    assert wearer.get_report() == whole
    assert computed == ["report"]


def test_each_span_is_cached_separately(wearer: Wearer) -> None:
    found = {span: wearer.get_report(span) for span in Span}
    assert len(set(found.values())) == len(Span)
    wearer.wear(wearer.at, MINUTE)
    assert {span: wearer.get_report(span) for span in Span} == found


def test_without_ratings_the_report_is_empty(signed_in: SignedIn, stores: Stores) -> None:
    signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    found = load_report_json(stores, AnalysisCache(), person, 0, 2**62, Span.MINUTES_30)
    assert '"given":0' in found


def test_groups_together_are_as_each_alone() -> None:
    rng = np.random.default_rng(4)

    def group(day: int, hours: float, straps: int) -> WindowGroup:
        first = 20_000 * DAY + day * DAY + 9 * HOUR
        starts = first + 5 * MINUTE * np.arange(int(hours * 12))
        parts = []
        for strap in range(straps):
            rr = np.round(830 + 40 * rng.standard_normal(round(hours * 3900)), 3)
            rr[rng.random(len(rr)) < 0.03] *= 2
            time_ns = first - 60 * SECOND + np.cumsum(np.round(rr * 1e6).astype(np.int64))
            keep = (rng.random(len(rr)) > 0.01) & (time_ns >= first)
            follows = np.append(True, keep[:-1])[keep]
            contact = rng.choice(np.array([1, 1, 1, 0, -1], np.int8), len(rr))[keep]
            stream = np.full(np.count_nonzero(keep), strap, np.int32)
            parts.append((time_ns[keep], rr[keep], follows, contact, stream))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        moved = first + 5 * SECOND * np.arange(300)
        movement = Movement(moved, rng.uniform(0, 90, 300))
        at = first + 2 * SECOND * np.arange(round(hours * 1800))
        bpm = 72 + 5 * rng.standard_normal(len(at))
        rates = ReportedRates(at, bpm, np.zeros(len(at), np.int32))
        beats = BeatArrays(*(column[order] for column in columns))
        return WindowGroup(starts, beats, movement, rates, frozenset())

    nothing = group(2, 0.5, 1)
    none = np.zeros(len(nothing.beats.time_ns), np.bool_)
    beats = nothing.beats
    empty = BeatArrays(
        *(beats.time_ns[none], beats.rr_ms[none], beats.follows[none], beats.contact[none]),
        beats.stream[none],
    )
    groups = [
        *(group(0, 0.5, 1), group(1, 0.5, 2), replace(nothing, beats=empty), group(3, 2.0, 1)),
        *(group(30, 0.5, 1), group(31, 0.5, 1), group(29, 0.5, 1)),
    ]
    together = compute_groups(groups)
    assert together[2].reported is not None
    assert together[2].reported.all()
    for found, one in zip(together, groups, strict=True):
        expected = compute_group(one)
        for name in ("start_ns", "reported"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert found.start_ns.tolist() == expected.start_ns.tolist()
        assert found.missing_detail == expected.missing_detail
        for name in expected.metrics.values:
            np.testing.assert_allclose(found.value(name), expected.value(name), rtol=1e-9)
        for name in ("coverage", "normal_share", "longest_gap_s", "filled_share", "motion_mg"):
            a, b = getattr(found.metrics, name), getattr(expected.metrics, name)
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=name)
        for name in ("minute_bpm", "window_bpm", "vagal"):
            a, b = getattr(found.rates, name), getattr(expected.rates, name)
            np.testing.assert_allclose(a, b, rtol=1e-9, err_msg=name)
