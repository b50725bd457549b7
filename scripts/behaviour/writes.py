"""Writes that work, are repeated, collide or are wrong, one after the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from answers import BACKWARDS, HOUR, answer_text, request_text
from clinic import PASSWORD, WRONG, Clinic, bearer, fixed_id, instant
from normalising import NOW_NS, SECOND, write


def record_writes(clinic: Clinic, out: Path) -> None:
    """Writes that work, are repeated, collide or are wrong, one after the other in one file."""
    parts: list[str] = []

    def ask(who: str, method: str, path: str, body: object = None, **more: Any) -> None:
        more |= {} if body is None else {"json": body}
        parts.append(request_text(clinic, who, method, path, **more)[0])

    def answer_of(who: str, method: str, path: str, body: object) -> dict[str, Any]:
        answer = clinic.clients[who].request(method, path, json=body)
        parts.append(answer_text(clinic.product, who, answer, body))
        found = answer.json() if answer.is_success else {}
        return found if isinstance(found, dict) else {}

    rating = {"pain": 4, "stress": 6, "id": fixed_id("new"), "about": "2026-11-23T20:00:00+01:00"}
    path = f"/v1/ratings/{rating['id']}"
    for body in (
        *(rating, rating, {**rating, "pain": 5}, {"pain": 11, "stress": 1}, {"pain": 3.5}, []),
        *({"pain": "3", "stress": True, "pian": 2}, {**rating, "zone": "Mars/Base"}),
        *({**rating, "about": "2026-11-23T20:00:00"}, {**rating, "about": "2099-11-23T20:00:00Z"}),
        {**rating, "id": "x"},
    ):
        ask("ada", "POST", "/v1/ratings", body)
    ask("ada", "PUT", path, {"pain": 2, "stress": 6, "version": 1, "note": "Corrected."})
    ask("ada", "PUT", path, {"pain": 9, "stress": 6, "version": 1})
    ask("eve", "PUT", path, {"pain": 9, "stress": 6, "version": 2})
    ask("ada", "GET", f"{path}/history")
    ask("ada", "DELETE", path, params={"version": 1})
    ask("ada", "DELETE", path, params={"version": 2})
    ask("ada", "GET", path)
    ask("ada", "DELETE", path)
    key = {"Idempotency-Key": "a key"}
    again = {"pain": 1, "stress": 1, "about": "2026-11-23T21:00:00+01:00"}
    for body in (again, again, {**again, "pain": 2}):
        ask("ada", "POST", "/v1/ratings", body, headers=key)
    as_json = {"Content-Type": "application/json"}
    ask("ada", "POST", "/v1/ratings", content=b"{pain", headers=as_json)
    ask("ada", "POST", "/v1/ratings", content=b"pain=3", headers={"Content-Type": "text/plain"})
    ask("ada", "GET", "/v1/export/ratings", headers={"Accept": "image/png"})
    etag = clinic.clients["ada"].get("/v1/sessions").headers.get("etag", "")
    ask("ada", "GET", "/v1/sessions", headers={"If-None-Match": etag})
    for method, where in (
        *(("GET", "/v1/nothing"), ("GET", "/"), ("DELETE", "/v1/me"), ("OPTIONS", "/v1/ratings")),
        *(("HEAD", "/v1/me"), ("GET", "/v1/ratings/nonsense"), ("PUT", "/v1/sessions/0")),
    ):
        ask("ada", method, where)
    stream = f"/v1/streams/{fixed_id('ada stream')}"
    body = {"origin": "strap", "source": "another", "created_ns": NOW_NS - 86_400 * SECOND}
    ask("ada", "PUT", stream, body)
    ask("eve", "PUT", stream, body)
    ask("ada's device", "PUT", f"/v1/streams/{fixed_id('second')}", body)
    at = int(instant(30, 20).timestamp()) * SECOND
    one: dict[str, Any] = {"sequence": 1, "received_ns": at, "heart_rate_bpm": 60}
    one |= {"rr_ticks": [1024], "beat_times_ns": [at], "contact": True}
    sent = {"first": 1, "last": 1, "notifications": [one], "gaps": []}
    two = {"first": 2, "last": 2}
    upload = f"/v1/streams/{fixed_id('second')}/notifications"
    for body in (
        *(sent, sent, {**sent, "last": 3}, {**sent, "notifications": []}),
        {**sent, "notifications": [{**one, "beat_times_ns": []}]},
        {"first": 9, "last": 9, "notifications": [{**one, "sequence": 9}]},
        {**two, "notifications": [{**one, "sequence": 2, "beat_times_ns": [at - 1]}]},
    ):
        ask("ada's device", "POST", upload, body)
    ask("eve", "POST", upload, sent)
    ask("ada's device", "POST", "/v1/ratings", again)
    for version in (0, 1, 7):
        body = {"held": "2026-12-01T10:00:00+01:00", "version": version}
        ask("tom", "PUT", f"/v1/patients/{clinic.ids['ada']}/sessions/9", body)
        notes = {"notes": "New.", "homework": "", "version": version}
        ask("tom", "PUT", f"/v1/patients/{clinic.ids['ada']}/sessions/7/notes", notes)
    ask("ada", "GET", "/v1/homework")
    ask("ada", "POST", "/v1/notes", {"kind": "trigger", "words": ""})
    ask("ada", "DELETE", f"/v1/notes/{fixed_id('note 3')}")
    practice = {"kind": "somatic tracking", **HOUR}
    ask("ada", "PUT", f"/v1/practices/{fixed_id('another')}", practice)
    ask("ada", "PUT", f"/v1/practices/{fixed_id('another')}", {**practice, **BACKWARDS})
    ask("ada", "PUT", "/v1/programme", {"ratings_a_day": 9})
    ask("ada", "PUT", "/v1/programme", {"ratings_a_day": 3, "started": False})
    ask("ada", "PUT", "/v1/live/sharing", {"minutes": 60})
    ask("tom", "GET", f"/v1/patients/{clinic.ids['ada']}/live/now")
    ask("tom", "GET", f"/v1/patients/{clinic.ids['ada']}/live", params={"seconds": 1})
    ask("ada", "PUT", "/v1/live/sharing", {"minutes": 9999})
    coding = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    observed: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": coding}
    observed |= {"effectiveDateTime": "2026-11-01T08:00:00+01:00"}
    heart = {"value": 61, "system": "http://unitsofmeasure.org", "code": "/min"}
    fhir = {"Content-Type": "application/fhir+json"}
    for resource in ({**observed, "valueQuantity": heart}, observed, {"resourceType": "Patient"}):
        for _ in range(2):
            ask("eve", "POST", "/v1/fhir", resource, headers=fhir)
    point: dict[str, Any] = {"header": {"schema_id": {"namespace": "omh", "name": "heart-rate"}}}
    point |= {"body": {"heart_rate": {"value": 61, "unit": "beats/min"}}}
    timed = json.loads(json.dumps(point))
    timed["body"]["effective_time_frame"] = {"date_time": "2026-11-01T09:00:00+01:00"}
    for document in ([timed], [timed], [point], {}):
        ask("eve", "POST", "/v1/open-mhealth/heart-rate", document)
    ask("eve", "GET", "/v1/fhir/Observation")
    ask("eve", "GET", "/v1/open-mhealth/heart-rate")
    script = {"name": "a script", "scopes": ["read"], "days": 30}
    token = answer_of("ada", "POST", "/v1/tokens", script).get("token", "")
    clinic.clients["ada's script"] = httpx.Client(
        base_url=clinic.product.url, headers=bearer(token), timeout=60
    )
    ask("ada's script", "GET", "/v1/sessions")
    ask("ada's script", "POST", "/v1/ratings", again)
    ask("ada", "GET", "/v1/tokens")
    ask("ada", "POST", "/v1/tokens", {**script, "scopes": ["account"]})
    invited = {"email": "noor@example.org", "name": "Noor", "zone": "Europe/Berlin"}
    token = answer_of("tom", "POST", "/v1/invitations", invited).get("token", "")
    ask("tom", "POST", "/v1/invitations", {**invited, "role": "administrator"})
    ask("adam", "POST", "/v1/invitations", {**invited, "email": "ada@example.org"})
    for password in ("short", "password1234", PASSWORD, PASSWORD):
        body = {"token": token, "password": password}
        ask("anonymous", "POST", "/v1/invitations/accept", body)
    link = f"/v1/accounts/{clinic.ids['eve']}/password-link"
    token = answer_of("adam", "POST", link, {}).get("token", "")
    for _ in range(2):
        body = {"token": token, "new": "three owls in an old barn"}
        ask("anonymous", "POST", "/v1/password-reset", body)
    ask("eve", "GET", "/v1/me")
    ask("ada", "PUT", "/v1/me/password", {"old": WRONG, "new": "three owls in a barn"})
    ask("ada", "PUT", "/v1/me/password", {"old": PASSWORD, "new": PASSWORD})
    ask("adam", "PUT", f"/v1/accounts/{clinic.ids['tess']}", {"active": False})
    ask("tess", "GET", "/v1/me")
    ask("adam", "PUT", f"/v1/accounts/{clinic.ids['tess']}", {"active": "yes"})
    ask("adam", "PUT", f"/v1/accounts/{clinic.ids['tom']}/care/{clinic.ids['ann']}")
    ask("adam", "DELETE", f"/v1/accounts/{clinic.ids['tom']}/care/{clinic.ids['ben']}")
    ask("adam", "GET", "/v1/accounts")
    ask("tom", "GET", "/v1/patients")
    ask("ben", "POST", "/v1/consents", {"purpose": "research", "given": False, "wording": "1"})
    ask("ben", "POST", "/v1/consents", {"purpose": "nonsense", "given": True, "wording": ""})
    ask("ann", "GET", "/v1/research/people")
    ask("ada", "DELETE", f"/v1/therapists/{clinic.ids['tom']}")
    ask("tom", "GET", f"/v1/patients/{clinic.ids['ada']}/ratings")
    ask("cleo", "POST", "/v1/me/erase", {"password": WRONG})
    ask("cleo", "POST", "/v1/me/erase", {"password": PASSWORD})
    ask("cleo", "GET", "/v1/me")
    for email, password in (
        *(("ada@example.org", WRONG), ("nobody@example.org", WRONG), ("x", 5)),
        *(("nobody@example.org", WRONG),) * 11,
    ):
        ask("anonymous", "POST", "/v1/sign-in", {"email": email, "password": password})
    ask("anonymous", "POST", "/v1/oidc/exchange", {"code": "x"})
    ask("ben", "DELETE", "/v1/tokens")
    ask("ann", "POST", "/v1/sign-out")
    ask("ann", "GET", "/v1/me")
    write(out, "writes.txt", "\n".join(parts))
