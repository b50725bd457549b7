"""An administrator does not read: what they do with a person, that person sees."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from api.app import create_app
from api.services.access_tokens import issue_token
from cli.server.thread import ApiThread
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store import Stores, open_stores
from store.models import Person, Purpose, Role
from tests.support.accounts import add_account
from tests.support.assertions import assert_problem, wait_for
from tests.support.clinic import Clinic, fill
from tests.support.command_line import run_ebbtide
from tests.support.mail_server import PASSWORD as MAIL_PASSWORD
from tests.support.mail_server import USER, MailServer, running_mail_server

NEW = "two ducks on a slow river"


def looks(clinic: Clinic, name: str) -> list[tuple[str, str]]:
    entries = clinic[name].get("/v1/me/looks").json()["looks"]
    return [(entry["who"], entry["what"]) for entry in entries]


def test_no_way_of_an_administrator_leads_to_a_patients_notes_unseen(clinic: Clinic) -> None:
    """A reset signed in as the patient, and a patient was put into any therapist's care, unseen."""
    fill(clinic.stores, clinic.people["ada"], days=1)
    clinic.agree("ada", Purpose.CARE)
    adam, ada = clinic["adam"], clinic.id("ada")
    accomplice = f"/v1/accounts/{clinic.id('tess')}/care/{ada}"
    assert adam.put(accomplice).status_code == 204
    assert clinic["tess"].get("/v1/patients").json() == []
    assert_problem(clinic["tess"].get(f"/v1/patients/{ada}/notes"), 404, "in your care")
    assert_problem(clinic["tess"].put(f"/v1/therapists/{clinic.id('tess')}"), 403)
    assert_problem(adam.put(f"/v1/therapists/{clinic.id('tess')}"), 403)
    link = adam.post(f"/v1/accounts/{ada}/password-link").json()
    assert link["sent"] == "code"
    body = {"token": link["token"], "new": NEW}
    done = httpx.post(f"{clinic.url}/v1/password-reset", json=body, timeout=60)
    assert (done.status_code, done.content) == (204, b"")  # it signs nobody in
    clinic.clients["ada"] = clinic.client(issue_token(clinic.stores, clinic.people["ada"])[0])
    adam.put(f"/v1/accounts/{clinic.id('tom')}/care/{ada}")  # is so already: no act
    adam.delete(f"/v1/accounts/{clinic.id('tom')}/care/{ada}")
    assert looks(clinic, "ada") == [
        ("The name of adam", "ended a therapist's care"),
        ("The name of adam", "their link or code set a new password"),
        ("The name of adam", "made a code for a new password"),
        ("The name of adam", "proposed a therapist"),
    ]
    assert looks(clinic, "eve") == []


def test_acts_on_everybody_are_in_their_log(clinic: Clinic) -> None:
    adam = clinic["adam"]
    path = f"/v1/accounts/{clinic.id('tess')}"
    assert adam.put(path, json={"active": False}).json()["active"] is False
    adam.put(path, json={"active": False})  # is so already
    adam.put(path, json={"active": True})
    assert adam.put(path, json={"active": True, "role": "analyst"}).json()["role"] == "analyst"
    for name, field in (("ada", "body.role"), ("adam", "body.role")):
        change = {"active": True, "role": "therapist"}
        refused = adam.put(f"/v1/accounts/{clinic.id(name)}", json=change)
        assert_problem(refused, 422, field)
    assert_problem(adam.put(path, json={"active": True, "role": "patient"}), 422, "body.role")
    clinic.clients["tess"] = clinic.client(issue_token(clinic.stores, clinic.people["tess"])[0])
    assert [what for _, what in looks(clinic, "tess")] == [
        "made them analyst",
        "let in",
        "shut out",
    ]


