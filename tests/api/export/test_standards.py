"""FHIR and Open mHealth: valid, and the same data after a round trip."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.export import fhir, open_mhealth
from ebbtide.timestamps import SECOND
from store import Stores
from store.models import ImportedHeartRate
from store.models.records import Purpose
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.standards import SchemaError, require_valid_point, require_valid_r4


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"])
        yield opened


def all_bundles(clinic: Clinic, name: str, limit: int) -> list[dict[str, Any]]:
    """Page after page, by the links, as any FHIR client does."""
    address = f"/v1/fhir/Observation?limit={limit}"
    found = []
    while True:
        answer = clinic[name].get(address).raise_for_status()
        assert answer.headers["content-type"].startswith("application/fhir+json")
        found.append(answer.json())
        links = {link["relation"]: link["url"] for link in found[-1]["link"]}
        if "next" not in links:
            return found
        address = links["next"]


def owned_by(bundle: dict[str, Any], clinic: Clinic, name: str) -> dict[str, Any]:
    """The same bundle about another person."""
    theirs = clinic.id(name)
    text = json.dumps(bundle)
    for person in clinic.people.values():
        text = text.replace(f"Patient/{person.id}", f"Patient/{theirs}")
    made: dict[str, Any] = json.loads(text)
    for entry in made["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            entry["resource"].update(id=theirs, identifier=[])
    return made


def resources(bundles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Observations, without the resources that they refer to."""
    return [
        entry["resource"]
        for found in bundles
        for entry in found.get("entry", [])
        if entry["search"]["mode"] == "match"
    ]


def test_bundles_are_valid_r4_and_complete(clinic: Clinic) -> None:
    ada = clinic["ada"]
    rating = ada.get("/v1/ratings").json()["ratings"][0]
    ada.put(f"/v1/ratings/{rating['id']}", json={"pain": 3, "stress": 4, "version": 1})
    bundles = all_bundles(clinic, "ada", 11)
    assert len(bundles) > 5
    for found in bundles:
        require_valid_r4(found)
    whole = resources(bundles)
    assert whole == resources(all_bundles(clinic, "ada", 10_000))
    ids = [(resource["resourceType"], resource["id"]) for resource in whole]
    assert len(ids) == len(set(ids))
    assert all(len(name) <= 64 for _, name in ids)
    by_code: dict[str, list[dict[str, Any]]] = {}
    for resource in whole:
        by_code.setdefault(resource["code"]["coding"][0]["code"], []).append(resource)
    ratings = ada.get("/v1/ratings").json()["ratings"]
    assert len(by_code["72514-3"]) == len(by_code["stress-nrs"]) == len(ratings) == 6
    assert len(by_code["pleasant-nrs"]) == sum(r["pleasant"] is not None for r in ratings)
    assert [r["valueQuantity"]["value"] for r in by_code["72514-3"]] == [r["pain"] for r in ratings]
    assert by_code["72514-3"][0]["status"] == "corrected"
    hrv = [r for r in ada.get("/v1/export/hrv").json()["rows"] if r["usable"]]
    assert len(by_code["8867-4"]) == len(by_code["80404-7"]) == len(by_code["rmssd"]) == len(hrv)
    assert [r["valueQuantity"]["value"] for r in by_code["80404-7"]] == [
        round(r["sdnn_ms"], 3) for r in hrv
    ]
    for found in bundles:
        included = [e["resource"] for e in found["entry"] if e["search"]["mode"] == "include"]
        assert included[0]["resourceType"] == "Patient"
        assert "name" not in included[0]


def test_a_bundle_comes_back_as_the_same_ratings(clinic: Clinic) -> None:
    mine = clinic["ada"].get("/v1/ratings").json()["ratings"]
    bundle = all_bundles(clinic, "ada", 10_000)[0]
    theirs_of_mine = owned_by(bundle, clinic, "eve")
    report = clinic["eve"].post("/v1/fhir", json=theirs_of_mine).raise_for_status().json()
    assert report["ratings"] == 6
    assert report["heart_rates"] == 0
    assert {item["reason"].split(":")[0] for item in report["skipped"]} == {
        "a figure that Ebbtide worked out"
    }
    theirs = clinic["eve"].get("/v1/ratings").json()["ratings"]
    same = ("about_ns", "zone", "pain", "stress", "pleasant")
    assert [[r[k] for k in same] for r in theirs] == [[r[k] for k in same] for r in mine]
    # Again, and back to where they came from: nothing new.
    clinic["eve"].post("/v1/fhir", json=theirs_of_mine).raise_for_status()
    clinic["ada"].post("/v1/fhir", json=bundle).raise_for_status()
    for name, before in (("eve", theirs), ("ada", mine)):
        assert clinic[name].get("/v1/ratings").json()["ratings"] == before


