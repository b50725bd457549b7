"""Windows before ratings that are kept in the store: the same answer from less work."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from analytics.association.hrv_before_rating import Span
from api.services import kept_windows
from api.services import nightly as nightly_service
from api.services.cache import rating_windows
from api.services.cache.analysis import AnalysisCache
from api.services.kept_windows import decode, encode, load_kept_windows
from api.services.link_report import load_report_json
from ebbtide.beats import Activity, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from store import Stores
from store.models import Person, Rating, StoredReport
from tests.support.assertions import assert_close
from tests.support.beats import MIDNIGHT, put_beats

SPAN = Span.MINUTES_30
KIND = f"windows before, {SPAN}"
DAYS = 6


class Here(Executor):
    """Works at once, in this thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def live_day(stores: Stores, person: Person, day: int) -> None:
    """An hour with a strap, with movement, two ratings in it and one without beats."""
    start = MIDNIGHT + day * DAY
    stream = put_beats(stores, person, start + 8 * HOUR, 4000, seed=day)
    moved = [Activity(start + 8 * HOUR + k * 5 * SECOND, 12.0 + k % 7) for k in range(300)]
    stores.beats.append_activity(person.subject_id, stream, moved)
    for n, at in enumerate((8 * HOUR + 35 * MINUTE, 8 * HOUR + 50 * MINUTE, 20 * HOUR)):
        rating = Rating(
            *(new_id(), 1, person.id, start + at, start + at, "Europe/Berlin"),
            *((day * 5 + n) % 11, (day * 3 + n) % 10, None, False),
        )
        stores.records.add_rating(rating)


@pytest.fixture
def person(stores: Stores, patient: Callable[..., str]) -> Person:
    found = stores.records.person_by_email(patient())
    assert found is not None
    for day in range(DAYS):
        live_day(stores, found, day)
    return found


def analyse(stores: Stores, person: Person) -> Any:
    done = nightly_service.analyse_people(stores, [person], Here(), 1)
    assert done.failed == []
    report = stores.records.report(person.id, SPAN)
    assert report is not None
    return json.loads(report.body)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The days of the groups of beats that the nightly run reads."""
    found: list[int] = []
    inner = kept_windows.read_group

    def read_group(stores: Stores, person: Person, starts: Any) -> object:
        found.append(int((starts[0] - MIDNIGHT) // DAY))
        return inner(stores, person, starts)

    monkeypatch.setattr(kept_windows, "read_group", read_group)
    return found


def test_one_more_day_is_one_day_of_work(stores: Stores, person: Person, reads: list[int]) -> None:
    analyse(stores, person)
    assert sorted(set(reads)) == list(range(DAYS))
    del reads[:]
    live_day(stores, person, DAYS)
    grown = analyse(stores, person)
    assert set(reads) == {DAYS}
    # From nothing it is the same.
    stores.records.delete_reports(person.id)
    del reads[:]
    assert_close(analyse(stores, person), grown)
    assert sorted(set(reads)) == list(range(DAYS + 1))
    # Beats that come late to an old day are read.
    del reads[:]
    put_beats(stores, person, MIDNIGHT + 2 * DAY + 19 * HOUR + 20 * MINUTE, 2000, seed=99)
    late = analyse(stores, person)
    assert set(reads) == {2}
    assert late["beats_before_ratings"]["usable"] > grown["beats_before_ratings"]["usable"]


def test_what_is_kept_is_what_was_computed(stores: Stores, person: Person) -> None:
    analyse(stores, person)
    kept = load_kept_windows(stores, person, SPAN)
    assert len(kept) > DAYS
    again = decode(encode(kept))
    assert list(again) == list(kept)
    for key, group in kept.items():
        other = again[key]
        assert (group.days, group.beats, group.origins) == (other.days, other.beats, other.origins)
        assert group.windows.missing_reason == other.windows.missing_reason
        assert group.windows.missing_detail == other.windows.missing_detail
        assert key[2] == len(group.windows)
        for part in ("metrics", "rates"):
            one, two = getattr(group.windows, part), getattr(other.windows, part)
            for field in fields(one):
                left, right = getattr(one, field.name), getattr(two, field.name)
                names = left if isinstance(left, dict) else {"": left}
                values = right if isinstance(right, dict) else {"": right}
                assert names.keys() == values.keys()
                for name in names:
                    np.testing.assert_array_equal(names[name], values[name])
                    assert np.asarray(names[name]).dtype == np.asarray(values[name]).dtype


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: "",
        lambda body: body[: len(body) // 2],
        lambda body: "not base64 \u00e4",
        lambda body: base64.b64encode(b"PK\x03\x04 no archive").decode(),
        lambda body: body[:200] + ("A" if body[200] != "A" else "B") + body[201:],
    ],
)
def test_what_cannot_be_read_is_computed_again(
    stores: Stores, person: Person, damage: Callable[[str], str]
) -> None:
    first = analyse(stores, person)
    stored = stores.records.report(person.id, KIND)
    assert stored is not None
    stores.records.put_report(replace(stored, body=damage(stored.body)))
    assert load_kept_windows(stores, person, SPAN) == {}
    report = stores.records.report(person.id, SPAN)
    assert report is not None
    stores.records.put_report(replace(report, fingerprint="old"))
    assert_close(analyse(stores, person), first)


def test_another_version_is_not_used(stores: Stores, person: Person) -> None:
    analyse(stores, person)
    stored = stores.records.report(person.id, KIND)
    assert stored is not None
    stores.records.put_report(StoredReport(person.id, KIND, "of before", stored.body))
    assert load_kept_windows(stores, person, SPAN) == {}


def test_a_process_that_has_just_started_goes_on_from_it(
    stores: Stores, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse(stores, person)
    live_day(stores, person, DAYS)
    computed: list[int] = []
    inner = rating_windows.compute_groups

    def compute_groups(groups: list[Any]) -> object:
        computed.extend(int((group.starts[0] - MIDNIGHT) // DAY) for group in groups)
        return inner(groups)

    monkeypatch.setattr(rating_windows, "compute_groups", compute_groups)
    body = load_report_json(stores, AnalysisCache(), person, 0, 2**62, SPAN)
    assert set(computed) == {DAYS}
    stores.records.delete_reports(person.id)
    assert_close(
        json.loads(load_report_json(stores, AnalysisCache(), person, 0, 2**62, SPAN)),
        json.loads(body),
    )
    assert set(computed) == set(range(DAYS + 1))


def test_an_erasure_takes_it_along(stores: Stores, person: Person) -> None:
    from api.services.erasure import erase_person

    analyse(stores, person)
    assert stores.records.report(person.id, KIND) is not None
    erase_person(stores, person.email)
    assert stores.records.report(person.id, KIND) is None
