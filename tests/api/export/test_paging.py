"""Pages while others write: no row is lost or comes twice, and nothing filters on true times."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import numpy as np
import pytest

from api.export.columns import Table
from api.services.research_identity import GRID, WEEK
from ebbtide.beats import Notification, Origin, Stream, new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND, to_datetime
from store import Stores
from store.models import Purpose, TherapySession
from store.models.records import Role
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, add_rating, opened_clinic
from tests.support.cohort_clinic import (
    RELEASED_WEEKS,
    agree_together,
    identity_of,
    with_movable_clock,
)


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        for hour in range(24, 4, -1):
            add_rating(opened, "ada", stores.now() - hour * HOUR)
        yield opened


@pytest.fixture
def released(stores: Stores) -> Iterator[Clinic]:
    """Ada and five others agreed; hers are released, on a Wednesday."""
    with opened_clinic(stores) as opened:
        begin = (stores.now() // WEEK - RELEASED_WEEKS) * WEEK + 6 * DAY
        for hour in range(20):
            add_rating(opened, "ada", begin + hour * HOUR)
        agree_together(opened, "ada", people=6)
        yield opened


def read_pages(
    client: httpx.Client, path: str, between: Callable[[int], None], **params: object
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    untils, number, cursor = set(), 0, None
    while True:
        query = {**params, **({"cursor": cursor} if cursor else {})}
        page = client.get(path, params=query).raise_for_status().json()  # type: ignore[arg-type]
        rows += page["rows"]
        untils.add(page["until"])
        cursor = page["next"]
        if cursor is None:
            assert len(untils) == 1  # what is written meanwhile belongs to the next increment
            return rows
        number += 1
        between(number)


@pytest.mark.parametrize("who", ["ada", "ann"])
def test_writes_between_pages_lose_and_double_no_row(released: Clinic, who: str) -> None:
    clinic, path = released, "/v1/export/ratings"
    if who == "ann":
        path = "/v1/research/ratings"
    ada = clinic["ada"]
    before = ada.get("/v1/export/ratings").json()["rows"]
    first, corrected = before[0], before[8]
    removed = set()

    def write(number: int) -> None:
        if number == 1:
            answer = ada.delete(f"/v1/ratings/{first['rating']}", params={"version": 1})
            answer.raise_for_status()
            removed.add(first["about_ns"])
        elif number == 2:
            add_rating(clinic, "ada", first["about_ns"] - 5 * MINUTE)  # older than all
        elif number == 3:
            body = {"pain": 9, "stress": 9, "version": 1}
            ada.put(f"/v1/ratings/{corrected['rating']}", json=body).raise_for_status()

    rows = read_pages(clinic[who], path, write, limit=3)
    names = [row["rating"] for row in rows]
    assert len(names) == len(set(names))
    # All that were there all the time are there; the withdrawn one was on a page before.
    seen = {row["about_ns"] for row in rows}
    expected = np.array([row["about_ns"] for row in before], dtype=np.int64)
    if who == "ann":
        identity = identity_of(clinic.stores, clinic.people["ann"], clinic.people["ada"])
        expected = identity.clock.to_research(expected)[0] // GRID * GRID
    assert seen == set(expected.tolist())


def test_an_increment_has_what_was_withdrawn(clinic: Clinic) -> None:
    ada = clinic["ada"]
    since = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    row = ada.get("/v1/export/ratings").json()["rows"][4]
    ada.delete(f"/v1/ratings/{row['rating']}", params={"version": 1}).raise_for_status()
    found = {
        item["rating"]: item["withdrawn"]
        for item in read_pages(ada, "/v1/export/ratings", lambda _: None, since=since, limit=3)
    }
    assert found[row["rating"]] is True
    assert sum(found.values()) == 1


def test_beats_of_two_straps_at_one_moment_are_on_pages_once(clinic: Clinic) -> None:
    person, stores = clinic.people["ada"], clinic.stores
    begin = stores.now() // SECOND * SECOND - HOUR
    for _ in range(3):
        stream = Stream(new_id(), Origin.STRAP, "strap", begin)
        stores.beats.put_stream(person.subject_id, stream)
        items = [
            Notification(k, begin + k * SECOND, 60, (1024,), (begin + k * SECOND,), True)
            for k in range(1, 8)
        ]
        stores.beats.append(person.subject_id, stream.id, items)

    def write(number: int) -> None:
        if number == 2:  # an older recording is uploaded
            late = Stream(new_id(), Origin.STRAP, "strap", begin - HOUR)
            stores.beats.put_stream(person.subject_id, late)
            stores.beats.append(
                person.subject_id,
                late.id,
                [Notification(1, begin - HOUR, 60, (1024,), (begin - HOUR,), True)],
            )

    for limit in (1, 2, 5):
        rows = read_pages(clinic["ada"], "/v1/export/beats", write, limit=limit)
        keys = [(row["time_ns"], row["stream"]) for row in rows if row["time_ns"] >= begin]
        assert len(keys) == len(set(keys)) == 21
        assert keys == sorted(keys)


def test_fhir_pages_lose_and_double_nothing(clinic: Clinic) -> None:
    ada = clinic["ada"]
    rows = ada.get("/v1/export/ratings").json()["rows"]
    url, ids, number = "/v1/fhir/Observation?limit=4", [], 0
    while url:
        page = ada.get(url).raise_for_status().json()
        ids += [
            entry["resource"]["id"]
            for entry in page["entry"]
            if entry["resource"]["resourceType"] == "Observation"
        ]
        links = {link["relation"]: link["url"] for link in page["link"]}
        url, number = links.get("next", ""), number + 1
        if number == 1:
            ada.delete(f"/v1/ratings/{rows[0]['rating']}", params={"version": 1})
            add_rating(clinic, "ada", rows[0]["about_ns"] - MINUTE)
    assert len(ids) == len(set(ids)) == 2 * len(rows)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "bm9wZQ",
        base64.urlsafe_b64encode(b'["", 1.5, "", "", ""]').decode(),
        "W10",
        "é",
        "[" * 400,
    ],
)
def test_a_cursor_of_ones_own_is_refused(clinic: Clinic, cursor: str) -> None:
    ada = clinic["ada"]
    answer = ada.get("/v1/export/ratings", params={"cursor": cursor})
    assert_problem(answer, 422, "query.cursor")
    refused = ada.get("/v1/fhir/Observation", params={"cursor": cursor})
    assert refused.status_code in (400, 422)
    assert refused.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("who", ["ada", "ann"])
def test_a_cursor_goes_on_with_its_own_list_alone(released: Clinic, who: str) -> None:
    """One of another table would skip the rows before its place, and end the list in silence."""
    client, base = released[who], "/v1/research" if who == "ann" else "/v1/export"
    path = f"{base}/ratings"
    page = client.get(path, params={"limit": 3}).json()
    cursor, until = page["next"], page["until"]
    following = client.get(path, params={"limit": 5, "cursor": cursor}).raise_for_status().json()
    assert len(following["rows"]) == 5
    for table in Table:
        if table is not Table.RATINGS:
            refused = client.get(f"{base}/{table}", params={"cursor": cursor})
            assert_problem(refused, 422, "is of another list")
    start = to_datetime(page["rows"][0]["about_ns"]).replace(tzinfo=None).isoformat()
    if who == "ada":
        start += "Z"
    others: list[dict[str, Any]] = [{"start": start}, {"end": start}, {"since": until}]
    if who == "ann":
        people = released["ann"].get("/v1/research/people").json()["people"]
        others.append({"person": [row["person"] for row in people][:5]})
    for query in others:
        if "end" in query:
            query["start"] = "2000-01-01T00:00:00" + "Z" * (who == "ada")
        refused = client.get(path, params={"cursor": cursor, **query})
        assert_problem(refused, 422, "is of another list")
    # Of the same query it goes on; another person's is of another list.
    query = {"start": start, "limit": 2}
    own = client.get(path, params=query).json()["next"]
    assert client.get(path, params={**query, "cursor": own}).raise_for_status().json()["rows"]
    if who == "ada":
        refused = released["eve"].get(path, params={"cursor": cursor})
        assert_problem(refused, 422, "is of another list")


def test_research_filters_on_no_true_time(released: Clinic) -> None:
    """By `since` an analyst could bisect when a rating was entered, and so find the weeks by which
    its dates are moved.
    """
    clinic = released
    ann, stores = clinic["ann"], clinic.stores
    now = to_datetime(stores.now())
    for since in (now.isoformat(), (now - timedelta(days=30)).isoformat(), "0", str(stores.now())):
        for path in ("/v1/research/ratings", "/v1/research/beats.parquet"):
            assert_problem(ann.get(path, params={"since": since}), 422, "query.since")
    page = ann.get("/v1/research/ratings", params={"limit": 3}).json()
    token = page["until"]
    assert ann.get("/v1/research/ratings", params={"since": token}).status_code == 200
    # Changed by one bit, or of another account, it is none.
    content = bytearray(base64.urlsafe_b64decode(token))
    for place in (3, 7, 20):
        forged = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
        word = base64.urlsafe_b64encode(forged).decode()
        assert_problem(ann.get("/v1/research/ratings", params={"since": word}), 422, "query.since")
    # Nor can a cursor be made that brings a word for another moment.
    words = base64.urlsafe_b64decode(page["next"] + "==").decode()
    made = base64.urlsafe_b64encode(words.replace(token, "2026-01-01T00:00:00Z").encode()).decode()
    assert_problem(ann.get("/v1/research/ratings", params={"cursor": made}), 422, "query.cursor")
    for row in page["rows"]:
        assert not {"entered_ns", "entered"} & row.keys()
    # A range is compared with what is exported: no end of one tells the seconds.
    row = page["rows"][1]
    begin = to_datetime(row["about_ns"])
    for start, is_there in (
        (begin, True),
        (begin + timedelta(microseconds=1), False),
        (begin + timedelta(seconds=299), False),
    ):
        rows = ann.get("/v1/research/ratings", params={"start": start.isoformat()}).json()["rows"]
        assert (row["rating"] in [item["rating"] for item in rows]) is is_there
    zoned = begin.replace(tzinfo=timezone(timedelta(hours=1))).isoformat()
    assert_problem(ann.get("/v1/research/ratings", params={"start": zoned}), 422, "without a zone")
    naive = begin.replace(tzinfo=None).isoformat()
    assert ann.get("/v1/research/ratings", params={"start": naive}).status_code == 200
    assert_problem(ann.get("/v1/research/link", params={"start": naive}), 422, "leave out start")


def test_research_increments_make_the_whole(released: Clinic) -> None:
    clinic = released
    ann, ada = clinic["ann"], clinic["ada"]
    path = "/v1/research/ratings"
    first = ann.get(path).json()
    copy = {row["rating"]: row for row in first["rows"]}
    own = ada.get("/v1/export/ratings").json()["rows"]
    ada.delete(f"/v1/ratings/{own[2]['rating']}", params={"version": 1}).raise_for_status()
    ada.put(f"/v1/ratings/{own[3]['rating']}", json={"pain": 9, "stress": 9, "version": 1})
    # Who joins later comes whole, with what was entered long before: five at a time.
    old = (clinic.stores.now() // WEEK - RELEASED_WEEKS - 3) * WEEK + 12 * HOUR
    names = ["eve", *(f"new{number}" for number in range(4))]
    for name in names[1:]:
        clinic.add(name, Role.PATIENT)
    for name in names:
        assert len(ann.get("/v1/research/people").json()["people"]) == 6
        add_rating(clinic, name, old, entered_ns=old // 1000 * 1000)
        clinic.agree(name, Purpose.RESEARCH)
    for row in ann.get(path, params={"since": first["until"]}).json()["rows"]:
        copy[row["rating"]] = row
    whole = {row["rating"]: row for row in ann.get(path).json()["rows"]}
    assert {key: row for key, row in copy.items() if not row["withdrawn"]} == whole
    assert len(whole) == len(first["rows"]) - 1 + 5  # one withdrawn, one of each who joined
    assert len(ann.get("/v1/research/people").json()["people"]) == 11


def test_an_increment_has_what_was_released_since(stores: Stores) -> None:
    stores, clock = with_movable_clock(stores)
    with opened_clinic(stores) as clinic:
        agree_together(clinic, "ada")
        first_day = stores.now() // WEEK * WEEK
        for week in range(-RELEASED_WEEKS, 0):
            add_rating(clinic, "ada", first_day + week * WEEK + 12 * HOUR)
        ann, path = clinic["ann"], "/v1/research/ratings"
        ann.get(path).raise_for_status()  # they join the cohort
        clock.ahead_ns += HOUR
        first = ann.get(path).json()
        clock.ahead_ns += WEEK
        clock.sign_in_again(clinic)
        ann = clinic["ann"]
        rows = ann.get(path, params={"since": first["until"]}).json()["rows"]
        whole = ann.get(path).json()["rows"]
        assert 0 < len(first["rows"]) < RELEASED_WEEKS - 3
        assert len(whole) == len(first["rows"]) + 1
        assert [row["rating"] for row in rows] == [whole[-1]["rating"]]


def test_an_increment_has_the_meetings_of_the_first_day_of_a_week(stores: Stores) -> None:
    stores, clock = with_movable_clock(stores)
    with opened_clinic(stores) as clinic:
        agree_together(clinic, "ada")
        person = clinic.people["ada"]
        sunday = stores.now() // WEEK * WEEK + 3 * DAY + 12 * HOUR
        for number, week in enumerate(range(-RELEASED_WEEKS, 0), 1):
            held = sunday + week * WEEK
            meeting = TherapySession(new_id(), person.id, number, held, changed_ns=held)
            stores.records.add_session(meeting)
        ann, path = clinic["ann"], "/v1/research/sessions"
        ann.get(path).raise_for_status()  # they join the cohort
        clock.ahead_ns += HOUR
        first = ann.get(path).json()
        clock.ahead_ns += WEEK
        clock.sign_in_again(clinic)
        ann = clinic["ann"]
        rows = ann.get(path, params={"since": first["until"]}).json()["rows"]
        whole = ann.get(path).json()["rows"]
        assert len(whole) == len(first["rows"]) + 1
        assert rows == whole[-1:]