def bundle_of(*found: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in found]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def an_observation(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": fhir.LOINC, "code": fhir.HEART_RATE}]},
        "effectiveDateTime": "2026-11-01T08:00:00+01:00",
        "valueQuantity": {"value": 61, "system": fhir.UCUM, "code": "/min"},
        **changes,
    }


def test_heart_rates_from_elsewhere_come_back_in_both_forms(clinic: Clinic) -> None:
    entries = [
        {
            "resource": an_observation(
                effectiveDateTime=f"2026-11-01T08:{minute:02d}:00+01:00",
                valueQuantity={"value": 60 + minute, "code": "/min"},
            )
        }
        for minute in range(30)
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    report = clinic["eve"].post("/v1/fhir", json=bundle).raise_for_status().json()
    assert (report["heart_rates"], report["skipped"]) == (30, [])
    again = clinic["eve"].post("/v1/fhir", json=bundle).json()
    assert (report["new"], again["new"], again["heart_rates"]) == (30, 0, 30)
    found = [r for r in resources(all_bundles(clinic, "eve", 7)) if r["id"].startswith("rate-")]
    assert [r["valueQuantity"]["value"] for r in found] == [60 + minute for minute in range(30)]
    points = clinic["eve"].get("/v1/open-mhealth/heart-rate").json()["data_points"]
    eves = {"subject": clinic.id("eve")}
    report = clinic["ada"].post("/v1/open-mhealth/heart-rate", json=points, params=eves).json()
    assert (report["heart_rates"], report["skipped"]) == (30, [])
    back = [
        p
        for p in clinic["ada"].get("/v1/open-mhealth/heart-rate?limit=10000").json()["data_points"]
        if "date_time" in p["body"]["effective_time_frame"]
    ]
    assert [p["body"] for p in back] == [p["body"] for p in points]
    # The sender's uuid is theirs wherever the point goes; whose it is, is another person.
    headers = json.dumps([p["header"] for p in back])
    assert json.loads(headers.replace(clinic.id("ada"), clinic.id("eve"))) == [
        p["header"] for p in points
    ]
    assert len({p["header"]["uuid"] for p in back}) == len(back)
    # They are no beats: no HRV comes of them, only windows of heart rates for the stress index.
    assert clinic["eve"].get("/v1/streams").json()["beats"] == 0
    rows = clinic["eve"].get("/v1/export/hrv").json()["rows"]
    assert len(rows) == 6
    for row in rows:
        assert row["reported_rate"]
        assert not row["usable"]
        assert row["rmssd_ms"] is row["sdnn_ms"] is row["mean_hr_bpm"] is None


def test_data_points_are_valid(clinic: Clinic) -> None:
    page = clinic["ada"].get("/v1/open-mhealth/heart-rate", params={"limit": 20}).json()
    rest = clinic["ada"].get("/v1/open-mhealth/heart-rate", params={"cursor": page["next"]}).json()
    points = page["data_points"] + rest["data_points"]
    hrv = [r for r in clinic["ada"].get("/v1/export/hrv").json()["rows"] if r["usable"]]
    assert [p["body"]["heart_rate"]["value"] for p in points] == [
        round(r["mean_hr_bpm"], 3) for r in hrv
    ]
    for point in points:
        require_valid_point(point)
    for wrong in ({**points[0], "header": {}}, {**points[0], "body": {"heart_rate": 61}}):
        with pytest.raises(SchemaError):
            require_valid_point(wrong)
    # Averages are no heart rate of a moment: they are not taken for one.
    hers = {"subject": clinic.id("ada")}
    report = clinic["eve"].post("/v1/open-mhealth/heart-rate", json=points, params=hers).json()
    assert (report["heart_rates"], len(report["skipped"])) == (0, len(points))
    assert "average" in report["skipped"][0]["reason"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "preliminary"}, "status is preliminary"),
        ({"resourceType": "Procedure"}, "Procedure is not read"),
        ({"effectiveDateTime": "2026-11-01T08:00:00"}, "no zone"),
        ({"effectiveDateTime": "yesterday"}, "isoformat"),
        ({"effectiveDateTime": "1926-11-01T08:00:00Z"}, "century"),
        ({"effectiveDateTime": None}, "no effectiveDateTime"),
        ({"valueQuantity": {"value": 900}}, "cannot be"),
        ({"valueQuantity": {"value": "61"}}, "no number"),
        ({"valueQuantity": {"value": 61, "code": "Hz"}}, "in Hz"),
        ({"valueQuantity": {}}, "lacks 'value'"),
        ({"code": {"coding": [{"system": fhir.LOINC, "code": "1-2"}]}}, "none that Ebbtide reads"),
        (
            {"code": {"coding": [{"system": fhir.LOINC, "code": fhir.PAIN}]}},
            "whole number from 0 to 10",
        ),
    ],
)
def test_what_cannot_be_imported_is_listed_and_the_rest_is_stored(
    change: dict[str, Any], reason: str
) -> None:
    entries = [
        {"resource": an_observation()},
        {"resource": an_observation(**change)},
        {"resource": an_observation(effectiveDateTime="2026-11-01T09:00:00Z")},
        "no entry",
    ]
    found = fhir.parse_bundle({"resourceType": "Bundle", "entry": entries})
    assert len(found.heart_rates) == 2
    assert [item.entry for item in found.skipped] == [1, 3]
    assert reason in found.skipped[0].reason


