"""The FHIR server as FHIR R4 says: search, paging, reading, errors, batches, capabilities."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest

from api.export import fhir
from api.services.research_identity import GRID, ResearchIdentity
from ebbtide.beats import new_id
from ebbtide.timestamps import DAY, HOUR, MINUTE, from_datetime, to_datetime
from store import Stores
from store.models import Prompt, PromptState, Purpose, Rating, SkipReason
from tests.api.export.test_round_trip import all_resources, bundle_of, observation
from tests.support.clinic import Clinic, fill, opened_clinic
from tests.support.cohort_clinic import agree_together, identity_of, with_movable_clock
from tests.support.standards import require_valid_r4

BASE = "/v1/fhir"


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"])
        yield opened


@pytest.fixture
def released(stores: Stores) -> Iterator[Clinic]:
    """Ada's data are released to analysts, and she agreed with five others."""
    stores, clock = with_movable_clock(stores)
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"])
        note = {"pain": 1, "stress": 2, "note": "the stairs at work"}
        opened["ada"].post("/v1/ratings", json=note).raise_for_status()
        opened["ada"].post(BASE, json=bundle_of([observation(1, fhir.HEART_RATE, 61.4)]))
        clock.until_released(opened)
        agree_together(opened, "ada", people=6)
        yield opened


def found(client: httpx.Client, **parameters: Any) -> list[dict[str, Any]]:
    return all_resources(client, str(httpx.QueryParams(parameters)))


