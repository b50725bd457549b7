"""Tables in bulk: the same data in every form, increments, pseudonyms."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
import zstandard

from api.export.encodings import Format, encode_table
from api.services.research_identity import GRID
from ebbtide.beats import Notification
from ebbtide.timestamps import DAY, MILLISECOND, MINUTE, SECOND, to_datetime
from store import Stores
from store.models.records import Purpose, Role
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together, identity_of

TABLES = ["beats", "hrv", "ratings", "sessions", "link", "scores"]


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"])
        fill(stores, opened.people["eve"], days=2, seed=2)
        yield opened


def all_pages(client: httpx.Client, path: str, **params: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {**params, **({"cursor": cursor} if cursor else {})}
        page = client.get(path, params=query).raise_for_status().json()  # type: ignore[arg-type]
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            return rows


def iso(moment_ns: int) -> str:
    """A time with all its digits."""
    return f"{to_datetime(moment_ns):%Y-%m-%dT%H:%M:%S}.{moment_ns % SECOND:09}Z"


def table_of(client: httpx.Client, path: str, form: str, **params: object) -> pa.Table:
    answer = client.get(path, params={"format": form, **params}).raise_for_status()
    if form == "arrow":
        return pa.ipc.open_stream(answer.content).read_all()
    if form == "parquet":
        return pq.read_table(io.BytesIO(answer.content))
    return pc.read_csv(io.BytesIO(answer.content))


def with_iso_times(table: pa.Table) -> list[dict[str, Any]]:
    """The rows, timestamps as JSON has them."""
    for index, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            assert column.type == pa.timestamp("ns", "UTC")
            words = compute.strftime(table[index].cast(pa.timestamp("ns")), "%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(index, column.name, words)
    return table.to_pylist()


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As CSV can say it: an empty word is no word."""
    return [{key: None if value == "" else value for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("table", TABLES)
def test_every_format_has_the_same_rows(clinic: Clinic, table: str) -> None:
    path = f"/v1/export/{table}"
    rows = clinic["ada"].get(path, params={"limit": 100_000}).json()["rows"]
    assert rows
    if table == "beats":
        assert all_pages(clinic["ada"], path, limit=9973) == rows
    else:
        assert all_pages(clinic["ada"], path, limit=3) == rows
    for form in ("arrow", "parquet"):
        assert with_iso_times(table_of(clinic["ada"], path, form)) == rows
    text = clinic["ada"].get(path, params={"format": "csv"}).content
    schema = table_of(clinic["ada"], path, "arrow").schema
    kinds = {
        field.name: pa.string() if pa.types.is_dictionary(field.type) else field.type
        for field in schema
    }
    options = pc.ConvertOptions(column_types=kinds, strings_can_be_null=True)
    read = pc.read_csv(io.BytesIO(text), convert_options=options)
    assert plain(with_iso_times(read)) == plain(rows)


def test_beats_in_bulk_are_the_beats_of_the_store(clinic: Clinic) -> None:
    person = clinic.people["ada"]
    stored = clinic.stores.beats.read(person.subject_id, 0, 2**62)
    found = table_of(clinic["ada"], "/v1/export/beats", "arrow")
    assert np.array_equal(found["time_ns"].to_numpy(), stored.time_ns)
    assert np.array_equal(found["rr_ticks"].to_numpy(), stored.rr_ticks)
    assert np.array_equal(found["follows"].to_numpy(zero_copy_only=False), stored.follows)
    assert set(found["origin"].to_pylist()) == {"strap"}


def test_a_beat_after_midnight_still_follows_the_one_before(clinic: Clinic) -> None:
    person, stores = clinic.people["eve"], clinic.stores
    (covered,) = stores.beats.coverage(person.subject_id)
    midnight = stores.now() // DAY * DAY
    first = covered.acknowledged + 1
    stores.beats.append(
        person.subject_id,
        covered.stream.id,
        [
            Notification(first + k, midnight + k, 60, (1024,), (midnight + (k - 5) * SECOND,), True)
            for k in range(10)
        ],
    )
    stored = stores.beats.read(person.subject_id, midnight - 6 * SECOND, 2**62)
    found = table_of(
        clinic["eve"], "/v1/export/beats", "arrow", start=to_datetime(midnight).isoformat()
    )
    assert found["follows"].to_pylist() == stored.follows[-len(found) :].tolist() == [True] * 5


def test_the_form_is_negotiated(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for accept, kind in (
        ("text/csv", "text/csv"),
        ("application/vnd.apache.parquet, application/json;q=0.1", "application/vnd.apache.parq"),
        ("*/*", "application/json"),
        ("text/csv;q=0.2, application/vnd.apache.arrow.stream;q=0.9", "application/vnd.apache.arr"),
    ):
        answer = ada.get("/v1/export/ratings", headers={"Accept": accept})
        assert answer.headers["content-type"].startswith(kind)
    refused = ada.get("/v1/export/ratings", headers={"Accept": "image/png"})
    assert_problem(refused, 406, "text/csv")
    assert_problem(ada.get("/v1/export/ratings", params={"cursor": "x"}), 422, "query.cursor")
    assert_problem(ada.get("/v1/export/nothing"), 422)


def test_responses_are_compressed_as_requested(clinic: Clinic) -> None:
    plain = clinic["ada"].get("/v1/export/beats?format=csv", headers={"Accept-Encoding": ""})
    for encoding in ("zstd", "gzip"):
        with clinic["ada"].stream(
            "GET", "/v1/export/beats?format=csv", headers={"Accept-Encoding": encoding}
        ) as answer:
            assert answer.headers["content-encoding"] == encoding
            raw = b"".join(answer.iter_raw())
        assert len(raw) < len(plain.content) / 2
        if encoding == "zstd":
            reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw))
            assert reader.read() == plain.content


def test_a_matching_etag_gets_304(clinic: Clinic) -> None:
    ada, stores = clinic["ada"], clinic.stores
    for table in TABLES:
        path = f"/v1/export/{table}"
        first = ada.get(path, params={"format": "arrow"})
        name = first.headers["etag"]
        query = {"If-None-Match": name}
        assert ada.get(path, params={"format": "arrow"}, headers=query).status_code == 304
        assert ada.get(path, params={"format": "csv"}, headers=query).status_code == 200
        assert clinic["eve"].get(path, params={"format": "arrow"}, headers=query).content
    names = {
        table: ada.get(f"/v1/export/{table}").headers["etag"] for table in ("ratings", "beats")
    }
    ada.post("/v1/ratings", json={"pain": 1, "stress": 1}).raise_for_status()
    assert ada.get("/v1/export/ratings").headers["etag"] != names["ratings"]
    assert ada.get("/v1/export/beats").headers["etag"] == names["beats"]
    (covered,) = stores.beats.coverage(clinic.people["ada"].subject_id)
    assert covered.last_ns is not None
    later = covered.last_ns + SECOND
    stores.beats.append(
        clinic.people["ada"].subject_id,
        covered.stream.id,
        [Notification(covered.acknowledged + 1, later, 60, (1000,), (later,), True)],
    )
    assert ada.get("/v1/export/beats").headers["etag"] != names["beats"]


def test_increments_make_the_whole(clinic: Clinic) -> None:
    """What a copy has, and what changed since, is what a new copy would have."""
    ada, stores, person = clinic["ada"], clinic.stores, clinic.people["ada"]
    beats = all_pages(ada, "/v1/export/beats", limit=100_000)
    ratings = {row["rating"]: row for row in all_pages(ada, "/v1/export/ratings")}
    time.sleep(0.01)
    since = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    page = ada.get("/v1/export/beats", params={"since": since}).json()
    assert page["rows"] == []
    until = datetime.fromisoformat(page["until"])
    assert until < datetime.fromisoformat(since)  # with a margin
    (covered,) = stores.beats.coverage(person.subject_id)
    assert covered.last_ns is not None
    more = [
        Notification(
            covered.acknowledged + 1 + k,
            covered.last_ns,
            60,
            (1000,),
            (covered.last_ns + (k + 1) * SECOND,),
            True,
        )
        for k in range(9)
    ]
    stores.beats.append(person.subject_id, covered.stream.id, more)
    first, second, *_ = ratings
    ada.delete(f"/v1/ratings/{first}", params={"version": 1}).raise_for_status()
    ada.put(f"/v1/ratings/{second}", json={"pain": 9, "stress": 9, "version": 1})
    increment = all_pages(ada, "/v1/export/beats", since=since, limit=100_000)
    days = {row["time_ns"] // DAY for row in increment}
    merged = [row for row in beats if row["time_ns"] // DAY not in days] + increment
    assert sorted(merged, key=lambda row: row["time_ns"]) == all_pages(
        ada, "/v1/export/beats", limit=100_000
    )
    for row in all_pages(ada, "/v1/export/ratings", since=since):
        ratings[row["rating"]] = row
    whole = all_pages(ada, "/v1/export/ratings")
    assert [row for row in ratings.values() if not row["withdrawn"]] == whole
    assert ratings[first]["withdrawn"]


@pytest.fixture
def released(stores: Stores) -> Iterator[Clinic]:
    """Ada's and Eve's data are old enough to be released; nobody has agreed yet."""
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"], weeks_ago=RELEASED_WEEKS)
        fill(stores, opened.people["eve"], days=2, seed=2, weeks_ago=RELEASED_WEEKS)
        yield opened


def test_analysts_see_pseudonyms_and_moved_dates_of_those_who_agreed(released: Clinic) -> None:
    clinic = released
    ann, stores = clinic["ann"], clinic.stores
    few = {"people": [], "patients": 0, "min_people": 5}
    assert ann.get("/v1/research/people").json() == few
    for path in (*TABLES, "clinic-link", "clinic-offers"):
        assert_problem(ann.get(f"/v1/research/{path}"), 403, "Fewer than 5 people")
    agree_together(clinic, "ada")
    everybody = ann.get("/v1/research/people").json()["people"]
    assert len(everybody) == 5
    (subject,) = (row for row in everybody if row["ratings"])
    identity = identity_of(stores, clinic.people["ann"], clinic.people["ada"])
    assert subject["person"] == identity.name
    assert subject["ratings"] == 6
    assert subject["sessions"] == 1
    steps = {"ratings": GRID, "beats": MILLISECOND, "sessions": DAY, "scores": DAY}
    for table in TABLES:
        mine = all_pages(clinic["ada"], f"/v1/export/{table}", limit=100_000)
        theirs = all_pages(ann, f"/v1/research/{table}", limit=100_000)
        link_of_nobody = [row for row in theirs if row["person"] != identity.name]
        assert not link_of_nobody or table == "link"
        theirs = [row for row in theirs if row["person"] == identity.name]
        if table == "hrv":  # windows of another clock: see test_research_tables.py
            assert abs(len(theirs) - len(mine)) <= 6
            continue
        assert len(mine) == len(theirs)
        if table == "scores":  # rows of a day are by their ids, which are others
            for rows in (mine, theirs):
                rows.sort(key=lambda row: [row[key] for key in ("questionnaire", "kind", "item")])
        for own, seen in zip(mine, theirs, strict=True):
            assert not {"zone", "entered_ns", "entered"} & seen.keys()
            for key in set(own) & set(seen):
                if key.endswith("_ns"):
                    moved, inside = identity.clock.to_research(np.array([own[key]]))
                    assert inside.all()
                    assert seen[key] == moved[0] // steps[table] * steps[table]
                elif f"{key}_ns" in own:
                    assert seen[key] == iso(seen[f"{key}_ns"]).removesuffix("Z")
                elif key in ("stream", "rating", "answer", "response"):
                    assert seen[key] != own[key]
                elif key == "local_hour":
                    assert seen[key] == seen["about_ns"] % DAY // MINUTE / 60
                elif table == "link" and isinstance(own[key], float):
                    assert seen[key] == round(own[key], 4)
                else:
                    assert seen[key] == own[key]
    # Again the same names, so that increments can be put together.
    assert all_pages(ann, "/v1/research/ratings") == all_pages(ann, "/v1/research/ratings")
    for number in range(5, 9):
        clinic.add(f"other{number}", Role.PATIENT)
        clinic.agree(f"other{number}", Purpose.RESEARCH)
    assert len(ann.get("/v1/research/people").json()["people"]) == 5  # four of them wait
    clinic.agree("eve", Purpose.RESEARCH)
    people = [row["person"] for row in ann.get("/v1/research/people").json()["people"]]
    assert people == sorted(people)
    assert len(people) == 10
    rows = all_pages(ann, "/v1/research/ratings", limit=4)
    assert [row["person"] for row in rows] == sorted(row["person"] for row in rows)
    assert len(rows) == 10
    some = [row["person"] for row in everybody]
    only = all_pages(ann, "/v1/research/ratings", person=some)
    assert {row["person"] for row in only} == {subject["person"]}
    refused = ann.get("/v1/research/ratings", params={"person": some[:4]})
    assert_problem(refused, 403, "Name at least 5 people")
    refused = ann.get("/v1/research/ratings", params={"person": [some[0]] * 5})
    assert_problem(refused, 403, "Name at least 5 people")
    begin = to_datetime(only[2]["about_ns"]).isoformat()
    query = {"person": some, "start": begin}
    assert all_pages(ann, "/v1/research/ratings", **query) == only[2:]
    assert_problem(ann.get("/v1/research/ratings", params={"person": "nobody"}), 404)
    # Without consent to research, or to keeping, a person is left out.
    clinic.agree("ada", Purpose.RESEARCH, given=False)
    clinic.agree("eve", Purpose.KEEPING, given=False)
    assert all_pages(ann, "/v1/research/ratings") == []
    refused = ann.get("/v1/research/ratings", params={"person": subject["person"]})
    assert_problem(refused, 404)


def test_nothing_of_an_analysts_answer_leads_to_the_person(released: Clinic) -> None:
    clinic = released
    ann, person = clinic["ann"], clinic.people["ada"]
    agree_together(clinic, "ada")
    stream = clinic.stores.beats.coverage(person.subject_id)[0].stream
    ratings = clinic.stores.records.ratings(person.id, 0, 2**62)
    telling = [
        *(person.id, person.subject_id, person.email, person.name, person.zone),
        *(stream.id, stream.source),
        *(rating.id for rating in ratings),
        *(str(rating.about_ns) for rating in ratings),
    ]
    for path in ("people", *TABLES):
        answer = ann.get(f"/v1/research/{path}", params={"limit": 100_000}).raise_for_status()
        assert len(answer.content) > 150
        assert not [word for word in telling if word in answer.text]


def test_memory_does_not_grow_with_the_number_of_batches() -> None:
    schema = pa.schema([("x", pa.int64()), ("y", pa.string())])
    batch = pa.RecordBatch.from_pydict(
        {"x": list(range(20_000)), "y": [f"word {k}" for k in range(20_000)]}, schema=schema
    )
    for form in (Format.ARROW, Format.PARQUET, Format.CSV):
        pieces = [len(piece) for piece in encode_table(form, schema, (batch for _ in range(50)))]
        # As it comes, and never all at once.
        assert max(pieces) < 2_000_000
        assert sum(pieces) > 2 * max(pieces)


def test_what_is_no_number_is_null_in_json(clinic: Clinic) -> None:
    text = clinic["ada"].get("/v1/export/hrv").text
    assert "NaN" not in text
    json.loads(text, parse_constant=lambda word: pytest.fail(word))
