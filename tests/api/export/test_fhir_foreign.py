"""What other systems send in forms of their own: understood, or skipped with the reason."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.export import fhir, open_mhealth
from api.export.fhir.subjects import TwoPatientsError, check_subjects
from tests.api.export.test_round_trip import all_resources, bundle_of, observation, point
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic
from tests.support.standards import require_valid_r4

BASE = "/v1/fhir"
ME, OTHER = "65983217-bef2-44c9-8f8d-e4fe5f92e9e7", "b137a531-213a-495a-a659-2af45a12d41a"
MRN = {"system": "http://clinic.example/mrn", "value": "1"}
A, B = "http://a.example/Patient/12", "http://b.example/fhir/Patient/12"
URN, URN_2 = f"urn:uuid:{ME[:-1]}0", f"urn:uuid:{ME[:-1]}1"
HERE = {"system": fhir.PERSON_ID, "value": ME}


def about(subject: Any, url: str | None = None, **more: Any) -> dict[str, Any]:
    if isinstance(subject, str):
        subject = {"reference": subject}
    entry = {"resource": observation(1, fhir.HEART_RATE, 60, subject=subject, **more)}
    return entry if url is None else {"fullUrl": url, **entry}


def patient(own_id: str | None = None, url: str | None = None, **more: Any) -> dict[str, Any]:
    resource = {"resourceType": "Patient", **more}
    if own_id is not None:
        resource["id"] = own_id
    return {"resource": resource} if url is None else {"fullUrl": url, "resource": resource}


def contained(value: str) -> list[dict[str, Any]]:
    return [{"resourceType": "Patient", "id": "p", "identifier": [{**MRN, "value": value}]}]


@pytest.mark.parametrize(
    ("entries", "alias"),
    [
        # What one server calls Patient/12 is someone else than what another calls so.
        ([about(A), about(B)], "Patient/12"),
        ([about(A), about(B)], "12"),
        ([about("Patient/12", "http://a.example/Observation/1"), about(B)], "Patient/12"),
        ([patient("12"), about(A), about(B)], "Patient/12"),
        ([patient("12", A), about(B)], "Patient/12"),
        ([patient("12", A), patient("12", B)], "Patient/12"),
        ([patient("12", URN), patient("12", URN_2), about("Patient/12")], "Patient/12"),
        ([patient(), patient(), about("Patient/1")], "Patient/1"),
        # Contained resources are named within their own resource alone.
        ([about("#p", contained=contained("1")), about("#p", contained=contained("2"))], "#p"),
    ],
)
def test_two_patients_are_never_taken_for_one(entries: list[Any], alias: str) -> None:
    with pytest.raises(TwoPatientsError):
        check_subjects(entries, ME, alias)


@pytest.mark.parametrize(
    ("entries", "alias", "is_person"),
    [
        ([about(f"Patient/{ME}", "http://a.example/v1/fhir/Observation/1")], None, True),
        ([about(f"http://a.example/v1/fhir/Patient/{ME}/_history/3")], None, True),
        ([about(f"urn:uuid:{ME.upper()}")], None, True),
        ([about({"reference": "Patient/12", "identifier": HERE})], None, True),
        ([about("#p", contained=[{**contained("1")[0], "identifier": [HERE]}])], None, True),
        ([about(A), about("Patient/12")], "Patient/12", True),
        ([about(A)], A, True),
        ([patient("12", URN), about(URN)], "12", True),
        ([about({"identifier": MRN})], "http://clinic.example/mrn|1", True),
        ([patient("7", identifier=[MRN]), about("Patient/7")], "http://clinic.example/mrn|1", True),
        ([about(f"Patient/{ME}"), about("Patient/12")], "Patient/12", True),
        # Not a patient, or said to be two people at once.
        ([about("Group/12")], "Group/12", False),
        ([about(f"Device/{ME}")], None, False),
        (
            [about({"reference": f"Patient/{ME}", "identifier": {**HERE, "value": OTHER}})],
            None,
            False,
        ),
        ([about({"display": "Ada"})], "Ada", False),
        ([about("#p")], "#p", False),
        ([about({"identifier": MRN})], "1", False),
    ],
)
def test_who_a_subject_is(entries: list[Any], alias: str | None, is_person: bool) -> None:
    check = check_subjects(entries, ME, alias)
    reasons = [check.reason_against(entry["resource"]) for entry in entries]
    assert all(reason is None for reason in reasons) == is_person


def test_a_subject_that_is_not_said_is_not_guessed(clinic: Clinic) -> None:
    ada = clinic["ada"]
    nameless = observation(1, fhir.HEART_RATE, 61, subject={"display": "Somebody"})
    assert ada.post(f"{BASE}?subject=", json=nameless).status_code == 422
    two = ada.post(f"{BASE}?subject=1&subject=Patient/12", json=nameless)
    outcome(two, 400, "invalid")
    points = ada.post("/v1/open-mhealth/heart-rate?subject=1&subject=2", json=[])
    assert_problem(points, 400, "subject is given twice")
    (skipped,) = ada.post(f"{BASE}/", json=nameless).json()["skipped"]
    assert "?subject=" not in skipped["reason"]  # which could not say it
    assert "neither a reference nor an identifier" in skipped["reason"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"valueQuantity": {"value": 61, "code": "/min", "comparator": "<"}}, "it is < 61"),
        ({"valueQuantity": {"value": 61, "unit": "ms"}}, "in ms, not in /min"),
        ({"valueQuantity": {"value": 61}}, "without a unit"),
        ({"valueQuantity": {"value": 61, "code": "x", "system": "urn:oid:1.2"}}, "not of UCUM"),
        (
            {"modifierExtension": [{"url": "urn:oid:1.2", "valueBoolean": True}]},
            "modifierExtension",
        ),
        ({"effectivePeriod": {"start": "2026-11-01T08:00:00Z"}}, "of a while"),
        ({"effectiveDateTime": "2098-11-01T08:00:00Z"}, "has not been yet"),
        ({"subject": "Patient/1"}, "subject is no Reference"),
        ({"component": [{"code": {"text": "?"}, "valueString": "?"}]}, "component"),
        ({"focus": [{"reference": "Patient/mother"}]}, "focus"),
        ({"implicitRules": "http://a.example/rules"}, "implicitRules"),
        ({"valueInteger": 50}, "both valueQuantity and valueInteger"),
        ({"valueString": "50"}, "both valueQuantity and valueString"),
        ({"effectiveInstant": "2026-11-01T08:00:00Z"}, "both effectiveDateTime and"),
        ({"identifier": [{"system": "urn:oid:1.2", "value": {"a": 1}}]}, "identifier is no text"),
        ({"identifier": [{"system": 5, "value": "x"}]}, "identifier's system is no text"),
        ({"identifier": [{"value": ""}]}, "identifier is empty"),
        ({"device": {"display": 5}}, "device is no text"),
        ({"issued": "2098-11-01T08:00:00Z"}, "issued at a time that has not been yet"),
        (
            {
                "code": {
                    "coding": [
                        {"system": fhir.LOINC, "code": fhir.HEART_RATE},
                        {"system": fhir.LOINC, "code": fhir.PAIN},
                    ]
                }
            },
            "codes are of different things",
        ),
        (
            {
                "component": [
                    {
                        "code": {"coding": [{"system": fhir.OURS, "code": "activity"}]},
                        "valueString": "at rest",
                        "modifierExtension": [{"url": "urn:oid:1.2", "valueBoolean": True}],
                    }
                ]
            },
            "component with a modifierExtension",
        ),
    ],
)
def test_what_may_mean_something_else_is_skipped(
    clinic: Clinic, change: dict[str, Any], reason: str
) -> None:
    resource = {**observation(1, fhir.HEART_RATE, 61), **change}
    report = clinic["eve"].post(BASE, json=bundle_of([resource])).json()
    assert (report["heart_rates"], len(report["skipped"])) == (0, 1)
    assert reason in report["skipped"][0]["reason"]


def test_records_without_identifiers_are_not_the_same_record(clinic: Clinic) -> None:
    empty = [
        observation(minute, fhir.HEART_RATE, 61, identifier=[{"value": " "}]) for minute in (1, 2)
    ]
    for resource in (empty, [{**item, "identifier": []} for item in empty]):
        report = clinic["eve"].post(BASE, json=bundle_of(resource)).json()
    assert (report["new"], report["skipped"]) == (2, [])


def test_all_that_was_skipped_is_counted(clinic: Clinic) -> None:
    """The list ends after 1,000, and looked as if the rest had been taken."""
    report = clinic["eve"].post(BASE, json={"resourceType": "Bundle", "entry": [{}] * 1200}).json()
    assert (len(report["skipped"]), report["skipped_count"]) == (1000, 1200)
    report = clinic["eve"].post("/v1/open-mhealth/heart-rate", json=[{}] * 2).json()
    assert report["skipped_count"] == len(report["skipped"]) == 2


RATE_UNITS = ["/min", "1/min", "min-1", "{beats}/min", "{beat}/min", "{Beats}/min"]
RATE_UNITS += ["{heart beats}/min", "{heartbeats}/min", "{beats}.min-1"]
OTHER_UNITS = ["/s", "Hz", "{breaths}/min", "/h", "ms", "min", " /min", "/min ", "", "1/min-1"]


@pytest.mark.parametrize("code", RATE_UNITS)
def test_ucum_has_several_ways_to_write_beats_a_minute(code: str) -> None:
    resource = observation(1, fhir.HEART_RATE, 61)
    resource["valueQuantity"]["code"] = code
    parsed = fhir.parse_bundle(resource)
    assert ([rate.bpm for rate in parsed.heart_rates], parsed.skipped) == ([61], [])


@pytest.mark.parametrize("code", OTHER_UNITS)
def test_another_unit_is_skipped(code: str) -> None:
    resource = observation(1, fhir.HEART_RATE, 61)
    resource["valueQuantity"]["code"] = code
    parsed = fhir.parse_bundle(resource)
    assert parsed.heart_rates == []
    assert "not in /min" in parsed.skipped[0].reason


def test_a_device_is_what_it_is_called_and_not_the_way_to_it() -> None:
    """The same strap has another ``urn:uuid:`` in each Bundle, and two straps are both ``#d``."""

    def device(**names: Any) -> dict[str, Any]:
        return {"resourceType": "Device", "id": "d", **names}

    def of(url: str, **names: Any) -> str:
        entries = [
            {"fullUrl": url, "resource": device(**names)},
            {"resource": observation(1, fhir.HEART_RATE, 61, device={"reference": url})},
        ]
        (rate,) = fhir.parse_bundle({"resourceType": "Bundle", "entry": entries}).heart_rates
        return rate.device

    def inside(**names: Any) -> str:
        more = {"contained": [device(**names)], "device": {"reference": "#d"}}
        (rate,) = fhir.parse_bundle(observation(1, fhir.HEART_RATE, 61, **more)).heart_rates
        return rate.device

    assert of(URN, serialNumber="H10 1") == of(URN_2, serialNumber="H10 1") == "H10 1"
    assert of(URN, identifier=[{"value": "77"}], serialNumber="H10 1") == "77"
    assert of(URN, deviceName=[{"name": "H10", "type": "other"}]) == "H10"
    assert inside(serialNumber="H10 1") == "H10 1"
    assert inside(serialNumber="H10 2") == "H10 2"
    assert of(URN, serialNumber=5) == URN  # nothing better is said


