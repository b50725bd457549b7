"""Short messages of a therapist: written, read, removed, logged; no way back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.routes.patient_data import messages
from ebbtide.beats import new_id
from ebbtide.client import Client
from store.models import Message, Person, Purpose
from tests.support.assertions import assert_problem
from tests.support.clinic import Clinic


def test_a_message_is_read_by_the_patient_and_the_therapist_sees_when(clinic: Clinic) -> None:
    tom, ada = clinic["tom"], clinic["ada"]
    path = f"/v1/patients/{clinic.id('ada')}/messages"
    assert_problem(tom.post(path, json={"words": "hello"}), 403, "not agreed")
    clinic.agree("ada", Purpose.CARE)
    written = tom.post(path, json={"words": "  On Thursday in room 12.  "})
    assert written.status_code == 201
    assert (written.json()["words"], written.json()["seen"]) == ("On Thursday in room 12.", None)
    found = ada.get("/v1/messages").json()
    (message,) = found["messages"]
    assert (message["author"], message["words"]) == ("The name of tom", "On Thursday in room 12.")
    assert "cannot answer" in found["notice"] and "call" in found["notice"]
    assert found["help"]  # whom to call
    seen = f"/v1/messages/{message['id']}/seen"
    assert_problem(clinic["eve"].put(seen), 404, "no such message")
    assert ada.put(seen).status_code == 204
    (known,) = tom.get(path).json()
    assert known["seen"] is not None
    assert ada.put(seen).status_code == 204
    assert tom.get(path).json() == [known]  # the first time counts
    looks = {entry["what"] for entry in ada.get("/v1/me/looks").json()["looks"]}
    assert {"POST /v1/patients/{patient}/messages", "GET /v1/patients/{patient}/messages"} <= looks


def test_only_its_author_removes_a_message(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)
    clinic.stores.access.put_care(clinic.id("tess"), clinic.id("ada"), clinic.stores.now())
    path = f"/v1/patients/{clinic.id('ada')}/messages"
    message = clinic["tom"].post(path, json={"words": "hello"}).json()
    one = f"{path}/{message['id']}"
    assert_problem(clinic["tess"].delete(one), 404, "of yours")
    assert clinic["tom"].delete(one).status_code == 204
    assert clinic["ada"].get("/v1/messages").json()["messages"] == []


def test_what_is_no_message_is_refused(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)
    path = f"/v1/patients/{clinic.id('ada')}/messages"
    for words in ("", "   ", "x" * 501, 7, None):
        assert_problem(clinic["tom"].post(path, json={"words": words}), 422, "words")
    assert_problem(clinic["tess"].post(path, json={"words": "hello"}), 404, "in your care")
    assert_problem(clinic["ada"].post(path, json={"words": "hello"}), 403, "therapist")
    assert_problem(clinic["tom"].get("/v1/messages"), 403, "patient")


def test_of_many_written_at_once_no_more_are_stored_than_may_be(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_MAX_MESSAGES", 3)
    clinic.agree("ada", Purpose.CARE)
    path, tom = f"/v1/patients/{clinic.id('ada')}/messages", clinic["tom"]
    with ThreadPoolExecutor(8) as pool:
        codes = list(
            pool.map(lambda n: tom.post(path, json={"words": f"hello {n}"}).status_code, range(16))
        )
    assert sorted(codes) == [201] * 3 + [409] * 13
    assert len(clinic.stores.programme.messages(clinic.id("ada"))) == 3


def test_an_author_is_read_once_however_many_messages_there_are(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    author, now = clinic.id("tom"), clinic.stores.now()
    for number in range(20):
        message = Message(new_id(), clinic.id("ada"), author, f"hello {number}", now + number)
        clinic.stores.programme.add_message(message, 20)
    records, read = clinic.stores.records, []
    find = type(records).person

    def person(self: object, person_id: str) -> Person | None:
        read.append(person_id)
        return find(self, person_id)  # type: ignore[arg-type]

    monkeypatch.setattr(type(records), "person", person)
    found = clinic["ada"].get("/v1/messages").json()["messages"]
    assert [item["author"] for item in found] == ["The name of tom"] * 20
    assert read.count(author) == 1


def test_the_client_writes_reads_and_removes(clinic: Clinic) -> None:
    clinic.agree("ada", Purpose.CARE)

    def client(name: str) -> Client:
        token = clinic[name].headers["Authorization"].removeprefix("Bearer ")
        return Client(clinic.url, token)

    with client("tom") as tom, client("ada") as ada:
        of_ada = tom.patient(clinic.id("ada"))
        message = of_ada.write_message("hello")
        assert [item["id"] for item in ada.messages()["messages"]] == [message["id"]]
        ada.see_message(message["id"])
        assert of_ada.written_messages()[0]["seen"] is not None
        of_ada.remove_message(message["id"])
        assert of_ada.written_messages() == []
