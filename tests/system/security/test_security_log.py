"""What the log says of sign-ins, changes of accounts and refusals, and what it never says."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from api.services.passwords import is_outdated
from ebbtide.settings import Settings
from tests.support.accounts import PASSWORD
from tests.support.assertions import wait_for
from tests.support.clinic import Clinic


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "ebbtide.security"]


def test_sign_ins_changes_and_refusals_are_logged_by_random_id(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ebbtide")
    sign_in = f"{clinic.url}/v1/sign-in"
    for email, password in (
        ("ada@example.org", PASSWORD),
        ("ada@example.org", "wrong password 1"),
        ("nobody@example.org", "wrong password 2"),
    ):
        httpx.post(sign_in, json={"email": email, "password": password}, timeout=60)
    clinic["ada"].get("/v1/accounts")
    clinic["ada"].get("/v1/ratings")
    httpx.get(f"{clinic.url}/v1/me", headers={"Authorization": "Bearer guessed"})
    httpx.post(sign_in, content=b"[" * 20_000, headers={"Content-Type": "application/json"})
    clinic["adam"].put(f"/v1/accounts/{clinic.id('tess')}", json={"active": False})
    ada, adam = clinic.id("ada"), clinic.id("adam")
    # A request is logged after it was answered.
    wait_for(lambda: len(_lines(caplog)) >= 7)
    assert _lines(caplog) == [
        f"POST /v1/sign-in 200 account {ada} from 127.0.0.1",
        f"POST /v1/sign-in 401 account {ada} from 127.0.0.1",
        "POST /v1/sign-in 401 account unknown from 127.0.0.1",
        f"GET /v1/accounts 403 account {ada} from 127.0.0.1",
        "GET /v1/me 401 account unknown from 127.0.0.1",
        "POST none 413 account unknown from 127.0.0.1",
        f"PUT /v1/accounts/{{person_id}} 200 account {adam} from 127.0.0.1",
    ]
    whole = caplog.text
    for secret in ("example.org", PASSWORD, "wrong password", "The name of", "guessed"):
        assert secret not in whole


def test_a_guesser_who_has_to_wait_is_logged(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ebbtide")
    body = {"email": "ada@example.org", "password": "wrong password"}
    for _ in range(11):
        httpx.post(f"{clinic.url}/v1/sign-in", json=body, timeout=60)
    last = f"POST /v1/sign-in 429 account {clinic.id('ada')} from 127.0.0.1"
    wait_for(lambda: len(_lines(caplog)) == 11)
    assert _lines(caplog)[-1] == last


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_times_of_log_lines_are_utc(log_format: str) -> None:
    code = (
        "import logging, logging.config\n"
        "from cli.server.serve import log_config\n"
        "from ebbtide.settings import Settings\n"
        "logging.config.dictConfig(log_config(Settings()))\n"
        "logging.getLogger('ebbtide').info('here')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"EBBTIDE_LOG_FORMAT": log_format, "TZ": "America/Denver", "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    text = done.stderr.strip()
    at = datetime.fromisoformat(
        json.loads(text)["time"] if log_format == "json" else text.split(" ")[0]
    )
    assert at.utcoffset() == datetime.now(UTC).utcoffset()
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60


def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(clinic: Clinic) -> None:
    ada = clinic.people["ada"]
    weak = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    assert is_outdated(weak)
    clinic.stores.access.set_password(ada.id, weak)
    body = {"email": "ada@example.org", "password": PASSWORD}
    answers = [httpx.post(f"{clinic.url}/v1/sign-in", json=body, timeout=60) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    stored = clinic.stores.records.person(ada.id)
    assert stored is not None
    assert stored.password_hash is not None
    assert stored.password_hash != weak
    assert not is_outdated(stored.password_hash)
    # Both sessions live on: the password is the same.
    for answer in answers:
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert httpx.get(f"{clinic.url}/v1/me", headers=headers).status_code == 200


def test_passwords_are_not_turned_off_where_nobody_could_sign_in(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EBBTIDE_OIDC_ISSUER"):
        Settings(data_dir=tmp_path, passwords="patients")