def test_a_uuid_is_the_same_in_any_spelling(clinic: Clinic) -> None:
    ada = clinic["ada"]
    for spelling in (OTHER, OTHER.upper(), OTHER.replace("-", ""), f"{{{OTHER}}}"):
        ada.post("/v1/open-mhealth/heart-rate", json=point(1, 61, uuid=spelling))
        identifier = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{spelling}"}
        report = ada.post(BASE, json=observation(1, fhir.HEART_RATE, 61, identifier=[identifier]))
        assert report.json()["skipped"] == []
    (resource,) = all_resources(ada)
    assert [item["value"] for item in resource["identifier"]][1:] == [f"urn:uuid:{OTHER}"]


def test_data_points_of_another_person_are_not_the_persons(clinic: Clinic) -> None:
    ada, eve = clinic["ada"], clinic["eve"]
    ada.post("/v1/open-mhealth/heart-rate", json=point(1, 61))
    exported = ada.get("/v1/open-mhealth/heart-rate").json()["data_points"]
    report = eve.post("/v1/open-mhealth/heart-rate", json=exported).json()
    assert (report["heart_rates"], len(report["skipped"])) == (0, 1)
    assert f"its user is {clinic.id('ada')}" in report["skipped"][0]["reason"]
    assert eve.get("/v1/open-mhealth/heart-rate").json()["data_points"] == []
    report = ada.post("/v1/open-mhealth/heart-rate", json=exported).json()
    assert (report["new"], report["skipped"]) == (0, [])
    # Somebody may have had another account: that has to be said.
    named = {"params": {"subject": clinic.id("ada")}}
    report = eve.post("/v1/open-mhealth/heart-rate", json=exported, **named).json()
    assert (report["new"], report["skipped"]) == (1, [])