def test_a_patient_agrees_to_a_therapist_or_declines(clinic: Clinic) -> None:
    """A therapist asks with an invitation, and does not learn whether there is an account."""
    known = {"email": "ada@example.org", "name": "A", "zone": "UTC"}
    answers = [
        clinic["tess"].post("/v1/invitations", json={**known, "email": email})
        for email in ("ada@example.org", "nobody@example.org")
    ]
    assert {(answer.status_code, *answer.json()) for answer in answers} == {
        (201, "token", "expires")
    }
    path, asked = f"/v1/therapists/{clinic.id('tess')}", "/v1/care-proposals"
    wait_for(lambda: clinic["ada"].get(asked).json())
    (proposal,) = clinic["ada"].get(asked).json()
    assert (proposal["name"], proposal["by"]) == ("The name of tess", "The name of tess")
    wait_for(lambda: looks(clinic, "ada"))
    assert looks(clinic, "ada") == [("The name of tess", "asked to have them in their care")]
    assert clinic["ada"].delete(path).status_code == 204
    assert clinic["ada"].get(asked).json() == []
    assert_problem(clinic["ada"].put(path), 404, "not asked")
    clinic["tess"].post("/v1/invitations", json=known)
    wait_for(lambda: clinic["ada"].get(asked).json())
    assert clinic["ada"].put(path).status_code == 204
    assert {item["name"] for item in clinic["ada"].get("/v1/therapists").json()} == {
        "The name of tom",
        "The name of tess",
    }


def test_a_therapist_helps_a_patient_in_their_care_who_agreed(clinic: Clinic) -> None:
    path = f"/v1/patients/{clinic.id('ada')}/password-link"
    assert_problem(clinic["tom"].post(path), 403, "not agreed")
    assert_problem(clinic["tess"].post(path), 404, "in your care")
    clinic.agree("ada", Purpose.CARE)
    code = clinic["tom"].post(path).json()
    body = {"token": code["token"], "new": NEW}
    assert httpx.post(f"{clinic.url}/v1/password-reset", json=body, timeout=60).status_code == 204


def test_the_operator_sets_a_password_and_it_is_logged(tmp_path: Path) -> None:
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path)}
    stores = open_stores(Settings(data_dir=tmp_path))
    ada = add_account(stores, "ada@example.org")
    issue_token(stores, ada)
    typed = f"{NEW}\n{NEW}\n"
    done = run_ebbtide("set-password", "ada@example.org", environment=environment, typed=typed)
    assert done.returncode == 0, done.stderr
    assert NEW not in done.stdout + done.stderr
    assert stores.access.tokens(ada.id) == []
    token, _ = issue_token(stores, ada)
    with ApiThread(create_app(stores)) as api:
        headers = {"Authorization": f"Bearer {token}"}
        (entry,) = httpx.get(f"{api.url}/v1/me/looks", headers=headers).json()["looks"]
        body = {"email": "ada@example.org", "password": NEW}
        assert httpx.post(f"{api.url}/v1/sign-in", json=body, timeout=60).status_code == 200
    assert (entry["who"], entry["what"]) == ("the operator of this server", "set a new password")
    gone = run_ebbtide("set-password", "eve@example.org", environment=environment, typed=typed)
    assert gone.returncode == 1
    assert "no account" in " ".join(gone.stderr.split())


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[MailServer]:
    with running_mail_server(tmp_path) as server:
        yield server


@pytest.fixture
def mailing(
    mail: MailServer, stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ApiThread]:
    secret = tmp_path / "secrets" / "ebbtide_smtp_password"
    secret.parent.mkdir()
    secret.write_text(MAIL_PASSWORD)
    settings = Settings(
        _secrets_dir=str(secret.parent),  # type: ignore[call-arg]
        data_dir=tmp_path,
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_user=USER,
        smtp_from="ebbtide@clinic.example",
        smtp_ca_file=mail.certificate,
        dashboard_url="https://pages.example/",
    )
    assert settings.smtp_password is not None
    assert MAIL_PASSWORD not in repr(settings)
    with ApiThread(create_app(stores, settings)) as api:
        yield api


