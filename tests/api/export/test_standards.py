"""FHIR and Open mHealth: valid, and the same data after a round trip."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from fhirclient.models.bundle import Bundle
from jsonschema import Draft7Validator, FormatChecker

from api.export import fhir, open_mhealth
from ebbtide.timestamps import SECOND
from store import Stores
from store.models.records import Purpose
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic, fill, opened_clinic

# heart-rate 2.0 of Open mHealth and the header of IEEE 1752.1-2021, in our own words.
DATA_POINT = {
    "type": "object",
    "required": ["header", "body"],
    "additionalProperties": False,
    "properties": {
        "header": {
            "type": "object",
            "required": ["uuid", "schema_id", "source_creation_date_time"],
            "additionalProperties": False,
            "properties": {
                "uuid": {"type": "string", "format": "uuid"},
                "schema_id": {
                    "type": "object",
                    "required": ["namespace", "name", "version"],
                    "properties": {
                        "namespace": {"pattern": "^[a-z0-9.-]+$"},
                        "name": {"pattern": "^[a-z0-9-]+$"},
                        "version": {"pattern": r"^\d+\.\d+$"},
                    },
                },
                "source_creation_date_time": {"type": "string", "format": "date-time"},
                "modality": {"enum": ["sensed", "self-reported"]},
                "external_datasheets": {
                    "type": "array",
                    "items": {"required": ["datasheet_type", "datasheet_reference"]},
                },
            },
        },
        "body": {
            "type": "object",
            "required": ["heart_rate", "effective_time_frame"],
            "properties": {
                "heart_rate": {
                    "type": "object",
                    "required": ["value", "unit"],
                    "properties": {
                        "value": {"type": "number"},
                        "unit": {"enum": ["beats/min"]},
                    },
                },
                "effective_time_frame": {
                    "type": "object",
                    "oneOf": [{"required": ["date_time"]}, {"required": ["time_interval"]}],
                },
                "descriptive_statistic": {"enum": ["average", "maximum", "minimum", "median"]},
            },
        },
    },
}


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


def resources(bundles: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry["resource"] for found in bundles for entry in found["entry"]]


def test_bundles_are_valid_r4_and_complete(clinic: Clinic) -> None:
    ada = clinic["ada"]
    rating = ada.get("/v1/ratings").json()["ratings"][0]
    ada.put(f"/v1/ratings/{rating['id']}", json={"pain": 3, "stress": 4, "version": 1})
    bundles = all_bundles(clinic, "ada", 11)
    assert len(bundles) > 5
    for found in bundles:
        read = Bundle(found, strict=True)  # fhirclient's models of R4: raises for what is not valid
        assert read.as_json()["resourceType"] == "Bundle"
    whole = resources(bundles)
    assert whole == resources(all_bundles(clinic, "ada", 10_000))
    ids = [(resource["resourceType"], resource["id"]) for resource in whole]
    assert len(ids) == len(set(ids))
    assert all(len(name) <= 64 for _, name in ids)
    by_code: dict[str, list[dict[str, Any]]] = {}
    for resource in whole[1:]:
        by_code.setdefault(resource["code"]["coding"][0]["code"], []).append(resource)
    ratings = ada.get("/v1/ratings").json()["ratings"]
    assert len(by_code["72514-3"]) == len(by_code["stress-nrs"]) == len(ratings) == 6
    assert len(by_code["pleasant-nrs"]) == sum(r["pleasant"] is not None for r in ratings)
    assert [r["valueQuantity"]["value"] for r in by_code["72514-3"]] == [r["pain"] for r in ratings]
    assert by_code["72514-3"][0]["status"] == "corrected"
    hrv = [r for r in ada.get("/v1/export/hrv").json()["rows"] if r["usable"]]
    assert len(by_code["8867-4"]) == len(by_code["80404-7"]) == len(by_code["rmssd"]) == len(hrv)
    assert [r["valueQuantity"]["value"] for r in by_code["80404-7"]] == [r["sdnn_ms"] for r in hrv]
    assert "name" not in whole[0]


def test_a_bundle_comes_back_as_the_same_ratings(clinic: Clinic) -> None:
    mine = clinic["ada"].get("/v1/ratings").json()["ratings"]
    bundle = all_bundles(clinic, "ada", 10_000)[0]
    report = clinic["eve"].post("/v1/fhir", json=bundle).raise_for_status().json()
    assert report["ratings"] == 6
    assert report["heart_rates"] == 0
    assert {item["reason"].split(":")[0] for item in report["skipped"]} == {
        "a figure that Ebbtide worked out"
    }
    theirs = clinic["eve"].get("/v1/ratings").json()["ratings"]
    same = ("about_ns", "zone", "pain", "stress", "pleasant")
    assert [[r[k] for k in same] for r in theirs] == [[r[k] for k in same] for r in mine]
    # Again, and back to where they came from: nothing new.
    clinic["eve"].post("/v1/fhir", json=bundle).raise_for_status()
    clinic["ada"].post("/v1/fhir", json=bundle).raise_for_status()
    for name, before in (("eve", theirs), ("ada", mine)):
        assert clinic[name].get("/v1/ratings").json()["ratings"] == before


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
    assert again["stream_id"] == report["stream_id"]
    found = [r for r in resources(all_bundles(clinic, "eve", 7)) if r["id"].startswith("rate-")]
    assert [r["valueQuantity"]["value"] for r in found] == [60 + minute for minute in range(30)]
    points = clinic["eve"].get("/v1/open-mhealth/heart-rate").json()["data_points"]
    report = clinic["ada"].post("/v1/open-mhealth/heart-rate", json=points).json()
    assert (report["heart_rates"], report["skipped"]) == (30, [])
    back = [
        p
        for p in clinic["ada"].get("/v1/open-mhealth/heart-rate?limit=10000").json()["data_points"]
        if "date_time" in p["body"]["effective_time_frame"]
    ]
    assert [p["body"] for p in back] == [p["body"] for p in points]
    assert {p["header"]["uuid"] for p in back}.isdisjoint({p["header"]["uuid"] for p in points})
    # They are no beats: no HRV comes of them.
    assert clinic["eve"].get("/v1/streams").json()["beats"] == 0
    assert clinic["eve"].get("/v1/export/hrv").json()["rows"] == []


def test_data_points_are_valid(clinic: Clinic) -> None:
    page = clinic["ada"].get("/v1/open-mhealth/heart-rate", params={"limit": 20}).json()
    rest = clinic["ada"].get("/v1/open-mhealth/heart-rate", params={"cursor": page["next"]}).json()
    points = page["data_points"] + rest["data_points"]
    hrv = [r for r in clinic["ada"].get("/v1/export/hrv").json()["rows"] if r["usable"]]
    assert [p["body"]["heart_rate"]["value"] for p in points] == [r["mean_hr_bpm"] for r in hrv]
    check = Draft7Validator(DATA_POINT, format_checker=FormatChecker())
    for point in points:
        check.validate(point)
    assert not check.is_valid({**points[0], "header": {}})
    # Averages are no heart rate of a moment: they are not taken for one.
    report = clinic["eve"].post("/v1/open-mhealth/heart-rate", json=points).json()
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


def test_a_rating_needs_both_pain_and_stress() -> None:
    pain = an_observation(
        code={"coding": [{"system": fhir.LOINC, "code": fhir.PAIN}]}, valueQuantity={"value": 4}
    )
    stress = an_observation(
        code={"coding": [{"system": fhir.OURS, "code": fhir.STRESS}]}, valueQuantity={"value": 6}
    )
    found = fhir.parse_bundle({"resourceType": "Bundle", "entry": [{"resource": pain}]})
    assert (found.ratings, found.skipped[0].entry) == ([], 0)
    assert "stress is missing" in found.skipped[0].reason
    both = {"resourceType": "Bundle", "entry": [{"resource": pain}, {"resource": stress}]}
    (rating,) = fhir.parse_bundle(both).ratings
    assert (rating.pain, rating.stress, rating.pleasant, rating.zone) == (4, 6, None, None)


@pytest.mark.parametrize("document", [{}, {"resourceType": "Patient"}, {"entry": 3}])
def test_what_is_no_bundle_is_named(clinic: Clinic, document: dict[str, Any]) -> None:
    answer = clinic["ada"].post("/v1/fhir", json=document)
    assert_problem(answer, 422, "Bundle")
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
    assert clinic["tom"].get(path).json()["entry"] == mine["entry"]


def test_a_simulated_persons_data_say_so() -> None:
    person = str(uuid.uuid4())
    rate = fhir.HeartRate(1_790_000_000 * SECOND, 60.0)
    for found in (
        fhir.patient_resource(person, True),
        fhir.heart_rate_resource(rate, person, "UTC", True),
    ):
        assert "HTEST" in json.dumps(found)
    assert "simulated" in json.dumps(open_mhealth.heart_rate_point(rate, person, "UTC", True))
    assert "simulated" not in json.dumps(open_mhealth.heart_rate_point(rate, person, "UTC", False))