def entry(resource: dict[str, Any], **request: Any) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "POST", "url": "Observation", **request}}


def test_a_transaction_stores_no_half_of_a_rating(clinic: Clinic) -> None:
    """Its answer says that nothing was stored, and half a rating waited all the same."""
    ada = clinic["ada"]
    pleasant = observation(1, "pleasant-nrs", 4, system=fhir.OURS)
    pain = observation(1, fhir.PAIN, 5)
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(pleasant)]}
    refused = ada.post(BASE, json=sent)
    assert refused.status_code == 422
    words = refused.json()["issue"][0]["diagnostics"]
    assert words.startswith("Nothing was stored")
    assert "waits" not in words
    assert ada.post(BASE, json=bundle_of([pain])).json()["ratings"] == 1
    (row,) = ada.get("/v1/export/ratings").json()["rows"]
    assert row["pleasant"] is None
    # In a batch it waits, and says so.
    batch = ada.post(BASE, json={**sent, "type": "batch"}).json()
    assert batch["entry"][0]["response"]["status"] == "201 Created"  # the pain was there
    later = observation(2, "pleasant-nrs", 4, system=fhir.OURS)
    batch = ada.post(BASE, json={**sent, "type": "batch", "entry": [entry(later)]}).json()
    answer = batch["entry"][0]["response"]
    assert answer["status"] == "202 Accepted"
    assert "waits until it comes" in answer["outcome"]["issue"][0]["diagnostics"]
    require_valid_r4(batch)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_request_to_another_type_is_refused(clinic: Clinic, kind: str) -> None:
    sent = {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [entry(observation(1, fhir.HEART_RATE, 61), url="Patient")],
    }
    answer = clinic["ada"].post(BASE, json=sent)
    assert "its request is to Patient" in answer.text
    assert all_resources(clinic["ada"]) == []


