"""What is sent, cut, mixed, repeated, in any order and by two clients at once: the same store."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.export import fhir, open_mhealth
from api.services.imported_records import import_parsed
from ebbtide.timestamps import FOREVER, MINUTE, SECOND, from_datetime, to_datetime
from store import Stores
from store.factory import open_stores
from store.models import ImportedHeartRate, Person, Rating, Role
from tests.support.accounts import add_account
from tests.support.clinic import Clinic, opened_clinic
from tests.support.postgres import PostgresServer
from tests.support.standards import require_valid_point, require_valid_r4

AT = from_datetime(to_datetime(1_790_000_000 * SECOND))
HTEST = {
    "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]
}


def observation(
    minute: int, code: str, value: float, *, system: str = fhir.LOINC, **more: Any
) -> dict[str, Any]:
    is_rate = code == fhir.HEART_RATE
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "effectiveDateTime": to_datetime(AT + minute * MINUTE).isoformat(),
        "valueQuantity": {"value": value, "code": "/min" if is_rate else "{score}"},
        **more,
    }


def point(minute: int, value: float, **header: Any) -> dict[str, Any]:
    return {
        "header": {"schema_id": {"namespace": "omh", "name": "heart-rate"}, **header},
        "body": {
            "heart_rate": {"value": value, "unit": "beats/min"},
            "effective_time_frame": {"date_time": to_datetime(AT + minute * MINUTE).isoformat()},
        },
    }


def bundle_of(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def content(stores: Stores, person: Person) -> tuple[list[Rating], list[ImportedHeartRate]]:
    """All that is stored of a person, without the times of storing."""
    return (
        [replace(r, entered_ns=0) for r in stores.records.ratings(person.id, *FOREVER, since_ns=0)],
        [replace(r, entered_ns=0) for r in stores.records.heart_rates(person.id, *FOREVER)],
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def stores_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    from ebbtide.settings import Settings

    made = {"data_dir": tmp_path}
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        made["records_url"] = server.fresh_database()
    stores = open_stores(Settings(**made))
    yield stores
    stores.close()


# A device, a UUID, an identifier, a mark of simulation, an activity: each may be there or not.
_provenance = st.fixed_dictionaries(
    {
        "device": st.sampled_from(["", "Polar H10 1234", "Gürtel, links; 50 %"]),
        "uuid": st.one_of(st.none(), st.uuids(version=4).map(str)),
        "is_simulated": st.booleans(),
        "activity": st.sampled_from([None, "at rest", "active"]),
        "modality": st.sampled_from([None, "sensed", "self-reported"]),
        "issued": st.sampled_from([None, "2026-11-02T07:00:00+00:00"]),
    }
)
_rates = st.dictionaries(
    st.integers(0, 40),
    st.tuples(st.decimals(31, 220, places=1).map(float), _provenance),
    min_size=1,
    max_size=12,
)
_ratings = st.dictionaries(
    st.integers(0, 40),
    st.tuples(st.integers(0, 10), st.integers(0, 10), st.booleans()),
    max_size=5,
)


def as_fhir(minute: int, bpm: float, more: dict[str, Any]) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if more["device"]:
        extra["device"] = {"display": more["device"]}
    if more["uuid"]:
        uri = f"urn:uuid:{more['uuid']}"
        extra["identifier"] = [{"system": "urn:ietf:rfc:3986", "value": uri}]
    if more["is_simulated"]:
        extra["meta"] = HTEST
    if more["issued"]:
        extra["issued"] = more["issued"]
    parts = [
        {
            "code": {"coding": [{"system": fhir.OURS, "code": name}]},
            "valueString": more[name],
        }
        for name in ("activity", "modality")
        if more[name]
    ]
    if parts:
        extra["component"] = parts
    return observation(minute, fhir.HEART_RATE, bpm, **extra)


def as_point(minute: int, bpm: float, more: dict[str, Any]) -> dict[str, Any]:
    header = {"uuid": more["uuid"], "modality": more["modality"]}
    sheets = []
    if more["is_simulated"]:
        reference = "http://terminology.hl7.org/CodeSystem/v3-ActReason#HTEST"
        sheets.append({"datasheet_type": "simulated", "datasheet_reference": reference})
    if more["device"]:
        reference = f"data:,{httpx.QueryParams({'a': more['device']})}".replace("a=", "", 1)
        reference = reference.replace("+", "%20")
        sheets.append({"datasheet_type": "hardware", "datasheet_reference": reference})
    made = point(
        minute,
        bpm,
        **{name: value for name, value in header.items() if value is not None},
        external_datasheets=sheets,
    )
    if more["issued"]:
        made["header"]["source_creation_date_time"] = more["issued"]
    if more["activity"]:
        made["body"]["temporal_relationship_to_physical_activity"] = more["activity"]
    return made


def send(stores: Stores, person: Person, kind: str, documents: list[dict[str, Any]]) -> None:
    parsed = (
        fhir.parse_bundle(bundle_of(documents), person.id)
        if kind == "fhir"
        else open_mhealth.parse_points(documents, person.id)
    )
    assert parsed.skipped == []
    report = import_parsed(stores, person, parsed)
    # What else there is waits for pain or stress, and says so.
    assert all("waits until" in item.reason for item in report.skipped)


@settings(max_examples=40, deadline=None)
@given(rates=_rates, ratings=_ratings, seed=st.integers(0, 2**32))
def test_any_order_overlap_and_division_gives_the_same_store(
    tmp_path_factory: pytest.TempPathFactory,
    rates: dict[int, tuple[float, dict[str, Any]]],
    ratings: dict[int, tuple[int, int, bool]],
    seed: int,
) -> None:
    whole, mixed = _PEOPLE.two(tmp_path_factory)
    stores = _PEOPLE.stores(tmp_path_factory)
    parts = [
        observation(minute, code, value, system=system, **({"meta": HTEST} if test else {}))
        for minute, (pain, stress, test) in ratings.items()
        for code, value, system in (
            (fhir.PAIN, pain, fhir.LOINC),
            (fhir.STRESS, stress, fhir.OURS),
        )
    ]
    _unique(rates)
    send(stores, whole, "fhir", [*(as_fhir(m, *rate) for m, rate in rates.items()), *parts])
    once = content(stores, whole)
    assert [rate.bpm for rate in once[1]] == [rates[minute][0] for minute in sorted(rates)]
    assert len(once[0]) == len(ratings)

    chance = random.Random(seed)
    pieces: list[tuple[str, dict[str, Any]]] = []
    for _ in range(2):
        for minute, rate in rates.items():
            kind = chance.choice(["fhir", "points"])
            pieces.append((kind, (as_fhir if kind == "fhir" else as_point)(minute, *rate)))
        pieces += [("fhir", part) for part in parts]
    chance.shuffle(pieces)
    while pieces:
        kind = pieces[0][0]
        count = chance.randint(1, len(pieces))
        same = [piece for name, piece in pieces[:count] if name == kind]
        pieces = [p for p in pieces[:count] if p[0] != kind] + pieces[count:]
        send(stores, mixed, kind, same)
    assert _anonymous(content(stores, mixed)) == _anonymous(once)


def _unique(rates: dict[int, tuple[float, dict[str, Any]]]) -> None:
    ids = [more["uuid"] for _, more in rates.values() if more["uuid"]]
    assert len(ids) == len(set(ids))


def _anonymous(
    found: tuple[list[Rating], list[ImportedHeartRate]],
) -> list[list[Rating] | list[ImportedHeartRate]]:
    return [
        sorted(
            (replace(item, id="", person_id="") for item in items),
            key=lambda item: item.about_ns if isinstance(item, Rating) else item.time_ns,
        )
        for items in found
    ]


class _People:
    """Stores that all examples share, with new people for each."""

    def __init__(self) -> None:
        self._stores: Stores | None = None
        self._count = 0

    def stores(self, folders: pytest.TempPathFactory) -> Stores:
        if self._stores is None:
            from ebbtide.settings import Settings

            self._stores = open_stores(Settings(data_dir=folders.mktemp("round-trip")))
        return self._stores

    def two(self, folders: pytest.TempPathFactory) -> tuple[Person, Person]:
        made = []
        for _ in range(2):
            self._count += 1
            made.append(add_account(self.stores(folders), f"p{self._count}@example.org"))
        return made[0], made[1]


_PEOPLE = _People()


def test_an_identifier_of_a_rating_and_a_heart_rate_makes_no_second_rating(
    stores_of: Stores,
) -> None:
    person = add_account(stores_of, "ada@example.org", role=Role.PATIENT)
    name = {"identifier": [{"system": "urn:oid:1.2.3", "value": "7"}]}
    rating = [
        observation(1, fhir.PAIN, 4, **name),
        observation(1, fhir.STRESS, 5, system=fhir.OURS, **name),
    ]
    rate = observation(1, fhir.HEART_RATE, 61, **name)
    for documents in (rating, [rate], rating, [*rating, rate], [rate], rating):
        send(stores_of, person, "fhir", documents)
        ratings, rates = content(stores_of, person)
        assert len(ratings) == 1
        assert len(rates) <= 1
    assert len(rates) == 1


def test_two_clients_at_once_store_each_record_once(stores_of: Stores) -> None:
    person = add_account(stores_of, "ada@example.org", role=Role.PATIENT)
    sent = [
        observation(n, fhir.HEART_RATE, 60.5 + n, device={"display": "strap"}) for n in range(40)
    ]
    sent += [observation(n, fhir.PAIN, n) for n in range(10)]
    sent += [observation(n, fhir.STRESS, 10 - n, system=fhir.OURS) for n in range(10)]

    def client(seed: int) -> None:
        mine = random.Random(seed).sample(sent, len(sent))
        for begin in range(0, len(mine), 15):
            send(stores_of, person, "fhir", mine[begin : begin + 15])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client, range(4)))
    ratings, rates = content(stores_of, person)
    assert [rate.bpm for rate in rates] == [60.5 + n for n in range(40)]
    assert [(r.pain, r.stress, r.version) for r in ratings] == [(n, 10 - n, 1) for n in range(10)]


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        yield opened


def all_resources(
    client: httpx.Client, query: str = "", kind: str = "Observation"
) -> list[dict[str, Any]]:
    found, address = [], f"/v1/fhir/{kind}?{query}"
    while address:
        bundle = client.get(address).raise_for_status().json()
        require_valid_r4(bundle)
        found += [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        address = links.get("next", "")
    return found


def test_an_overlap_and_an_own_export_change_nothing(clinic: Clinic) -> None:
    ada = clinic["ada"]
    rates = [observation(n, fhir.HEART_RATE, 60.4 + n) for n in range(6)]
    points = [point(n, 60.4 + n) for n in range(6)]
    assert ada.post("/v1/fhir", json=bundle_of(rates[:5])).json()["new"] == 5
    assert ada.post("/v1/fhir", json=bundle_of(rates)).json()["new"] == 1
    assert ada.post("/v1/open-mhealth/heart-rate", json=points).json()["new"] == 0
    for code, value, system in ((fhir.PAIN, 3, fhir.LOINC), (fhir.STRESS, 4, fhir.OURS)):
        ada.post("/v1/fhir", json=bundle_of([observation(9, code, value, system=system)]))
    own = {"pain": 1, "stress": 2, "pleasant": 3, "note": "stairs", "pleasant_note": "warm"}
    ada.post("/v1/ratings", json=own).raise_for_status()
    before = content(clinic.stores, clinic.people["ada"])
    exported = all_resources(ada, "_count=4")
    assert [r["valueQuantity"]["value"] for r in exported[-6:]] == [60.4 + n for n in range(6)]
    assert {note["text"] for r in exported for note in r.get("note", [])} == {"stairs", "warm"}
    ids = [resource["id"] for resource in exported]
    assert len(ids) == len(set(ids)) == 6 + 2 + 3
    page = ada.get("/v1/open-mhealth/heart-rate").json()["data_points"]
    for item in page:
        require_valid_point(item)
    back = [
        ada.post("/v1/fhir", json=bundle_of(exported)).json(),
        ada.post("/v1/open-mhealth/heart-rate", json=page).json(),
    ]
    for report in back:
        assert (report["new"], report["skipped"]) == (0, [])
    assert content(clinic.stores, clinic.people["ada"]) == before


def test_provenance_survives_every_way(clinic: Clinic) -> None:
    given = {
        "device": "Strap A",
        "uuid": "6f2b9a0e-8a52-4d0c-9d1a-2b4b6c1c7f55",
        "is_simulated": True,
        "activity": "at rest",
        "modality": "self-reported",
        "issued": "2026-09-22T07:00:00+00:00",
    }
    ada, eve = clinic["ada"], clinic["eve"]
    ada.post("/v1/fhir", json=bundle_of([as_fhir(1, 61.4, given)])).raise_for_status()
    (first,) = ada.get("/v1/open-mhealth/heart-rate").json()["data_points"]
    require_valid_point(first)
    assert first["header"]["uuid"] == given["uuid"]
    hers = {"subject": clinic.id("ada")}
    eve.post("/v1/open-mhealth/heart-rate", json=[first], params=hers).raise_for_status()
    (found,) = all_resources(eve)
    assert found["meta"]["security"][0]["code"] == "HTEST"
    assert found["meta"]["tag"][0]["code"] == "imported"
    assert found["device"] == {"display": "Strap A"}
    assert {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{given['uuid']}"} in found[
        "identifier"
    ]
    assert {c["valueString"] for c in found["component"]} == {"at rest", "self-reported"}
    assert from_datetime(to_datetime(AT + MINUTE)) == AT + MINUTE
    assert found["issued"].startswith("2026-09-22T09:00:00")  # Berlin
    (mine,), (theirs,) = (content(clinic.stores, clinic.people[name])[1] for name in ("ada", "eve"))
    assert replace(mine, id="", person_id="") == replace(theirs, id="", person_id="")


def test_simulated_ratings_make_an_answer_that_says_so(clinic: Clinic) -> None:
    entries = []
    for day in range(36):
        for half, pain in ((0, day % 7), (1, (day * 3) % 7)):
            minute = (day * 2 + half) * 12 * 60 - 60 * 24 * 60
            for code, value, system in (
                (fhir.PAIN, pain, fhir.LOINC),
                (fhir.STRESS, min(10, pain + 1), fhir.OURS),
            ):
                entries.append(observation(minute, code, value, system=system, meta=HTEST))
    report = clinic["ada"].post("/v1/fhir", json=bundle_of(entries)).json()
    assert (report["ratings"], report["skipped"]) == (72, [])
    link = clinic["ada"].get("/v1/link").json()
    assert link["simulated"] is True
    assert "together" in json.dumps(link["stress"])
    assert all(row["simulated"] for row in clinic["ada"].get("/v1/ratings").json()["ratings"])
    exported = all_resources(clinic["ada"])
    assert len(exported) == 144
    assert all(r["meta"]["security"][0]["code"] == "HTEST" for r in exported)


def test_a_correction_replaces_and_a_contradiction_is_refused(clinic: Clinic) -> None:
    ada = clinic["ada"]
    name = {"identifier": [{"system": "urn:oid:1.2.3", "value": "7"}]}
    rate = observation(1, fhir.HEART_RATE, 61.4, issued="2026-11-01T08:00:00Z", **name)
    other = {**rate, "valueQuantity": {"value": 62, "code": "/min"}}
    later = {**other, "status": "corrected", "issued": "2026-11-02T08:00:00Z"}
    for resource, new, reason in (
        (rate, 1, None),
        (other, 0, "61.4 beats/min"),
        (later, 1, None),
        (rate, 0, "later correction"),
        (later, 0, None),
    ):
        report = ada.post("/v1/fhir", json=bundle_of([resource])).json()
        assert report["new"] == new
        assert [reason in s["reason"] for s in report["skipped"]] == [True] * bool(reason)
    (found,) = all_resources(ada)
    assert (found["valueQuantity"]["value"], found["status"]) == (62, "corrected")
    # Of a rating that was entered here, the person corrects it here.
    ada.post("/v1/ratings", json={"pain": 1, "stress": 2}).raise_for_status()
    mine = [r for r in all_resources(ada) if "score" in json.dumps(r["valueQuantity"])]
    changed = [{**r, "valueQuantity": {**r["valueQuantity"], "value": 9}} for r in mine]
    report = ada.post("/v1/fhir", json=bundle_of(changed)).json()
    assert report["new"] == 0
    assert {"PUT /v1/ratings/" in s["reason"] for s in report["skipped"]} == {True}
    assert [s["entry"] for s in report["skipped"]] == [0, 1]