def outcome(response: httpx.Response, status: int, words: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/fhir+json"
    require_valid_r4(response.json())
    assert words in response.json()["issue"][0]["diagnostics"]


def names(resources: list[dict[str, Any]]) -> set[str]:
    ids = [resource["id"] for resource in resources]
    return {"index" if one.startswith("index-") else one.rpartition("-")[2] for one in ids}


def test_search_parameters_do_what_they_say(clinic: Clinic) -> None:
    ada = clinic["ada"]
    everything = found(ada)
    assert names(everything) == {"pain", "stress", "pleasant", "hr", "sdnn", "rmssd", "index"}
    assert names(found(ada, code=fhir.PAIN)) == {"pain"}
    assert names(found(ada, code=f"{fhir.LOINC}|{fhir.HEART_RATE}")) == {"hr"}
    assert names(found(ada, code=f"{fhir.OURS}|")) == {*("stress", "pleasant", "rmssd", "index")}
    assert names(found(ada, code="rmssd,72514-3")) == {"rmssd", "pain"}
    assert found(ada, code=f"{fhir.OURS}|{fhir.PAIN}") == []
    assert names(found(ada, category="vital-signs")) == {"hr"}
    assert names(found(ada, category="survey,procedure")) == names(everything) - {"hr"}
    assert found(ada, category="survey", code="8867-4") == []
    one = everything[3]
    assert found(ada, _id=one["id"]) == [one]
    me = clinic.id("ada")
    for reference in (me, f"Patient/{me}", f"{clinic.url}{BASE}/Patient/{me}"):
        assert found(ada, patient=reference) == everything
    assert found(ada, patient=clinic.id("eve")) == found(ada, subject="Patient/1") == []
    pages = found(ada, _count=7)
    assert pages == everything
    bundle = ada.get(f"{BASE}/Observation?_count=7").json()
    assert sum(e["search"]["mode"] == "match" for e in bundle["entry"]) == 7
    nothing = ada.get(f"{BASE}/Observation?_count=0").json()
    assert nothing["total"] == len(everything)
    assert "entry" not in nothing
    require_valid_r4(nothing)


def test_dates_and_their_prefixes(clinic: Clinic) -> None:
    ada = clinic["ada"]
    pains = found(ada, code=fhir.PAIN)
    moments = [resource["effectiveDateTime"] for resource in pains]
    third = moments[2]
    expected = {
        "eq": moments[2:3],
        "ne": [*moments[:2], *moments[3:]],
        "gt": moments[3:],
        "ge": moments[2:],
        "lt": moments[:2],
        "le": moments[:3],
        "sa": moments[3:],
        "eb": moments[:2],
    }
    for prefix, expects in expected.items():
        got = found(ada, code=fhir.PAIN, date=prefix + third)
        assert [resource["effectiveDateTime"] for resource in got] == expects, prefix
    assert found(ada, code=fhir.PAIN, date=third) == pains[2:3]
    day = third[:10]  # in the person's zone
    got = found(ada, code=fhir.PAIN, date=day)
    assert [r["effectiveDateTime"] for r in got] == [m for m in moments if m[:10] == day]
    assert found(ada, code=fhir.PAIN, date=day[:4]) == [
        p for p in pains if p["effectiveDateTime"][:4] == day[:4]
    ]
    two = ada.get(
        f"{BASE}/Observation", params={"code": fhir.PAIN, "date": ["ge" + third, "lt" + moments[4]]}
    )
    assert [e["resource"]["effectiveDateTime"] for e in two.json()["entry"][:-1]] == moments[2:4]
    # A window is found by its whole period.
    windows = found(ada, code=fhir.HEART_RATE)
    middle = windows[4]["effectivePeriod"]["end"]
    begin = windows[4]["effectivePeriod"]["start"]
    assert windows[4] in found(ada, code=fhir.HEART_RATE, date="ge" + begin)
    assert windows[4] not in found(ada, code=fhir.HEART_RATE, date="sa" + begin)
    assert windows[4] not in found(ada, code=fhir.HEART_RATE, date="ge" + middle)
    assert windows[3] not in found(ada, code=fhir.HEART_RATE, date="gt" + middle)
    outcome(ada.get(f"{BASE}/Observation?date=ap2026"), 400, "prefix ap")
    outcome(ada.get(f"{BASE}/Observation?date=yesterday"), 400, "no date")
    outcome(ada.get(f"{BASE}/Observation?date=2026-13-01"), 400, "no date")


def test_what_is_not_served_is_refused_or_left_out(clinic: Clinic) -> None:
    ada = clinic["ada"]
    address = f"{BASE}/Observation?code=72514-3&_sort=date&value-quantity=5"
    outcome(ada.get(address), 400, "_sort is not served")
    outcome(ada.get(address, headers={"Prefer": "handling=strict"}), 400, "_sort")
    lenient = ada.get(address, headers={"Prefer": "handling=lenient"}).raise_for_status().json()
    (link,) = (item["url"] for item in lenient["link"] if item["relation"] == "self")
    assert link.endswith("/fhir/Observation?code=72514-3")
    outcome(ada.get(f"{BASE}/Observation?code:text=pain"), 400, "code:text")
    outcome(
        ada.get(f"{BASE}/Observation", headers={"Accept": "application/fhir+xml"}), 406, "served"
    )
    outcome(ada.get(f"{BASE}/Observation?_format=xml"), 406, "xml")
    assert ada.get(f"{BASE}/Observation?_format=json").status_code == 200
    outcome(ada.get(f"{BASE}/Medication"), 404, "not served")
    outcome(ada.get(f"{BASE}/Observation?cursor=zzz"), 422, "cursor")
    outcome(httpx.get(f"{clinic.url}{BASE}/Observation"), 401, "Sign in")
    outcome(clinic["ann"].get(f"{BASE}/Observation"), 403, "patients only")


def rating(clinic: Clinic, about_ns: int, pain: int = 5) -> Rating:
    person = clinic.people["ada"]
    about_ns = about_ns // 1000 * 1000
    made = Rating(new_id(), 1, person.id, about_ns, about_ns, person.zone, pain, pain, None, False)
    return clinic.stores.records.add_rating(made)


@pytest.mark.parametrize("form", ["fhir", "open-mhealth"])
def test_pages_lose_and_repeat_nothing_while_others_write(clinic: Clinic, form: str) -> None:
    ada, stores, person = clinic["ada"], clinic.stores, clinic.people["ada"]
    now = stores.now()
    rates = [observation(-n, fhir.HEART_RATE, 60 + n) for n in range(30)]
    ada.post(BASE, json=bundle_of(rates)).raise_for_status()
    old = [rating(clinic, now - (20 + n) * DAY) for n in range(12)]

    def page(cursor: str | None) -> tuple[list[str], str | None]:
        if form == "open-mhealth":
            params = {"limit": 9} | ({"cursor": cursor} if cursor else {})
            body = ada.get("/v1/open-mhealth/heart-rate", params=params).json()
            return [point["header"]["uuid"] for point in body["data_points"]], body["next"]
        body = ada.get(cursor or f"{BASE}/Observation?_count=9").raise_for_status().json()
        links = {link["relation"]: link["url"] for link in body["link"]}
        entries = [e["resource"]["id"] for e in body["entry"] if e["search"]["mode"] == "match"]
        return entries, links.get("next")

    expected: list[str] = []
    cursor: str | None = None
    while True:
        ids, cursor = page(cursor)
        expected += ids
        if cursor is None:
            break
    seen, cursor = page(None)
    step = 0
    while cursor is not None:
        # Before the cursor and after it: a new one, one that moves, and one that is withdrawn.
        rating(clinic, now - (60 + step) * DAY)
        ada.post(BASE, json=bundle_of([observation(-500 - step, fhir.HEART_RATE, 70)]))
        if step < 5:
            moved = old[step + 4]
            stores.records.add_rating(
                replace(moved, version=2, about_ns=now - (90 + step) * DAY, entered_ns=now)
            )
        if step == 1:
            stores.records.add_rating(replace(old[11], version=2, withdrawn=True, entered_ns=now))
        ids, cursor = page(cursor)
        seen += ids
        step += 1
    assert step > 3
    assert len(seen) == len(set(seen))
    withdrawn = {f"{old[11].id}-{name}" for name in ("pain", "stress")}
    assert set(expected) - set(seen) <= withdrawn
    assert person.id  # the same person throughout


def test_changes_since_a_moment_include_what_was_withdrawn(clinic: Clinic) -> None:
    ada, stores = clinic["ada"], clinic.stores
    kept = rating(clinic, stores.now() - DAY)
    gone = rating(clinic, stores.now() - 2 * DAY)
    since = to_datetime(stores.now()).isoformat()
    ada.delete(f"/v1/ratings/{gone.id}?version=1").raise_for_status()
    changed = found(ada, _lastUpdated=f"ge{since}", category="survey")
    assert {(r["id"], r["status"]) for r in changed} == {
        (f"{gone.id}-pain", "entered-in-error"),
        (f"{gone.id}-stress", "entered-in-error"),
    }
    assert gone.id not in str(found(ada, category="survey"))
    assert kept.id in str(found(ada, _lastUpdated=f"lt{since}", category="survey"))
    assert found(ada, status="entered-in-error") == changed
    # Windows change with the beats of their day.
    before = found(ada, code="rmssd")
    assert found(ada, code="rmssd", _lastUpdated=f"ge{since}") == []
    assert found(ada, code="rmssd", _lastUpdated=f"lt{since}") == before


def test_each_resource_can_be_read_and_references_resolve(clinic: Clinic) -> None:
    ada = clinic["ada"]
    ada.post(BASE, json=bundle_of([observation(1, fhir.HEART_RATE, 61.4)])).raise_for_status()
    clinic.agree("ada", Purpose.CARE)
    for client, base in (
        (ada, f"{clinic.url}/v1/fhir"),
        (clinic["tom"], f"{clinic.url}/v1/patients/{clinic.id('ada')}/fhir"),
    ):
        address = f"{base}/Observation?_count=25"
        kinds = set()
        while address:
            bundle = client.get(address).raise_for_status().json()
            inside = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
            assert len(inside) == len(bundle["entry"])
            for entry in bundle["entry"]:
                for reference in re.findall(r"'reference': '([^']+)'", str(entry["resource"])):
                    assert f"{base}/{reference}" in inside
                kinds.add(entry["resource"]["resourceType"])
            for url, resource in list(inside.items())[::9] + list(inside.items())[-2:]:
                read = client.get(url).raise_for_status().json()
                assert read == resource
                require_valid_r4(read)
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            address = links.get("next", "")
        assert kinds == {"Observation", "Patient", "Device"}
    for missing in ("Observation/x", "Observation/window-5-hr", "Patient/1", "Device/x"):
        outcome(ada.get(f"{BASE}/{missing}"), 404, "There is no")
    hers = (
        f"{BASE}/Observation/{clinic.stores.records.ratings(clinic.id('ada'), 0, 2**62)[0].id}-pain"
    )
    assert ada.get(hers).status_code == 200
    outcome(clinic["eve"].get(hers), 404, "There is no")


def test_the_stress_index_before_each_rating_is_there_with_interval_and_version(
    clinic: Clinic,
) -> None:
    ada = clinic["ada"]
    rows = ada.get("/v1/export/stress_before", params={"format": "json"}).json()["rows"]
    known = {row["rating"]: row for row in rows if row["stress_index"] is not None}
    indices = found(ada, code="stress-index")
    assert len(known) == len(indices) == 2  # those of the third day
    for item in indices:
        require_valid_r4(item)
        (identifier,) = item["identifier"]
        row = known[identifier["value"]]
        low, high = (part["valueQuantity"]["value"] for part in item["component"])
        assert low < item["valueQuantity"]["value"] < high
        for value, name in (
            (low, "_low"),
            (item["valueQuantity"]["value"], ""),
            (high, "_high"),
        ):
            assert value == pytest.approx(row[f"stress_index{name}"], abs=0.051)
        assert item["valueQuantity"]["code"] == "%"
        assert item["method"]["text"].endswith("version 2")
        start, end = (from_text(item["effectivePeriod"][name]) for name in ("start", "end"))
        assert end - start == 30 * MINUTE
        rating = ada.get(f"{BASE}/Observation/{identifier['value']}-pain").json()
        assert from_text(rating["effectiveDateTime"]) == end
        assert ada.get(f"{BASE}/Observation/{item['id']}").json() == item
        assert found(ada, _id=item["id"]) == [item]
        # Found by each day that its half hour touches, and not by an hour later.
        assert item in found(ada, code="stress-index", date=rating["effectiveDateTime"][:10])
        later = to_datetime(end + HOUR).isoformat()
        assert item not in found(ada, code="stress-index", date=f"ge{later}")
    everything = found(ada)
    assert everything[-2:] == indices
    assert [i["id"] for i in found(ada, _count=7)] == [i["id"] for i in everything]
    sent = ada.post(BASE, json=bundle_of(indices)).json()
    assert sent["new"] == 0
    assert all("made again from the beats" in one["reason"] for one in sent["skipped"])
    withdrawn = indices[0]["identifier"][0]["value"]
    ada.delete(f"/v1/ratings/{withdrawn}", params={"version": 1}).raise_for_status()
    assert [i["id"] for i in found(ada, code="stress-index")] == [indices[1]["id"]]
    gone = ada.get(f"{BASE}/Observation/{indices[0]['id']}")
    outcome(gone, 404, "no Observation")
    nobody = ada.get(f"{BASE}/Observation/index-{new_id()}")
    outcome(nobody, 404, "no Observation")


def test_notes_are_for_the_person_alone(clinic: Clinic) -> None:
    body = {"pain": 1, "stress": 2, "note": "the stairs at work"}
    clinic["ada"].post("/v1/ratings", json=body).raise_for_status()
    clinic.agree("ada", Purpose.CARE)
    assert "the stairs at work" in clinic["ada"].get(f"{BASE}/Observation").text
    path = f"/v1/patients/{clinic.id('ada')}/fhir/Observation"
    assert "the stairs at work" not in clinic["tom"].get(path).text


def put_prompts(clinic: Clinic) -> list[Prompt]:
    """One that was sent, one that was not, and one that is to come."""
    person, now = clinic.people["ada"], clinic.stores.now()
    sent, skipped, planned = (
        Prompt(
            *(new_id(), person.id, f"slot {at}", "random", now + at, "Europe/Berlin"),
            *(0.01, 1, now + at, now + at + HOUR, state),
            **more,
        )
        for at, state, more in (
            (-2 * DAY, PromptState.SENT, {"ways": "push mail", "sent_ns": now - 2 * DAY + 1}),
            (-DAY, PromptState.SKIPPED, {"skip_reason": str(SkipReason.NIGHT)}),
            (DAY, PromptState.PLANNED, {}),
        )
    )
    prompts = [sent, skipped, planned]
    assert all(clinic.stores.prompts.import_prompt(prompt) for prompt in prompts)
    answer = Rating(
        *(new_id(), 1, person.id, *(now - 2 * DAY + MINUTE,) * 2, "Europe/Berlin"),
        *(3, 4, None),
        simulated=False,
        prompt_id=sent.id,
    )
    clinic.stores.records.add_rating(answer)
    return prompts


def test_prompts_are_communications(clinic: Clinic) -> None:
    ada = clinic["ada"]
    sent, skipped, planned = put_prompts(clinic)
    first, second = all_resources(ada, "_count=1", "Communication")
    for resource in (first, second):
        require_valid_r4(resource)
    assert (first["id"], first["status"]) == (sent.id, "completed")
    assert [medium["text"] for medium in first["medium"]] == ["push", "mail"]
    assert first["sent"].startswith(
        to_datetime(sent.sent_ns or 0, "Europe/Berlin").isoformat()[:16]
    )
    answered = [ada.get(f"{BASE}/{item['reference']}").json() for item in first["about"]]
    assert [item["valueQuantity"]["value"] for item in answered] == [3, 4]
    assert (second["status"], second["statusReason"]["text"]) == ("not-done", skipped.skip_reason)
    assert "about" not in second and "sent" not in second
    # Nobody reads when they will be asked.
    outcome(ada.get(f"{BASE}/Communication/{planned.id}"), 404, "There is no")
    outcome(ada.get(f"{BASE}/Communication?cursor={planned.id}"), 422, "cursor")
    outcome(ada.get(f"{BASE}/Communication?sent=2026"), 400, "not served")
    assert ada.get(f"{BASE}/Communication?_count=0").json()["total"] == 2


def test_the_capability_statement_is_true(clinic: Clinic) -> None:
    prompt = put_prompts(clinic)[0]
    statement = httpx.get(f"{clinic.url}{BASE}/metadata").raise_for_status().json()
    require_valid_r4(statement)
    (rest,) = statement["rest"]
    ada = clinic["ada"]
    served = set()
    examples = {
        "Observation": found(ada, _count=100)[0]["id"],
        "Patient": clinic.id("ada"),
        "Communication": prompt.id,
        "Device": "ebbtide",
        "CodeSystem": "ebbtide",
        "Questionnaire": "gad7-1",
        "QuestionnaireResponse": ada.get(f"{BASE}/QuestionnaireResponse").json()["entry"][0][
            "resource"
        ]["id"],
    }
    values = {
        "_id": "1",
        "_lastUpdated": "2026",
        "category": "survey",
        "code": "1",
        "date": "2026",
        "identifier": "1",
        "patient": "1",
        "status": "final",
        "subject": "1",
    }
    for resource in rest["resource"]:
        kind = resource["type"]
        interactions = {item["code"] for item in resource["interaction"]}
        served.add(kind)
        read = ada.get(f"{BASE}/{kind}/{examples[kind]}")
        assert (read.status_code == 200) is ("read" in interactions)
        require_valid_r4(read.json())
        assert (ada.get(f"{BASE}/{kind}").status_code == 200) is ("search-type" in interactions)
        for parameter in resource.get("searchParam", []):
            name = parameter["name"]
            answer = ada.get(f"{BASE}/{kind}", params={name: values[name]})
            assert answer.status_code == 200, name
            links = {link["relation"]: link["url"] for link in answer.json()["link"]}
            assert name in links["self"]
    routes = httpx.get(f"{clinic.url}/openapi.json", timeout=60).json()["paths"]
    there = {
        path.split("/")[3]
        for path in routes
        if re.match(r"/v1/fhir/[A-Z]", path) and "$" not in path
    }
    assert there == served
    codes = {
        item["code"]
        for item in httpx.get(f"{clinic.url}{BASE}/CodeSystem/ebbtide").json()["concept"]
    }
    used = {
        coding["code"]
        for resource in found(ada)
        for coding in resource["code"]["coding"]
        if coding["system"] == fhir.OURS
    }
    assert used <= codes
    for kind in ("transaction", "batch"):
        assert {"code": kind} in rest["interaction"]
    agree_together(clinic, "ada")
    for operation in ("$export", "Patient/$export"):  # of Patient, and of the system
        answer = clinic["ann"].get(f"{BASE}/{operation}", headers={"Prefer": "respond-async"})
        assert answer.status_code == 202, answer.text


def request(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "POST", "url": "Observation", **more}}


