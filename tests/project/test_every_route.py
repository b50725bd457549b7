"""Every route, as every role, against another person's data: generated from the routes themselves,
so that a new one cannot be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from api.http.phone_routes import PHONE_ROUTES
from api.routes.people.computer import HomeIn
from api.services.phones import sign_phone_in
from api.services.reminders.plans import change_plan
from ebbtide.beats import new_id
from ebbtide.nights import Night, NightBasis
from ebbtide.timestamps import DAY, HOUR, MINUTE, from_datetime, to_datetime
from store import Stores
from store.models import (
    PLANNED_BY_PERSON,
    DecisionPoint,
    Message,
    Note,
    NoteKind,
    OfferPlan,
    Passkey,
    Practice,
    PracticeKind,
    Prompt,
    PromptState,
    Purpose,
    PushSubscription,
    QuestionnaireResponse,
    SessionNotes,
    TurnResult,
    pack_answers,
)
from tests.support.clinic import Clinic, fill, opened_clinic

# What runs the place: an administrator may see who has an account, and shut people out.
RUNNING = re.compile(r"^/v1/(accounts|invitations)")
METHODS = ("get", "head", "post", "put", "patch", "delete")


class Victim:
    """Eve: what tells of her, and what hers is."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.person = clinic.people["eve"]
        self.stream = fill(clinic.stores, self.person, days=2, seed=5)
        self.ratings = clinic.stores.records.ratings(self.person.id, 0, 2**62)
        now = clinic.stores.now()
        self.note = Note(new_id(), self.person.id, NoteKind.FEAR, "a fear of Eve's", now, now)
        clinic.stores.programme.put_note(self.note)
        self.practice = Practice(
            new_id(), self.person.id, PracticeKind.TRACKING, now - 9 * MINUTE, now - 2 * MINUTE
        )
        clinic.stores.programme.put_practice(self.practice)
        self.answers = QuestionnaireResponse(
            *(new_id(), 1, self.person.id, "gad7", 1, "en", pack_answers({"1": 3})),
            *(now - 7 * MINUTE, now - 7 * MINUTE, "Europe/Berlin", "", PLANNED_BY_PERSON, False),
        )
        clinic.stores.programme.add_response(self.answers)
        clinic.stores.programme.put_session_notes(
            SessionNotes(self.person.id, 1, "notes of Tom's", "homework of Eve's", "t", 0, now), 0
        )
        self.message = Message(new_id(), self.person.id, "t", "a message to Eve", now)
        clinic.stores.programme.add_message(self.message, 10)
        self.passkey_id = new_id()
        clinic.stores.access.add_passkey(
            Passkey(
                *(self.passkey_id, self.person.id, "a-credential-of-eve", "key", 1),
                *("Eve's laptop", "localhost", now, now),
            ),
            20,
        )
        self.token_id = clinic.stores.access.tokens(self.person.id)[0].id
        phone = sign_phone_in(clinic.stores, self.person, "Eve's phone", second_factor=False)
        assert phone is not None
        self.phone_id, self.storage_key = phone.access_token.id, phone.storage_key.hex()
        assert clinic.app is not None
        clinic.app.state.reminders._run_due = lambda: None  # it would change plans meanwhile
        self.plan = change_plan(clinic.stores, self.person, lambda plan: plan, enabled=False)
        self.prompt = Prompt(
            *(new_id(), self.person.id, "a slot of Eve's", "random", now - DAY, "Europe/Berlin"),
            *(0.01, 1, now - DAY, now - DAY + 45 * MINUTE, PromptState.SENT),
            sent_ns=now - DAY,
        )
        clinic.stores.prompts.take_turn(
            now, lambda turn: TurnResult(turn.plan, (self.prompt,)), self.person.id
        )
        self.subscription = PushSubscription(
            *(new_id(), self.person.id, "https://fcm.googleapis.com/eve", "key", "auth", now),
            name="a browser of Eve's",
        )
        clinic.stores.prompts.put_subscription(self.subscription, 10)
        self.offers = OfferPlan(
            *(self.person.id, 1, "5e" * 32, "paced breathing", 0.5, 30, 3, 540, 1200, now),
            *(None, "offers-1", now, "2026-06-01"),
        )
        clinic.stores.offers.change_plans(self.person.id, lambda known: [self.offers])
        self.point = DecisionPoint(
            *(new_id(), self.person.id, 1, self.prompt.id, now - DAY, "UTC", "1/0 evening"),
            *(0.5, "paced breathing", 30, "c0" * 32, now - 2 * DAY, False, "at night"),
        )
        clinic.stores.offers.put_points([self.point])
        begun = from_datetime(datetime(2025, 12, 31, 22, 11, 12, tzinfo=UTC))
        self.night = Night(
            *("2026-01-01", "a ring of Eve's", begun, begun + 8 * HOUR, 0, NightBasis.VALUES),
            rmssd_ms=43.2109,
        )
        clinic.stores.nights.put_nights(self.person.id, [self.night], now)

    @property
    def known(self) -> list[str]:
        """Words that say who has an account, which those who run the place see."""
        return [self.person.id, self.person.email, self.person.name]

    @property
    def telling(self) -> list[str]:
        """Words that are in no answer to anybody who may not see her."""
        return [
            self.person.subject_id,
            self.stream.id,
            self.stream.source,
            self.token_id,
            *(rating.id for rating in self.ratings),
            *(str(rating.about_ns) for rating in self.ratings),
            str(self.stream.created_ns),
            *(self.note.id, self.note.words, self.practice.id, "homework of Eve's"),
            self.answers.id,
            "notes of Tom's",
            *(self.message.id, self.message.words),
            *(self.passkey_id, "a-credential-of-eve", "Eve's laptop"),
            *(self.phone_id, self.storage_key, "Eve's phone"),
            *(self.prompt.id, self.prompt.slot, self.subscription.endpoint, self.plan.seed),
            *(self.subscription.id, self.subscription.name),
            *(self.point.id, self.point.commitment, self.offers.seed),
            *(self.night.source, "43.2109"),
        ]

    def state(self) -> object:
        """All that is hers."""
        stores, person = self.clinic.stores, self.person
        return (
            stores.records.person(person.id),
            stores.records.ratings(person.id, 0, 2**62, since_ns=0),
            stores.records.sessions(person.id),
            stores.records.consents(person.id),
            stores.beats.coverage(person.subject_id),
            [sign_in.id for sign_in in stores.access.tokens(person.id)],
            stores.access.passkeys(person.id),
            stores.access.live_until(person.id),
            stores.programme.programme(person.id),
            stores.programme.notes(person.id),
            stores.programme.practices(person.id),
            stores.programme.readings(person.id),
            stores.programme.response_history(person.id, self.answers.id),
            stores.programme.session_notes(person.id),
            stores.programme.messages(person.id),
            stores.prompts.plan(person.id),
            stores.prompts.prompts(person.id, 0, 2**62),
            stores.prompts.subscriptions(person.id),
            stores.offers.plans(person.id),
            stores.offers.points(person.id, 0, 2**62),
            stores.nights.nights(person.id),
        )

    def values(self) -> dict[str, list[str]]:
        """For each parameter in a path, values that lead to what is hers."""
        therapists = [self.clinic.id("tess"), self.clinic.id("tom")]
        return {
            "patient": [self.person.id],
            "patient_id": [self.person.id],
            "person_id": [self.person.id],
            "therapist_id": therapists,
            "rating_id": [self.ratings[0].id],
            "stream_id": [self.stream.id],
            "token_id": [self.token_id],
            "device_id": [self.phone_id],
            "number": ["1"],
            "job_id": ["1"],
            "table": [
                *("beats", "hrv", "ratings", "sessions", "link", "heart_rates", "scores"),
                *("prompts", "decision_points", "stress_before", "gaps", "nights"),
            ],
            "note_id": [self.note.id],
            "message_id": [self.message.id],
            "resource_id": [
                *(self.person.id, f"{self.ratings[0].id}-pain", "ebbtide", self.prompt.id),
            ],
            "export_id": ["00000000-0000-4000-8000-000000000000"],
            "kind": ["Observation"],
            "practice_id": [self.practice.id],
            "response_id": [self.answers.id],
            "reading": ["setbacks"],
            "address": ["C0:00:00:00:00:01"],
            "passkey_id": [self.passkey_id],
            "prompt_id": [self.prompt.id],
            "point_id": [self.point.id],
            "day": ["2026-01-01"],
            "subscription_id": [self.subscription.id],
            "secret": ["00000000000000000000000000000000"],
        }


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    from ebbtide.settings import Settings
    from store import open_stores

    stores: Stores = open_stores(Settings(data_dir=tmp_path_factory.mktemp("clinic")))
    with opened_clinic(stores) as clinic:
        yield Victim(clinic)