_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**40), 10**40),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["2026-11-01T08:00:00Z", "#p", f"Patient/{ME}", "http://[", "HTEST"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["reference", "identifier", "system", "value", "code", "coding", "display", "id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
_FIELDS = [
    "resourceType",
    "status",
    "code",
    "subject",
    "effectiveDateTime",
    "_effectiveDateTime",
    "issued",
    "valueQuantity",
    "valueInteger",
    "identifier",
    "device",
    "component",
    "note",
    "meta",
    "contained",
    "focus",
]


@settings(max_examples=300, deadline=None)
@given(
    code=st.sampled_from([fhir.HEART_RATE, fhir.PAIN]),
    changes=st.dictionaries(st.sampled_from(_FIELDS), _json, min_size=1, max_size=2),
    more=st.lists(_json, max_size=2),
)
def test_any_type_in_any_field_is_read_or_skipped(
    code: str, changes: dict[str, Any], more: list[Any]
) -> None:
    resource = {**observation(1, code, 5 if code == fhir.PAIN else 60), **changes}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource}, *more]}
    try:
        parsed = fhir.parse_bundle(bundle, ME, "Patient/12")
    except TwoPatientsError:
        return
    for rate in parsed.heart_rates:
        assert type(rate.time_ns) is int
        assert 0 < rate.bpm < 400
        assert all(isinstance(item, str) for item in (rate.device, *rate.identifiers))
    for rating in parsed.ratings:
        assert all(isinstance(item, str) for item in (rating.key, *rating.identifiers))
        assert isinstance(rating.note, str | None)