def test_batches_and_transactions_are_answered_with_bundles(clinic: Clinic) -> None:
    ada = clinic["ada"]
    good = observation(1, fhir.HEART_RATE, 61.4)
    pain = observation(2, fhir.PAIN, 4)
    stress = observation(2, fhir.STRESS, 5, system=fhir.OURS)
    bad = observation(3, fhir.HEART_RATE, 900)
    entries = [
        request(good),
        request(bad),
        request(pain),
        request(stress),
        request(good, method="PUT"),
    ]
    batch = ada.post(
        BASE, json={"resourceType": "Bundle", "type": "batch", "entry": entries}
    ).json()
    require_valid_r4(batch)
    assert batch["type"] == "batch-response"
    answers = [entry["response"] for entry in batch["entry"]]
    assert [answer["status"][:3] for answer in answers] == ["201", "422", "201", "201", "422"]
    for answer in answers:
        if "location" in answer:
            assert ada.get(f"{BASE}/{answer['location']}").status_code == 200
    refused = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    before = ada.get(f"{BASE}/Observation").text
    fresh = observation(9, fhir.HEART_RATE, 71)
    refused["entry"] = [request(fresh), request(bad)]
    outcome(ada.post(BASE, json=refused), 422, "Nothing was stored. Bundle.entry[1]")
    # One that contradicts what is stored undoes all the others too.
    refused["entry"] = [request(fresh), request(observation(1, fhir.HEART_RATE, 99))]
    outcome(ada.post(BASE, json=refused), 422, "Bundle.entry[1]")
    assert ada.get(f"{BASE}/Observation").text == before
    whole = {**refused, "entry": [request(fresh), request(good)]}
    answer = ada.post(BASE, json=whole).raise_for_status().json()
    require_valid_r4(answer)
    assert answer["type"] == "transaction-response"
    assert [e["response"]["status"][:3] for e in answer["entry"]] == ["201", "200"]


