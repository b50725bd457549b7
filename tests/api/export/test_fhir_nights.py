"""Nights as FHIR Observations: valid, found, paged, and not taken for something else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ebbtide.nights import NightBasis
from store.models.records import Purpose
from tests.support.clinic import Clinic, fill
from tests.support.nights import a_night, put_nights
from tests.support.standards import require_valid_r4

DAY = datetime(2026, 3, 2, tzinfo=UTC).date()


def entries(clinic: Clinic, query: str = "", name: str = "ada") -> list[dict[str, Any]]:
    bundle = clinic[name].get(f"/v1/fhir/Observation?{query}").raise_for_status().json()
    require_valid_r4(bundle)
    return [e["resource"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]


def put(clinic: Clinic, *nights: dict[str, Any]) -> None:
    clinic["ada"].put("/v1/nights", json={"nights": list(nights)}).raise_for_status()


def test_a_night_is_an_observation_a_metric_with_device_and_period(clinic: Clinic) -> None:
    ring = a_night(DAY) | {
        "start": "2026-03-01T23:30:00+01:00",
        "end": "2026-03-02T06:30:00+01:00",
    }
    watch = a_night(DAY, source="a watch") | {
        "basis": NightBasis.DEVICE,
        "rmssd_ms": None,
        "sdnn_ms": 61.5,
        "values": [],
    }
    put(clinic, ring, watch)
    found = entries(clinic)
    assert sorted((r["device"]["display"], r["code"]["coding"][0]["code"]) for r in found) == [
        *[("a ring", "8867-4"), ("a ring", "rmssd")],
        *[("a watch", "80404-7"), ("a watch", "8867-4")],
    ]
    by_name = {(r["device"]["display"], r["id"].rpartition("-")[2]): r for r in found}
    rmssd = by_name["a ring", "rmssd"]
    assert rmssd["effectivePeriod"] == {"start": ring["start"], "end": ring["end"]}
    assert rmssd["valueQuantity"]["value"] == ring["rmssd_ms"]
    assert rmssd["valueQuantity"]["code"] == "ms"
    assert "five-minute values" in rmssd["method"]["text"]
    sdnn = by_name["a watch", "sdnn"]
    assert sdnn["valueQuantity"]["value"] == 61.5 and "own average" in sdnn["method"]["text"]
    assert ("a watch", "rmssd") not in by_name  # SDNN never stands for it
    assert by_name["a ring", "hr"]["valueQuantity"]["code"] == "/min"
    for resource in found:
        require_valid_r4(resource)
        assert len(resource["id"]) <= 64
        address = f"/v1/fhir/Observation/{resource['id']}"
        assert clinic["ada"].get(address).json() == resource
        assert clinic["eve"].get(address).status_code == 404
    assert clinic["ada"].get("/v1/fhir/Observation/night-2026-03-32-x-hr").status_code == 404


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("code=rmssd", 3),
        ("code=http://loinc.org|8867-4", 3),
        ("code=72514-3", 0),
        ("category=vital-signs", 3),
        ("date=2026-03-03", 0),  # a date has what lies within it, and nights begin before
        ("date=ge2026-03-02", 4),
        ("date=ge2026-03-05", 0),
        ("_lastUpdated=gt2100-01-01", 0),
        ("_lastUpdated=gt2020-01-01", 6),
        ("start=2026-03-02T00:00:00Z", 4),
    ],
)
def test_nights_are_searched_for_by_code_and_time(clinic: Clinic, query: str, count: int) -> None:
    put(clinic, *(a_night(DAY.replace(day=day)) for day in (2, 3, 4)))
    assert len(entries(clinic, query)) == count


@pytest.mark.parametrize("limit", [1, 4, 7])
def test_pages_hold_each_once_after_all_else(clinic: Clinic, limit: int) -> None:
    fill(clinic.stores, clinic.people["ada"])
    put_nights(clinic["ada"], 5)
    whole = [resource["id"] for resource in entries(clinic, "_count=10000")]
    address: str | None = f"/v1/fhir/Observation?_count={limit}"
    ids = []
    while address is not None:
        bundle = clinic["ada"].get(address).raise_for_status().json()
        ids += [e["resource"]["id"] for e in bundle["entry"] if e["search"]["mode"] == "match"]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        address = links.get("next")
    assert ids == whole and len(set(ids)) == len(ids)
    assert sum(one.startswith("night-") for one in ids) == 10
    assert all(one.startswith("night-") for one in ids[-10:])


def test_nights_that_come_back_are_no_heart_rates(clinic: Clinic) -> None:
    put(clinic, a_night(DAY))
    bundle = clinic["ada"].get("/v1/fhir/Observation").json()
    report = clinic["ada"].post("/v1/fhir", json=bundle).raise_for_status().json()
    assert (report["ratings"], report["heart_rates"]) == (0, 0)
    assert {item["reason"] for item in report["skipped"]} == {
        "a night of a watch or ring: nights come in by the device's own export"
    }


def test_a_therapist_reads_them_with_consent(clinic: Clinic) -> None:
    put(clinic, a_night(DAY))
    address = f"/v1/patients/{clinic.id('ada')}/fhir/Observation"
    assert clinic["tom"].get(address).status_code in (403, 404)
    clinic.agree("ada", Purpose.CARE)
    bundle = clinic["tom"].get(address).raise_for_status().json()
    assert sum(e["search"]["mode"] == "match" for e in bundle["entry"]) == 2