@settings(max_examples=150, deadline=None)
@given(
    header=st.dictionaries(
        st.sampled_from(
            ["schema_id", "uuid", "modality", "source_creation_date_time", "external_datasheets"]
        ),
        _json,
        max_size=2,
    ),
    body=st.dictionaries(
        st.sampled_from(["heart_rate", "effective_time_frame", "descriptive_statistic"]),
        _json,
        max_size=1,
    ),
)
def test_any_type_in_any_field_of_a_data_point_is_read_or_skipped(
    header: dict[str, Any], body: dict[str, Any]
) -> None:
    sent = point(1, 60, **header)
    sent["body"].update(body)
    parsed = open_mhealth.parse_points([sent], ME)
    assert len(parsed.heart_rates) + len(parsed.skipped) == 1


def outcome(response: httpx.Response, status: int, code: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/fhir+json"
    assert int(response.headers["content-length"]) == len(response.content)
    require_valid_r4(response.json())
    assert response.json()["issue"][0]["code"] == code


def test_every_error_of_fhir_is_an_outcome_whoever_refuses(clinic: Clinic) -> None:
    ada = clinic["ada"]
    json_of = {"Content-Type": "application/fhir+json"}
    resource = json.dumps(observation(1, fhir.HEART_RATE, 61))
    outcome(ada.put(f"{BASE}/Observation/1", json={}), 405, "not-supported")
    assert "GET" in ada.put(f"{BASE}/Observation/1", json={}).headers["allow"]
    outcome(ada.get(BASE), 405, "not-supported")
    outcome(ada.post(BASE, content=resource, headers={**json_of, "If-Match": "*"}), 412, "conflict")
    outcome(ada.post(BASE, content="x" * (17 * 2**20), headers=json_of), 413, "too-long")
    outcome(ada.get(f"{BASE}/Observation?code={'x' * 62_000}"), 414, "too-long")
    outcome(
        ada.post(BASE, content=resource, headers={"Content-Type": "text/xml"}), 415, "not-supported"
    )
    packed = {**json_of, "Content-Encoding": "gzip"}
    outcome(ada.post(BASE, content=b"x" * 40, headers=packed), 415, "not-supported")
    deep = '{"resourceType": "Bundle", "entry": ' + "[" * 40 + "]" * 40 + "}"
    outcome(ada.post(BASE, content=deep, headers=json_of), 422, "processing")
    many_digits = resource.replace("61", "1" * 5000)
    outcome(ada.post(BASE, content=many_digits, headers=json_of), 400, "invalid")
    outcome(ada.get(f"/v1/patients/{ME}/fhir/Observation"), 403, "forbidden")
    head = ada.head(f"{BASE}/Encounter")
    assert (head.status_code, head.headers["content-type"]) == (404, "application/fhir+json")
    # Outside of FHIR's paths they stay problems.
    other = ada.put("/v1/fhirx", json={})
    assert other.headers["content-type"] == "application/problem+json"


def test_a_repeated_request_has_the_media_type_of_the_first(clinic: Clinic) -> None:
    sent = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [entry(observation(1, fhir.HEART_RATE, 61))],
    }
    for body, status in ((sent, 200), ({"resourceType": "Patient"}, 422)):
        key = {"Idempotency-Key": f"key {status}"}
        first, again = (clinic["ada"].post(BASE, json=body, headers=key) for _ in range(2))
        assert again.headers["idempotency-replayed"] == "true"
        assert (first.status_code, again.status_code) == (status, status)
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["content-type"] == "application/fhir+json"
        assert again.json() == first.json()


def test_a_repeated_request_has_its_media_type_also_when_it_is_compressed(clinic: Clinic) -> None:
    """Where the answer was read as JSON after it was compressed, it was application/json."""
    entries = [entry(observation(minute, fhir.HEART_RATE, 61)) for minute in range(40)]
    sent = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    headers = {"Idempotency-Key": "many", "Accept-Encoding": "gzip"}
    first, again = (clinic["ada"].post(BASE, json=sent, headers=headers) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers.get("content-encoding") == first.headers.get("content-encoding")
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["content-type"] == "application/fhir+json"
    assert again.json() == first.json()
    # What is no resource, as the report on a collection, is none when it is repeated.
    sent["type"], headers["Idempotency-Key"] = "collection", "a collection"
    first, again = (clinic["ada"].post(BASE, json=sent, headers=headers) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0", 200),
        ("application/fhir+json;fhirVersion=3.0", 406),
        ("application/fhir+json;fhirVersion=5.0, application/json", 200),
        ("application/fhir+json;q=0", 406),
        ("application/json;q=0, text/html", 406),
        ("text/html, */*;q=0.1", 200),
        ("application/fhir+xml", 406),
        ("application/*", 200),
    ],
)
def test_accept_and_format(clinic: Clinic, accept: str, status: int) -> None:
    address = f"{BASE}/Patient/{clinic.id('ada')}"
    assert clinic["ada"].get(address, headers={"Accept": accept}).status_code == status