def patient(name: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, **more}


def test_the_subject_is_read(clinic: Clinic) -> None:
    ada, me = clinic["ada"], clinic.id("ada")
    count = len(found(ada, code=fhir.HEART_RATE))

    def about(reference: str | None, minute: int) -> dict[str, Any]:
        subject = {} if reference is None else {"subject": {"reference": reference}}
        return observation(minute, fhir.HEART_RATE, 60 + minute, **subject)

    two = bundle_of([patient("a"), patient("b"), about("Patient/a", 1), about("Patient/b", 2)])
    outcome(ada.post(BASE, json=two), 422, "more than one patient (Patient/a and Patient/b)")
    unlisted = bundle_of([about("Patient/a", 1), about(f"Patient/{me}", 2)])
    outcome(ada.post(BASE, json=unlisted), 422, "more than one patient")
    other = bundle_of([patient("a"), about("Patient/a", 1), about(None, 2)])
    report = ada.post(BASE, json=other).json()
    assert (report["heart_rates"], len(report["skipped"])) == (0, 2)
    assert "its subject is Patient/a" in report["skipped"][0]["reason"]
    assert "names no subject" in report["skipped"][1]["reason"]
    hers = bundle_of([about(f"Patient/{clinic.id('eve')}", 1)])
    assert "its subject is" in ada.post(BASE, json=hers).json()["skipped"][0]["reason"]
    assert len(found(ada, code=fhir.HEART_RATE)) == count
    # Who the person is there has to be said.
    report = ada.post(f"{BASE}?subject=Patient/a", json=other).json()
    assert (report["heart_rates"], report["skipped"]) == (2, [])
    for minute, reference in enumerate((f"Patient/{me}", f"urn:uuid:{me}", None), 5):
        assert ada.post(BASE, json=bundle_of([about(reference, minute)])).json()["new"] == 1
    known = patient("z", identifier=[{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{me}"}])
    mine = bundle_of([known, about("Patient/z", 9)])
    mine["entry"][0]["fullUrl"] = "urn:uuid:8a0e7b5e-0f0e-4f0a-9a54-d7a3d5a1b001"
    mine["entry"][1]["resource"]["subject"] = {"reference": mine["entry"][0]["fullUrl"]}
    assert ada.post(BASE, json=mine).json()["new"] == 1


def test_ratings_that_are_not_certain_are_skipped(clinic: Clinic) -> None:
    scale = {"valueQuantity": {"value": 4, "unit": "mm", "code": "mm"}}
    report = (
        clinic["eve"].post(BASE, json=bundle_of([{**observation(1, fhir.PAIN, 4), **scale}])).json()
    )
    assert "mm of a scale of 100 mm" in report["skipped"][0]["reason"]
    two = [observation(1, fhir.PAIN, 4), observation(1, fhir.PAIN, 6)]
    two.append(observation(1, fhir.STRESS, 5, system=fhir.OURS))
    report = clinic["eve"].post(BASE, json=bundle_of(two)).json()
    assert [item["entry"] for item in report["skipped"]] == [0, 1, 2]
    assert "two ratings of pain are of this moment" in report["skipped"][0]["reason"]
    assert found(clinic["eve"]) == []
    whole = [{**observation(1, fhir.PAIN, 4), "valueInteger": 4}]
    del whole[0]["valueQuantity"]
    whole.append(observation(1, fhir.STRESS, 5, system="urn:ebbtide:code"))  # of earlier versions
    assert clinic["eve"].post(BASE, json=bundle_of(whole)).json()["ratings"] == 1


def test_heart_rates_of_earlier_versions_are_there_once(clinic: Clinic) -> None:
    from ebbtide.beats import Notification, Origin, Stream

    eve, stores = clinic.people["eve"], clinic.stores
    at = stores.now() // (1000 * MINUTE) * 1000 * MINUTE - HOUR
    for name in ("FHIR heart rates", "Open mHealth heart rates"):
        stream = Stream(new_id(), Origin.FILE, name, at)
        stores.beats.put_stream(eve.subject_id, stream)
        items = [Notification(n, at + n * MINUTE, 60 + n, (), ()) for n in range(1, 8)]
        stores.beats.append(eve.subject_id, stream.id, items)
    first = found(clinic["eve"], _count=3)
    assert [r["valueQuantity"]["value"] for r in first] == [61, 62, 63, 64, 65, 66, 67]
    assert clinic["eve"].get(f"{BASE}/Observation/{first[2]['id']}").json() == first[2]
    exact = {**first[2], "status": "corrected", "issued": to_datetime(at).isoformat()}
    clinic["eve"].post(BASE, json=bundle_of(first)).raise_for_status()
    again = found(clinic["eve"], _count=3)
    assert [r["valueQuantity"]["value"] for r in again] == [61, 62, 63, 64, 65, 66, 67]
    exact["valueQuantity"] = {**first[2]["valueQuantity"], "value": 63.4}
    assert clinic["eve"].post(BASE, json=bundle_of([exact])).json()["new"] == 1
    assert found(clinic["eve"])[2]["valueQuantity"]["value"] == 63.4


def test_bulk_data_export_for_analysts(released: Clinic) -> None:
    clinic = released
    ann, ada = clinic["ann"], clinic.people["ada"]
    ask = {"Prefer": "respond-async", "Accept": "application/fhir+json"}
    outcome(clinic["ada"].get(f"{BASE}/$export", headers=ask), 403, "analysts only")
    outcome(ann.get(f"{BASE}/$export"), 400, "respond-async")
    outcome(ann.get(f"{BASE}/$export?_since=2026-01-01T00:00:00Z", headers=ask), 400, "_since")
    outcome(ann.get(f"{BASE}/$export?_type=Condition", headers=ask), 400, "Condition")
    begun = ann.get(f"{BASE}/$export", headers=ask)
    assert begun.status_code == 202
    status = begun.headers["content-location"]
    manifest = ann.get(status).raise_for_status().json()
    assert manifest["requiresAccessToken"] is True
    assert manifest["error"] == []
    lines: dict[str, list[dict[str, Any]]] = {}
    text = ""
    for item in manifest["output"]:
        answer = ann.get(item["url"]).raise_for_status()
        assert answer.headers["content-type"].startswith("application/fhir+ndjson")
        text += answer.text
        lines[item["type"]] = [json.loads(line) for line in answer.text.splitlines()]
    assert set(lines) == {"Patient", "Device", "Observation"}
    everything = [resource for found in lines.values() for resource in found]
    for resource in everything[:40] + everything[-5:]:
        require_valid_r4(resource)
    ids = [(resource["resourceType"], resource["id"]) for resource in everything]
    assert len(ids) == len(set(ids))
    identity = identity_of(clinic.stores, clinic.people["ann"], ada)
    assert len(lines["Patient"]) == 6
    assert identity.name in [resource["id"] for resource in lines["Patient"]]
    assert {r["subject"]["reference"] for r in lines["Observation"]} == {f"Patient/{identity.name}"}
    for resource in lines["Observation"]:
        assert "issued" not in resource
        assert resource["meta"]["security"][-1]["code"] == "PSEUDED"
        assert resource["meta"]["tag"][-1]["code"] == "local-clock"
    # Windows begin on the analysts' clock, and are others than hers; all else is the same.
    own = [item for item in found(clinic["ada"]) if "effectiveDateTime" in item]
    seen = [item for item in lines["Observation"] if "effectiveDateTime" in item]
    assert len(seen) == len(own)
    assert len(lines["Observation"]) - len(seen) > 100
    mine = sorted(
        (at_grid(identity, item), item["code"]["text"], item["valueQuantity"]["value"])
        for item in own
    )
    theirs = sorted(
        (
            from_text(item["effectiveDateTime"]) // GRID * GRID,
            item["code"]["text"],
            item["valueQuantity"]["value"],
        )
        for item in seen
    )
    assert mine == theirs
    for telling in (ada.id, ada.name, "stairs", "Berlin", own[0]["id"], "lastUpdated"):
        assert telling not in text
    assert clinic.stores.access.access_log(ada.id, 10)
    ended = ann.delete(status)
    assert ended.status_code == 202
    outcome(ann.get(status), 404, "no export")
    # Who takes consent back is in no file from then on.
    begun = ann.get(f"{BASE}/Patient/$export?_type=Patient", headers=ask)
    clinic.agree("ada", Purpose.RESEARCH, given=False)
    (item,) = ann.get(begun.headers["content-location"]).json()["output"]
    left = [json.loads(line)["id"] for line in ann.get(item["url"]).text.splitlines()]
    assert len(left) == 5
    assert identity.name not in left
    clinic.agree("other0", Purpose.RESEARCH, given=False)
    outcome(ann.get(item["url"]), 403, "Fewer than 5 people")


def at_grid(identity: ResearchIdentity, resource: dict[str, Any]) -> int:
    moment = np.array([from_text(resource["effectiveDateTime"])], dtype=np.int64)
    return int(identity.clock.to_research(moment)[0][0]) // GRID * GRID


def from_text(moment: str) -> int:
    return from_datetime(datetime.fromisoformat(moment))
