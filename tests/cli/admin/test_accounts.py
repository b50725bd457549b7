"""``ebbtide add-patient`` and ``sign-in``."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from pathlib import Path

import httpx
import pyotp
import pytest

from cli.admin.accounts import set_password
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from store.factory import open_stores
from tests.support.accounts import PASSWORD
from tests.support.command_line import run_ebbtide, served
from tests.support.ports import free_port
from tests.support.records import a_person


def test_from_an_account_to_a_sign_in_of_this_machine(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "EBBTIDE_DATA_DIR": str(tmp_path / "data"),
        "EBBTIDE_API_URL": f"http://127.0.0.1:{port}",
    }
    account = ["add-patient", "ada@example.org", "--name", "Ada", "--zone", "Europe/Berlin"]
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    made = run_ebbtide(*account, environment=environment, typed=typed)
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    again = run_ebbtide(*account, environment=environment, typed=typed)
    assert again.returncode == 1
    assert "has an account already" in again.stderr

    away = run_ebbtide("sign-in", "ada@example.org", environment=environment, typed=f"{PASSWORD}\n")
    assert away.returncode == 1
    assert "ebbtide serve" in " ".join(away.stderr.split())

    with served(environment, port) as url:
        wrong = run_ebbtide(
            "sign-in", "ada@example.org", environment=environment, typed="nonsense\n"
        )
        assert wrong.returncode == 1
        assert "password is not right" in " ".join(wrong.stderr.split())
        right = run_ebbtide(
            "sign-in", "ada@example.org", environment=environment, typed=f"{PASSWORD}\n"
        )
        assert right.returncode == 0, right.stderr
        path = tmp_path / "data" / "sign-ins.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (stored,) = json.loads(path.read_text())["sign_ins"]
        assert (stored["email"], stored["zone"]) == ("ada@example.org", "Europe/Berlin")
        headers = {"Authorization": f"Bearer {stored['token']}"}
        assert httpx.get(f"{url}/v1/me", headers=headers).json()["id"] == stored["account"]

        # Forgotten, on a computer of one's own: no administrator, and nothing has to be ended.
        another = "rye harvest by moonlight"
        typed_new = f"{another}\n{another}\n"
        reset = run_ebbtide("set-password", "--json", environment=environment, typed=typed_new)
        assert reset.returncode == 0, reset.stderr
        assert json.loads(reset.stdout) == {"email": "ada@example.org"}
        for password, status in ((PASSWORD, 401), (another, 200)):
            body = {"email": "ada@example.org", "password": password}
            assert httpx.post(f"{url}/v1/sign-in", json=body, timeout=60).status_code == status

        recovery_code = set_up_app(url, another)
        typed = f"{another}\n{recovery_code}\n"
        coded = run_ebbtide("sign-in", "ada@example.org", environment=environment, typed=typed)
        assert coded.returncode == 0, coded.stderr
        again = run_ebbtide("sign-in", "ada@example.org", environment=environment, typed=typed)
        assert again.returncode == 1
        assert "used already" in " ".join(again.stderr.split())
    remove = ("remove-second-factors", "ada@example.org")
    assert "password alone" in run_ebbtide(*remove, environment=environment).stdout
    assert "had no passkey" in run_ebbtide(*remove, environment=environment).stdout


def test_without_an_address_the_password_is_of_the_only_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBBTIDE_DATA_DIR", str(tmp_path))
    with closing(open_stores(Settings())) as stores:
        with pytest.raises(EbbtideError, match=r"no account here yet\. Begin with: ebbtide start"):
            set_password()
        a_person(stores.records, "ada@example.org")
        a_person(stores.records, "ben@example.org")
        with pytest.raises(EbbtideError, match=r"2 accounts here.*: ada@example\.org, ben@"):
            set_password()


def set_up_app(url: str, password: str) -> str:
    """Set codes of an app up for ada, and return a recovery code."""
    body = {"email": "ada@example.org", "password": password}
    token = httpx.post(f"{url}/v1/sign-in", json=body, timeout=60).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    made = httpx.post(f"{url}/v1/me/app", headers=headers, timeout=60).json()
    body = {"token": made["token"], "code": pyotp.TOTP(made["secret"]).now()}
    answer = httpx.put(f"{url}/v1/me/app", json=body, headers=headers, timeout=60)
    return str(answer.json()["recovery_codes"][0])


def test_bad_accounts_are_refused_with_words(tmp_path: Path) -> None:
    environment = {"EBBTIDE_DATA_DIR": str(tmp_path)}
    for email, zone, password, why in [
        ("nobody", "Europe/Berlin", PASSWORD, "not an e-mail address"),
        ("a@b.example", "Mars", PASSWORD, "not a time zone"),
        ("a@b.example", "Europe/Berlin", "short", "too short"),
    ]:
        command = ["add-patient", email, "--name", "Ada", "--zone", zone]
        done = run_ebbtide(*command, environment=environment, typed=f"{password}\n{password}\n")
        assert done.returncode == 1
        assert why in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