@pytest.mark.parametrize("path", ["metadata", "CodeSystem/ebbtide", "Device/ebbtide", "Patient"])
def test_format_counts_on_every_resource(clinic: Clinic, path: str) -> None:
    ada = clinic["ada"]
    for form in ("json", "application/fhir+json;fhirVersion=4.0", "application/fhir%2Bjson"):
        assert ada.get(f"{BASE}/{path}?_format={form}").status_code == 200
    for form in ("xml", "application/fhir+json;fhirVersion=3.0"):
        outcome(ada.get(f"{BASE}/{path}?_format={form}"), 406, "not-supported")


def test_dates_far_away_are_dates(clinic: Clinic) -> None:
    ada = clinic["ada"]
    ada.post(BASE, json=observation(1, fhir.HEART_RATE, 61)).raise_for_status()

    def total(query: str) -> int:
        return int(
            ada.get(f"{BASE}/Observation?_count=0&{query}").raise_for_status().json()["total"]
        )

    for everything in ("le9999-12-31", "ge0001-01-01", "gt1600", "lt9999-12-31T23:59:59-14:00"):
        assert total(f"date={everything}") == total(f"_lastUpdated={everything}") == 1
    assert total("date=ge0001-01-01&date=le9999-12-31") == total("date=ne9999-12-31") == 1
    for nothing in ("0001-01-01", "9999-12-31", "gt9999", "lt0001-01-01T00:00:00%2B14:00"):
        assert total(f"date={nothing}") == total(f"_lastUpdated={nothing}") == 0
    for none in ("2026-02-30", "0000", "10000"):
        outcome(ada.get(f"{BASE}/Observation?date={none}"), 400, "invalid")


@pytest.mark.parametrize(
    "query", ["_count=1&_count=2", "_count=1&limit=2", "_count=٣", "_count=-1", "_id=", "code=,"]
)
def test_what_could_be_read_in_two_ways_is_refused(clinic: Clinic, query: str) -> None:
    outcome(clinic["ada"].get(f"{BASE}/Observation?{query}"), 400, "invalid")


def test_a_patient_can_be_counted(clinic: Clinic) -> None:
    ada = clinic["ada"]
    assert ada.get(f"{BASE}/Patient?_count=0").json()["total"] == 1
    assert ada.get(f"{BASE}/Patient?_count=0&_id=1").json()["total"] == 0
    assert len(ada.get(f"{BASE}/Patient?_count=5").json()["entry"]) == 1
    outcome(ada.get(f"{BASE}/Patient?_id="), 400, "invalid")


@pytest.mark.parametrize(
    "place", [[9, 0, "", 0], [3, 0, {"a": 1}, 0], [1, 0, "\x00", 0], [1, 0, "\ud800", 0]]
)
def test_a_cursor_that_was_not_given_is_refused(place: list[Any]) -> None:
    with pytest.raises(ValueError, match="this API gave"):
        fhir.decode_key(base64.urlsafe_b64encode(json.dumps(place).encode()).decode())


def test_half_a_rating_in_a_batch_is_stored_where_the_other_half_is_refused(clinic: Clinic) -> None:
    pain = observation(1, fhir.PAIN, 4)
    stress = observation(1, fhir.STRESS, 5, system=fhir.OURS)
    sent = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [entry(pain), entry(stress, method="PUT")],
    }
    batch = clinic["ada"].post(BASE, json=sent).raise_for_status().json()
    statuses = [item["response"]["status"] for item in batch["entry"]]
    assert statuses == ["201 Created", "422 Unprocessable Entity"]
    refusal = batch["entry"][1]["response"]["outcome"]["issue"][0]["diagnostics"]
    assert "PUT is not served" in refusal
    assert clinic["ada"].post(BASE, json=bundle_of([stress])).json()["ratings"] == 1
    sent["type"] = "transaction"
    refused = clinic["ada"].post(BASE, json=sent)
    assert refused.status_code == 422
    assert "entry[1]: PUT is not served" in refused.json()["issue"][0]["diagnostics"]