def operations(clinic: Clinic) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    document = httpx.get(f"{clinic.url}/openapi.json", timeout=60).json()
    return [
        (method, path, operation, document)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def sample(schema: dict[str, Any], document: dict[str, Any]) -> Any:
    """Something that the schema allows."""
    if "$ref" in schema:
        found = document
        for word in schema["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        return sample(found, document)
    if schema.get("examples"):
        return schema["examples"][0]
    for word in ("const", "default"):
        if schema.get(word) is not None:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return sample(schema[word][0], document)
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("required", [])
        return {name: sample(schema["properties"][name], document) for name in wanted}
    if kind == "array":
        return [sample(schema["items"], document)] * max(1, schema.get("minItems", 0))
    if kind == "integer":
        return schema.get("minimum", 1)
    if kind == "number":
        return schema.get("minimum", 1.0)
    if kind == "boolean":
        return True
    if schema.get("format") == "date-time":
        return "2026-11-01T00:00:00Z"
    if schema.get("format") == "uuid":
        return "00000000-0000-4000-8000-000000000000"
    return "x" * max(3, schema.get("minLength", 0))


def requests(victim: Victim) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(method, path template, path, arguments of httpx) of every request."""
    values = victim.values()
    for method, template, operation, document in operations(victim.clinic):
        names = re.findall(r"\{(\w+)\}", template)
        missing = [name for name in names if name not in values]
        assert not missing, f"{template}: say in Victim.values what {missing} leads to"
        paths = [template]
        for name in names:
            paths = [p.replace(f"{{{name}}}", v) for p in paths for v in values[name]]
        params = {
            parameter["name"]: sample(parameter["schema"], document)
            for parameter in operation.get("parameters", [])
            if parameter["in"] == "query" and parameter.get("required")
        }
        if template.endswith("/live"):
            params["seconds"] = 1
        if {"start", "end"} & params.keys():
            now = to_datetime(victim.clinic.stores.now())
            params["start"] = (now - timedelta(days=20)).isoformat()
            params["end"] = (now + timedelta(days=1)).isoformat()
        if "version" in params:
            params["version"] = 1
        arguments: dict[str, Any] = {"params": params}
        body = operation.get("requestBody")
        if body is not None:
            content = body["content"]
            kind = next(iter(content))
            schema = content[kind].get("schema", {})
            if content[kind].get("examples"):
                made = next(iter(content[kind]["examples"].values()))["value"]
            elif content[kind].get("example") is not None:
                made = content[kind]["example"]
            else:
                made = sample(schema, document)
            if isinstance(made, (dict, list)):
                arguments["json"] = made
            else:
                arguments["content"] = str(made)
        for path in paths:
            yield method, template, path, arguments


@pytest.mark.parametrize(
    "who", ["nobody", "ada", "ada's device", "ada's phone", "tess", "tom", "ann", "adam"]
)
def test_no_role_reads_or_changes_data_out_of_its_scope(victim: Victim, who: str) -> None:
    """Ada is another patient, Tess a therapist of others, Tom her own (but she has not agreed), Ann
    an analyst (nor to research), Adam the administrator.
    """
    clinic = victim.clinic
    before = victim.state()
    client = _client(clinic, who)
    seen, since = 0, list[str]()
    for method, template, path, arguments in requests(victim):
        if method == "post" and template.endswith("/sign-out"):
            continue
        if (method, template) == ("delete", "/v1/devices/current"):
            continue  # a phone signs itself out
        if method == "delete" and template in ("/v1/tokens", "/v1/tokens/{token_id}"):
            # Theirs may go; only what is hers is looked at.
            assert client.request(method, path, **arguments).status_code in (204, 401, 403, 404)
            client.close()
            client = _client(clinic, who)
            continue
        if who == "adam" and RUNNING.match(template) and method != "get":
            continue
        answer = client.request(method, path, **arguments)
        where = f"{who}: {method} {path}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, where
        words = answer.text
        if who not in ("tom", "adam"):
            # Her own id is in the requested path, and an error may repeat it.
            assert not [w for w in victim.known[1:] if w in words], where
        assert not [w for w in victim.telling if w in words and w not in path], where
        if answer.is_success and "{patient}" in template:
            pytest.fail(f"{where} was answered")
        seen += 1
        # All that is hers takes longer to read than a request: after each that may change
        # something. Where one that may not did, it is one of those since the last look.
        since.append(f"{method} {path}: {answer.status_code}")
        if method != "get":
            assert victim.state() == before, f"{who}, by one of these: {since}"
            since.clear()
    assert victim.state() == before, f"{who}, by one of these: {since}"
    client.close()
    assert seen > 60
    entries = clinic.stores.access.access_log(victim.person.id, 10)
    assert entries == []


def test_a_phone_reaches_what_the_app_needs_and_nothing_else(victim: Victim) -> None:
    """A phone of Eve's, at all of her own: without bodies, so that nothing is changed."""
    phone = sign_phone_in(victim.clinic.stores, victim.person, "found", second_factor=True)
    assert phone is not None
    reached, refused = set(), 0
    without_token = {
        (method.upper(), path)
        for method, path, operation, _ in operations(victim.clinic)
        if not operation["security"]
    }
    ending = {("POST", "/v1/sign-out"), ("DELETE", "/v1/devices/current")}
    with victim.clinic.client(phone.token) as client:
        for method, template, path, arguments in requests(victim):
            operation = (method.upper(), template)
            if operation in ending:  # they end the token: tests/api/routes/auth/test_devices.py
                reached.add(operation)
                continue
            where = path.replace(victim.ratings[0].id, new_id()) if method == "delete" else path
            answer = client.request(method, where, params=arguments["params"])
            if operation in PHONE_ROUTES:
                assert answer.status_code not in (401, 403), (operation, answer.text)
                reached.add(operation)
            elif answer.status_code == 403 and "app on a phone does not need" in answer.text:
                refused += 1
            else:
                assert operation in without_token, (operation, answer.status_code, answer.text)
    assert reached == PHONE_ROUTES
    assert refused > 80


def test_a_missing_sign_in_is_the_first_error(victim: Victim) -> None:
    """The error names nothing else that is wrong with the request."""
    wrong = {"start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z", "cursor": "0"}
    with httpx.Client(base_url=victim.clinic.url, timeout=60) as anonymous:
        seen = 0
        for method, template, operation, _ in operations(victim.clinic):
            if method != "get" or not operation["security"]:
                continue
            path = re.sub(r"\{\w+\}", "x", template)
            answer = anonymous.get(path, params={**wrong, "since": "2026-11-01T00:00:00"})
            assert answer.status_code == 401, (path, answer.text)
            seen += 1
        assert seen > 30


def test_a_path_accepts_what_the_document_describes_and_no_more(victim: Victim) -> None:
    """Where one path matches another's parameter (/notes/patterns, /notes/{note_id})."""
    document = httpx.get(f"{victim.clinic.url}/openapi.json", timeout=60).json()
    values = victim.values()
    for template, operations_of in document["paths"].items():
        path = re.sub(r"\{(\w+)\}", lambda found: values[found[1]][0], template)
        answer = httpx.options(f"{victim.clinic.url}{path}")
        assert answer.status_code == 405
        allowed = {word.strip().lower() for word in answer.headers["Allow"].split(",")}
        assert allowed - {"head"} == operations_of.keys() & set(METHODS), path


def slots(
    schema: dict[str, Any], document: dict[str, Any], value: Any
) -> Iterator[tuple[Any, Any, str]]:
    """(container, key, type) of every number and boolean in a body that follows the schema."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            for kind in (inner, *inner.get("anyOf", [])):
                if kind.get("type") in ("integer", "number", "boolean"):
                    yield value, name, kind["type"]
            if name in value:
                yield from slots(inner, document, value[name])
    elif isinstance(value, list) and value:
        yield from slots(schema.get("items", {}), document, value[0])


def test_numbers_and_booleans_are_not_interchangeable(victim: Victim) -> None:
    """What the schema does not allow is refused, and not taken for something near it."""
    eve = victim.clinic["eve"]
    bodies = {
        (method, path): operation["requestBody"]["content"].get("application/json", {})
        for method, path, operation, _ in operations(victim.clinic)
        if "requestBody" in operation and "{patient" not in path
    }
    document = httpx.get(f"{victim.clinic.url}/openapi.json", timeout=60).json()
    tried = set()
    for method, template, path, arguments in requests(victim):
        schema = bodies.get((method, template), {}).get("schema")
        if schema is None or "json" not in arguments:
            continue
        for holder, name, kind in slots(schema, document, arguments["json"]):
            before = dict(holder)
            holder[name] = "yes" if kind == "boolean" else True
            answer = eve.request(method, path, **arguments)
            if answer.status_code == 404 and template == "/v1/computer/home":  # of `ebbtide start`
                with pytest.raises(ValidationError, match=name):
                    HomeIn.model_validate(holder)
            elif answer.status_code not in (401, 403):
                assert answer.status_code == 422, (method, path, name, answer.text)
                assert [e for e in answer.json()["errors"] if name in e["field"]], answer.text
                tried.add((template, name))
            holder.clear()
            holder.update(before)
    assert len(tried) > 20, tried


def test_the_words_searched_for_are_in_her_own_responses(victim: Victim) -> None:
    """Or the test above could not fail."""
    eve = victim.clinic["eve"]
    victim.clinic.stores.prompts.put_subscription(victim.subscription, 10)  # her phone ended it
    text = " ".join(
        eve.request(method, path, **arguments).text
        for method, template, path, arguments in requests(victim)
        if method == "get" and "{patient}" not in template and not template.endswith("/live")
    )
    # The first three are in no response; the therapist's notes are in the therapist's.
    unseen = {
        *(victim.person.subject_id, str(victim.stream.created_ns), "a-credential-of-eve"),
        *(
            "notes of Tom's",
            victim.storage_key,
            victim.plan.seed,
            victim.offers.seed,
            victim.subscription.endpoint,
        ),
    }
    assert [w for w in [*victim.known, *victim.telling] if w not in text and w not in unseen] == []


def test_a_therapist_with_consent_sees_all_that_is_shared_and_changes_sessions_only(
    victim: Victim,
) -> None:
    clinic = victim.clinic
    clinic.agree("eve", Purpose.CARE)
    clinic.stores.access.share_live(victim.person.id, clinic.stores.now() + 10**12)
    routes, resources = set(), set()
    tom = _client(clinic, "tom")
    for method, template, path, arguments in requests(victim):
        if "/patients/{patient}" in template:
            answer = tom.request(method, path, **arguments)
            # The notes that are there have a version; sent without, they are not overwritten.
            expected = 409 if template.endswith("/notes") and method == "put" else 200
            if template.endswith("/messages/{message_id}"):
                expected = 404  # of another therapist
            if template.endswith("/messages") and method == "post":
                expected = 201
            if template.endswith("/password-link"):  # a way back, which signs nobody in
                expected = 201
            if "{resource_id}" in template and answer.status_code == 404:
                expected = 404  # the id of a resource of another kind
            elif "{resource_id}" in template:
                resources.add(answer.json()["resourceType"])
            assert answer.status_code == expected, (method, path, answer.text[:300])
            routes.add((method, template.removeprefix("/v1/patients/{patient}")))
    assert {"Communication", "Observation", "Patient"} <= resources
    assert {route for route in routes if route[0] != "get"} == {
        ("put", "/sessions/{number}"),
        ("put", "/sessions/{number}/notes"),
        ("put", "/reminders/burst"),
        ("put", "/offers/proposal"),
        ("post", "/messages"),
        ("delete", "/messages/{message_id}"),
        ("post", "/password-link"),
    }
    entries = clinic.stores.access.access_log(victim.person.id, 1000)
    assert {entry.what for _, entry in entries} == {
        "made a code for a new password",
        *(f"{method.upper()} /v1/patients/{{patient}}{path}" for method, path in routes),
    }
    tom.close()
    clinic.agree("eve", Purpose.CARE, given=False)


def _client(clinic: Clinic, who: str) -> httpx.Client:
    if who == "nobody":
        return httpx.Client(base_url=clinic.url, timeout=60)
    name, _, device = who.partition("'s ")
    if device == "phone":
        phone = sign_phone_in(clinic.stores, clinic.people[name], "phone", second_factor=False)
        assert phone is not None
        return clinic.client(phone.token)
    answer = httpx.post(
        f"{clinic.url}/v1/sign-in",
        json={
            "email": f"{name}@example.org",
            "password": "correct horse battery",
            **({"device": device} if device else {}),
        },
        timeout=60,
    )
    return clinic.client(answer.json()["token"])
