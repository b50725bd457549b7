"""Erasing a person deletes what is stored of others about them, and nothing about anybody else."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from ebbtide.beats import new_id
from store.mentions import has_mention
from store.models import OneTimePurpose, OneTimeToken, Person, Role
from store.sql.access import SqlAccessStore
from store.sql.records import SqlRecordStore

NOW = 1_790_000_000 * 10**9
ABOUT_ANN = (
    {"email": "ann@x.org"},
    {"email": "Ann@X.org"},
    {"detail": "ann@x.org has an account already."},
    {"detail": "There is no mail to\nann@x.org."},
    {"people": [{"id": 1}, ["<ann@x.org>"]]},
)
ABOUT_OTHERS = (
    {"email": "joann@x.org"},
    {"email": "jo.ann@x.org"},
    {"email": "ann@x.org.uk"},
    {"email": "ann@x.organic"},
    {"detail": "jo-ann@x.org has an account already."},
)


def a_person(email: str, role: Role = Role.PATIENT) -> Person:
    return Person(new_id(), new_id(), email, "N", "UTC", role, False, "h", NOW)


def test_only_what_is_about_the_person_goes(sql_engine: Engine) -> None:
    records, access = SqlRecordStore(sql_engine), SqlAccessStore(sql_engine)
    ann, tom = a_person("ann@x.org"), a_person("tom@x.org", Role.THERAPIST)
    records.add_person(ann)
    records.add_person(tom)
    ids = ({"patient": ann.id}, {"detail": f"Subject {ann.subject_id} has none."})
    for number, content in enumerate((*ABOUT_ANN, *ids, *ABOUT_OTHERS)):
        body = json.dumps(content)
        invitation = OneTimePurpose.INVITATION
        access.put_one_time_token(
            OneTimeToken(f"{number}", invitation, None, body, NOW, 2 * NOW, tom.id)
        )
        access.begin_idempotent(tom.id, f"{number}", "h", NOW, 0)
        access.finish_idempotent(tom.id, f"{number}", 201, body)
    access.begin_idempotent(tom.id, "about", "h", NOW, 0, ann.id)
    access.finish_idempotent(tom.id, "about", 201, "{}")

    records.erase(ann.id)
    gone = len(ABOUT_ANN) + len(ids)
    for number in range(gone + len(ABOUT_OTHERS)):
        token = access.find_one_time_token(f"{number}", OneTimePurpose.INVITATION, NOW)
        response = access.begin_idempotent(tom.id, f"{number}", "h", NOW, 0)
        assert (token is None, response is None) == (number < gone, number < gone), number
    assert access.begin_idempotent(tom.id, "about", "h", NOW, 0) is None


@pytest.mark.parametrize("email", ["jürgen@x.org", "o'neil@x.org", "a_b%c@x.org"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_any_address_in_any_json(sql_engine: Engine, email: str, is_ascii: bool) -> None:
    records, access = SqlRecordStore(sql_engine), SqlAccessStore(sql_engine)
    person = a_person(email)
    records.add_person(person)
    for number, address in enumerate((email, f"x{email}", email.replace("_", "-"))):
        body = json.dumps({"email": address}, ensure_ascii=is_ascii)
        access.put_one_time_token(
            OneTimeToken(f"{number}", OneTimePurpose.INVITATION, None, body, NOW, 2 * NOW)
        )
    records.erase(person.id)
    found = [
        access.find_one_time_token(f"{number}", OneTimePurpose.INVITATION, NOW) is not None
        for number in range(3)
    ]
    assert found == [False, True, "_" in email]


def test_a_text_that_is_no_json_is_searched_too() -> None:
    assert has_mention("to ann@x.org, please", "ann@x.org")
    assert has_mention("[" * 10**5 + '"ann@x.org"', "ann@x.org")
    assert not has_mention("to joann@x.org, please", "ann@x.org")
