"""While a strap uploads, the link is not worked out anew, and is never an old one."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import numpy as np
import pytest

from analytics.association.hrv_before_rating import Span
from api.routes.analysis import link as link_route
from api.routes.analysis.link import link_report, load_report_json
from api.services.cache import rating_windows
from api.services.cache.analysis import AnalysisCache
from api.services.rating_windows import load_rating_windows, read_rating_beats
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
        self.stores, self.person, self.known = stores, person, AnalysisCache()
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

    def asked(self, span: Span = Span.MINUTES_30) -> str:
        """The report, held against one that is made from nothing that is known."""
        found = load_report_json(self.stores, self.known, self.person, 0, 2**62, span)
        ratings = self.stores.records.ratings(self.person.id, 0, 2**62)
        read = read_rating_beats(ratings, self.person, self.stores, StressBaselineCache(), span)
        assert found == link_report(load_rating_windows(read)).model_dump_json()
        return found


@pytest.fixture
def wearer(signed_in: SignedIn, stores: Stores) -> Wearer:
    signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    return Wearer(stores, person)


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is worked out: windows, and reports."""
    seen: list[str] = []
    windows, report = rating_windows.windows_of_piece, link_route.link_report

    def noted_windows(*given: object) -> object:
        seen.append("windows")
        return windows(*given)  # type: ignore[arg-type]

    def noted_report(*given: object) -> object:
        seen.append("report")
        return report(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rating_windows, "windows_of_piece", noted_windows)
    monkeypatch.setattr(link_route, "link_report", noted_report)
    return seen


def test_beats_after_the_last_rating_change_nothing(wearer: Wearer, worked_out: list[str]) -> None:
    first = wearer.asked()
    assert worked_out.count("windows") == DAYS + 1
    del worked_out[:]
    for _ in range(5):
        wearer.wear(wearer.at, MINUTE)
        assert wearer.asked() == first
    assert worked_out == []


def test_a_new_rating_has_its_own_windows_worked_out(wearer: Wearer, worked_out: list[str]) -> None:
    first = wearer.asked()
    wearer.wear(wearer.at, 4 * HOUR)
    wearer.rate(wearer.at)
    del worked_out[:]
    assert wearer.asked() != first
    assert worked_out == ["windows", "report"]


def test_beats_and_movement_that_come_late_are_seen(wearer: Wearer) -> None:
    first = wearer.asked()
    stores, subject = wearer.stores, wearer.person.subject_id
    other = Stream(new_id(), Origin.STRAP, "another", MIDNIGHT)
    stores.beats.put_stream(subject, other)
    # A day on which the strap was not worn before its rating, and that of another one was.
    at = MIDNIGHT + 3 * DAY + 16 * HOUR
    wearer.rate(at)
    without = wearer.asked()
    assert without != first
    times = [at - 40 * MINUTE + k * SECOND for k in range(2400)]
    notes = [Notification(k + 1, t, 60, (1024,), (t,), True) for k, t in enumerate(times)]
    stores.beats.append(subject, other.id, notes)
    with_beats = wearer.asked()
    assert with_beats != without
    spans = [Activity(at - 30 * MINUTE + k * 5 * SECOND, 40.0 + k % 7) for k in range(360)]
    stores.beats.append_activity(subject, other.id, spans)
    wearer.asked()


def test_a_look_at_a_part_leaves_the_whole_known(wearer: Wearer, worked_out: list[str]) -> None:
    whole = wearer.asked()
    del worked_out[:]
    week = load_report_json(
        wearer.stores, wearer.known, wearer.person, MIDNIGHT, MIDNIGHT + 7 * DAY, Span.MINUTES_30
    )
    assert week != whole
    wearer.wear(wearer.at, MINUTE)
    assert wearer.asked() == whole
    assert worked_out == ["report"]


def test_each_span_is_known_by_itself(wearer: Wearer) -> None:
    found = {span: wearer.asked(span) for span in Span}
    assert len(set(found.values())) == len(Span)
    wearer.wear(wearer.at, MINUTE)
    assert {span: wearer.asked(span) for span in Span} == found


def test_without_ratings_there_is_nothing_to_know(signed_in: SignedIn, stores: Stores) -> None:
    signed_in()
    person = stores.records.person_by_email("ada@example.org")
    assert person is not None
    found = load_report_json(stores, AnalysisCache(), person, 0, 2**62, Span.MINUTES_30)
    assert '"given":0' in found