def test_a_way_back_by_mail(mailing: ApiThread, mail: MailServer, stores: Stores) -> None:
    ada = add_account(stores, "ada@example.org", name="Ada")
    asked = f"{mailing.url}/v1/password-reset/mail"
    answers = [
        httpx.post(asked, json={"email": email}, timeout=60)
        for email in ("nobody@example.org", "ADA@example.org")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"null")}
    wait_for(lambda: len(mail.received) >= 1)
    (first,) = mail.received
    assert (first["To"], first["From"]) == ("ada@example.org", "ebbtide@clinic.example")
    token = token_of(mail)
    # No more than three, however often somebody asks; the newest alone is good.
    for _ in range(6):
        httpx.post(asked, json={"email": "ada@example.org"}, timeout=60)
    wait_for(lambda: len(mail.received) >= 3)
    time.sleep(0.3)
    assert len(mail.received) == 3
    reset = f"{mailing.url}/v1/password-reset"
    assert_problem(httpx.post(reset, json={"token": token, "new": NEW}, timeout=60), 404)
    body = {"token": token_of(mail), "new": NEW}
    assert httpx.post(reset, json=body, timeout=60).status_code == 204
    wait_for(lambda: len(mail.received) >= 4)
    assert mail.received[-1]["Subject"] == "Your password was changed"
    signed_in = {"email": ada.email, "password": NEW}
    assert httpx.post(f"{mailing.url}/v1/sign-in", json=signed_in, timeout=60).is_success


def test_an_administrator_never_sees_a_mailed_link(
    mailing: ApiThread, mail: MailServer, stores: Stores
) -> None:
    ada = add_account(stores, "ada@example.org", name="Ada")
    headers = bearer(stores, add_account(stores, "adam@example.org", role=Role.ADMINISTRATOR))
    path = f"{mailing.url}/v1/accounts/{ada.id}/password-link"
    answer = httpx.post(path, headers=headers, timeout=60)
    assert answer.status_code == 201
    assert (answer.json()["token"], answer.json()["sent"]) == (None, "mail")
    token = token_of(mail)
    assert token not in answer.text
    body = {"token": token, "new": NEW}
    reset = f"{mailing.url}/v1/password-reset"
    assert httpx.post(reset, json=body, timeout=60).status_code == 204


def test_mail_that_is_refused_is_said(mail: MailServer, stores: Stores, settings: Settings) -> None:
    ada = add_account(stores, "ada@example.org")
    headers = bearer(stores, add_account(stores, "adam@example.org", role=Role.ADMINISTRATOR))
    wrong = {
        "smtp_host": "127.0.0.1",
        "smtp_port": mail.port,
        "smtp_from": "ebbtide@clinic.example",
        "smtp_user": USER,
        "smtp_password": SecretStr("wrong"),
        "smtp_ca_file": mail.certificate,
    }
    for change in ({}, {"smtp_ca_file": None}):
        settings = settings.model_copy(update={**wrong, **change})
        with ApiThread(create_app(open_stores(settings), settings)) as api:
            path = f"{api.url}/v1/accounts/{ada.id}/password-link"
            assert_problem(httpx.post(path, headers=headers, timeout=60), 503, "could not be sent")
    assert mail.received == []
    for change in ({"smtp_security": "none"}, {"smtp_from": None}):
        with pytest.raises(EbbtideError, match="mail"):
            create_app(stores, settings.model_copy(update=change))


def test_without_mail_the_api_says_who_helps(api: ApiThread) -> None:
    asked = httpx.post(f"{api.url}/v1/password-reset/mail", json={"email": "a@b.example"})
    assert_problem(asked, 404, "ask your therapist or administrator")
    assert httpx.get(f"{api.url}/v1/sign-in/ways").json()["mail"] is False


def bearer(stores: Stores, person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_token(stores, person)[0]}"}


def token_of(mail: MailServer) -> str:
    found = re.search(r"https://\S+", mail.received[-1].get_content())
    assert found is not None
    return parse_qs(urlsplit(found.group()).query)["reset"][0]
