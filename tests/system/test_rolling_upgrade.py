"""An upgrade one process after the other: the code before the newest migration beside this one."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ebbtide.timestamps import MINUTE, SECOND, now_ns, to_datetime
from store.sql.schema_version import NEWEST
from tests.conftest import ROOT
from tests.support.accounts import PASSWORD
from tests.support.api_processes import ApiProcess
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer

_MIGRATIONS = ROOT / "store" / "sql" / "migrations" / "versions"
EMAIL = "ada@example.org"


def git(*words: str) -> bytes:
    """What git answers. Skips the test where it cannot."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git knows no earlier code here ({type(error).__name__})")
    return done.stdout


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with the code of the commit before the newest migration."""
    if git("rev-parse", "--is-shallow-repository").strip() != b"false":
        pytest.skip("a shallow clone has no earlier code")
    (newest,) = _MIGRATIONS.glob(f"r{NEWEST}_*.py")
    place = str(newest.relative_to(ROOT))
    added = git("log", "--no-renames", "--diff-filter=A", "--format=%H", "-1", "--", place)
    # Not committed yet: HEAD is before it.
    commit = f"{added.decode().strip()}^" if added.strip() else "HEAD"
    folder = tmp_path / "earlier"
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", commit))) as archive:
        archive.extractall(folder, filter="data")
    assert not list((folder / newest.relative_to(ROOT).parent).glob(newest.name))
    return folder


@pytest.fixture
def environment(postgres: PostgresServer, influxdb: InfluxServerProcess) -> dict[str, str]:
    """Empty servers."""
    return {
        "EBBTIDE_RECORDS_URL": postgres.fresh_database(),
        "EBBTIDE_INFLUXDB_URL": influxdb.url,
        "EBBTIDE_INFLUXDB_DATABASE": influxdb.fresh_database(),
        "EBBTIDE_INFLUXDB_USER": "ebbtide",
        "EBBTIDE_INFLUXDB_PASSWORD": influxdb.password,
    }


@pytest.fixture
def old(earlier: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[ApiProcess]:
    """The earlier code, running on tables that it made."""
    process = ApiProcess(tmp_path / "old", environment, earlier)
    add = subprocess.run(
        [sys.executable, "-m", "ebbtide", "add-patient", EMAIL, "--name", "Ada", "--zone", "UTC"],
        cwd=earlier,
        env=process.environment,
        input=f"{PASSWORD}\n{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert add.returncode == 0, add.stderr
    process.start()
    try:
        process.wait()
        yield process
    finally:
        process.stop()


class Client:
    """Ada, who asks one process or the other."""

    def __init__(self, **urls: str) -> None:
        self._urls = urls
        self.headers: dict[str, str] = {}

    def ask(self, process: str, method: str, path: str, **more: Any) -> Any:
        """The answer of this process. Fails where it is none of success."""
        answer = httpx.request(
            method, f"{self._urls[process]}/v1/{path}", headers=self.headers, timeout=120, **more
        )
        assert answer.is_success, (process, path, answer.text)
        return answer.json() if answer.content else None

    def sign_in(self, process: str) -> None:
        """Sign in there; what follows is sent with that token."""
        self.headers = {}
        found = self.ask(process, "POST", "sign-in", json={"email": EMAIL, "password": PASSWORD})
        self.headers = {"Authorization": f"Bearer {found['token']}"}

    def rate(self, process: str, pain: int) -> str:
        """Store a rating."""
        about = to_datetime(now_ns() - MINUTE).isoformat()
        body = {"pain": pain, "stress": 3, "about": about, "zone": "UTC"}
        return str(self.ask(process, "POST", "ratings", json=body)["id"])


def beats(first: int, begin_ns: int) -> dict[str, Any]:
    """Ten beats, one a second, and a heart rate without an interval after them."""
    items = [
        {
            "sequence": number,
            "received_ns": begin_ns + number * SECOND,
            "heart_rate_bpm": 60,
            "rr_ticks": [1024] if number < first + 10 else [],
            "beat_times_ns": [begin_ns + number * SECOND] if number < first + 10 else [],
            "contact": True,
        }
        for number in range(first, first + 11)
    ]
    return {"first": first, "last": first + 10, "notifications": items, "gaps": []}


def test_two_versions_side_by_side(
    old: ApiProcess, earlier: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    begin_ns = now_ns() // SECOND * SECOND - 600 * SECOND
    stream = f"streams/{uuid.uuid4()}"
    before = Client(old=old.url)
    before.sign_in("old")
    consent = {"purpose": "keeping", "given": True, "wording": "keeping, English, 2"}
    before.ask("old", "POST", "consents", json=consent)
    about = {"origin": "simulated", "source": "a strap", "created_ns": begin_ns}
    before.ask("old", "PUT", stream, json=about)
    before.ask("old", "POST", f"{stream}/notifications", json=beats(1, begin_ns))

    # The new process brings the tables forward while the old one serves.
    new = ApiProcess(tmp_path / "new", environment)
    late = ApiProcess(tmp_path / "late", environment, earlier)
    new.start()
    try:
        new.wait()
        ada = Client(old=old.url, new=new.url)
        ada.headers = before.headers  # a sign-in of before holds in both
        for process in ("old", "new"):
            assert ada.ask(process, "GET", "me")["email"] == EMAIL
        pains: dict[str, int] = {}
        for turn, (writer, reader) in enumerate([("old", "new"), ("new", "old")] * 3):
            ada.sign_in(writer)
            ada.ask(reader, "GET", "me")
            first = 12 + 11 * turn
            sent = ada.ask(writer, "POST", f"{stream}/notifications", json=beats(first, begin_ns))
            assert sent["acknowledged"] == first + 10
            again = ada.ask(reader, "POST", f"{stream}/notifications", json=beats(first, begin_ns))
            assert again["acknowledged"] == first + 10
            rating = ada.rate(writer, turn)
            pains[rating] = turn
            assert ada.ask(reader, "GET", f"ratings/{rating}")["pain"] == turn
        period = {
            "start": to_datetime(begin_ns).isoformat(),
            "end": to_datetime(begin_ns + 500 * SECOND).isoformat(),
        }
        for process in ("old", "new"):
            assert ada.ask(process, "GET", "streams")["beats"] == 70
            rows = ada.ask(process, "GET", "export/beats")["rows"]
            assert [row["rr_ticks"] for row in rows] == [1024] * 70
            (window,) = ada.ask(process, "GET", "hrv", params=period)["windows"]
            assert window["beats"] == 70
            found = ada.ask(process, "GET", "ratings")["ratings"]
            assert {item["id"]: item["pain"] for item in found} == pains

        # As docs/operating/clinic.md says: one of before that starts only now is refused.
        late.start()
        with pytest.raises(RuntimeError, match=r"does not answer \(RevisionError\)"):
            late.wait()
        old.stop()
        ada.sign_in("new")
        assert ada.ask("new", "GET", "streams")["beats"] == 70
    finally:
        new.stop()
        late.stop()