def corrected(resource: dict[str, Any], value: int, day: int) -> dict[str, Any]:
    """A correction of a rating, issued on a day."""
    quantity = {**resource["valueQuantity"], "value": value}
    issued = f"2026-11-{day:02}T08:00:00Z"
    return {**resource, "valueQuantity": quantity, "status": "corrected", "issued": issued}


@pytest.mark.parametrize("kind", ["collection", "transaction"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_a_correction_may_come_with_what_it_corrects(
    clinic: Clinic, kind: str, order: tuple[int, ...]
) -> None:
    """Both were refused, as two ratings of one moment."""
    ada = clinic["ada"]
    pain = observation(1, fhir.PAIN, 4)
    stress = observation(1, fhir.STRESS, 5, system=fhir.OURS)
    resources = [pain, stress, corrected(pain, 6, 2), corrected(pain, 7, 3)]
    entries = [entry(resources[number]) for number in order]
    for is_new in (True, False):  # sent again, it is all stored already
        answer = ada.post(BASE, json={"resourceType": "Bundle", "type": kind, "entry": entries})
        report = answer.raise_for_status().json()
        if kind == "collection":
            assert (report["ratings"], report["new"], report["skipped"]) == (1, 4 * is_new, [])
        else:
            statuses = {item["response"]["status"] for item in report["entry"]}
            assert statuses == {"201 Created" if is_new else "200 OK"}
    rows = ada.get("/v1/export/ratings").json()["rows"]
    assert [(row["pain"], row["stress"], row["version"]) for row in rows] == [(7, 5, 3)]


def test_a_part_that_waits_can_be_corrected(clinic: Clinic) -> None:
    ada = clinic["ada"]
    pleasant = observation(1, "pleasant-nrs", 4, system=fhir.OURS)
    for number, part in enumerate([pleasant, corrected(pleasant, 6, 2)]):
        report = ada.post(BASE, json=bundle_of([part])).json()
        assert "waits until it comes" in report["skipped"][0]["reason"], number
    refused = ada.post(BASE, json=bundle_of([corrected(pleasant, 8, 1)])).json()
    assert "a later correction is stored" in refused["skipped"][0]["reason"]
    stress = observation(1, fhir.STRESS, 5, system=fhir.OURS)
    assert ada.post(BASE, json=bundle_of([stress])).json()["ratings"] == 1
    rows = ada.get("/v1/export/ratings").json()["rows"]
    found = [(row["pain"], row["stress"], row["pleasant"], row["version"]) for row in rows]
    assert found == [(None, 5, 6, 1)]


def test_a_rating_of_one_alone_is_one_and_the_other_may_join_it(clinic: Clinic) -> None:
    """Pain alone waited for a stress that never came."""
    ada = clinic["ada"]
    pain, later = observation(1, fhir.PAIN, 4), observation(2, fhir.PAIN, 0)
    for new in (2, 0):  # sent again, nothing is new
        report = ada.post(BASE, json=bundle_of([pain, later])).json()
        assert (report["ratings"], report["new"], report["skipped"]) == (2, new, [])
    rows = ada.get("/v1/export/ratings").json()["rows"]
    assert [(row["pain"], row["stress"]) for row in rows] == [(4, None), (0, None)]
    exported = [item for item in all_resources(ada) if item["resourceType"] == "Observation"]
    assert len(exported) == 2  # no stress of 0 was made of none
    stress = observation(1, fhir.STRESS, 5, system=fhir.OURS)
    stress["note"] = [{"text": "before the meeting"}]
    assert ada.post(BASE, json=bundle_of([stress])).json()["new"] == 1
    rows = ada.get("/v1/export/ratings").json()["rows"]
    assert [(row["pain"], row["stress"], row["version"]) for row in rows] == [
        (4, 5, 1),
        (0, None, 1),
    ]