def test_pain_alone_is_a_rating_and_stress_joins_it_later(clinic: Clinic) -> None:
    pain = an_observation(
        code={"coding": [{"system": fhir.LOINC, "code": fhir.PAIN}]}, valueQuantity={"value": 4}
    )
    stress = an_observation(
        code={"coding": [{"system": fhir.OURS, "code": fhir.STRESS}]}, valueQuantity={"value": 6}
    )
    report = clinic["eve"].post("/v1/fhir", json=bundle_of(pain)).json()
    assert (report["ratings"], report["skipped"]) == (1, [])
    (rating,) = clinic["eve"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"]) == (4, None)
    # The rest of it may come later, alone; together they are one rating.
    for sent in ((stress,), (pain, stress), (pain,)):
        report = clinic["eve"].post("/v1/fhir", json=bundle_of(*sent)).json()
        assert (report["ratings"], report["skipped"]) == (1, [])
    (rating,) = clinic["eve"].get("/v1/ratings").json()["ratings"]
    assert (rating["pain"], rating["stress"], rating["pleasant"]) == (4, 6, None)
    assert rating["version"] == 1
    (parsed,) = fhir.parse_bundle(bundle_of(pain, stress)).ratings
    assert (parsed.pain, parsed.stress, parsed.pleasant, parsed.zone) == (4, 6, None, None)


@pytest.mark.parametrize("document", [{}, {"resourceType": "Patient"}, {"entry": 3}])
def test_what_is_no_bundle_is_named(clinic: Clinic, document: dict[str, Any]) -> None:
    answer = clinic["ada"].post("/v1/fhir", json=document)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/fhir+json"
    require_valid_r4(answer.json())
    assert "Bundle" in answer.json()["issue"][0]["diagnostics"]
    assert_problem(clinic["ada"].post("/v1/open-mhealth/heart-rate", json=3), 422)


def test_a_rating_of_the_future_is_skipped(clinic: Clinic) -> None:
    when = "2099-01-01T00:00:00Z"
    entries = [
        {
            "resource": an_observation(
                code={"coding": [{"system": system, "code": code}]},
                effectiveDateTime=when,
                valueQuantity={"value": 4},
            )
        }
        for system, code in ((fhir.LOINC, fhir.PAIN), (fhir.OURS, fhir.STRESS))
    ]
    report = (
        clinic["ada"].post("/v1/fhir", json={"resourceType": "Bundle", "entry": entries}).json()
    )
    assert report["ratings"] == 0
    assert "has not been yet" in report["skipped"][0]["reason"]


def test_a_therapist_reads_the_same_bundle(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)
    path = f"/v1/patients/{clinic.id('ada')}/fhir/Observation?limit=10000"
    mine = all_bundles(clinic, "ada", 10_000)[0]
    theirs = clinic["tom"].get(path).json()
    assert [e["resource"] for e in theirs["entry"]] == [e["resource"] for e in mine["entry"]]
    assert all(f"/patients/{clinic.id('ada')}/fhir/" in e["fullUrl"] for e in theirs["entry"])


@pytest.mark.parametrize("simulated", [True, False])
def test_a_simulated_persons_data_say_so(clinic: Clinic, simulated: bool) -> None:
    person = replace(clinic.people["eve"], simulated=simulated)
    subject = fhir.Subject(person, simulated)
    rate = ImportedHeartRate("r", person.id, 1_790_000_000 * SECOND, 60.0, simulated=simulated)
    for found in (fhir.patient_resource(subject), fhir.heart_rate_resource(rate, subject)):
        assert ("HTEST" in json.dumps(found)) is simulated
    assert ("simulated" in json.dumps(open_mhealth.heart_rate_point(rate, "UTC"))) is simulated
