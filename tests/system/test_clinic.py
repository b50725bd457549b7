"""A clinic's first day in the services of docker-compose.yml, at its one address with TLS.

Each service's exact command runs in namespaces of its own (tests/support/compose), with Debian's
InfluxDB and PostgreSQL, and the Caddy that the proxy's image has.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from playwright.sync_api import Page, expect, sync_playwright
from typer.testing import CliRunner

from cli.main import app
from ebbtide.timestamps import SECOND
from tests.conftest import ROOT, skip_or_fail
from tests.support.accounts import PASSWORD
from tests.support.browser import choose_page, sign_in
from tests.support.compose import ComposeRun, missing_reason, refused_reason
from tests.support.mail_server import write_certificate

pytestmark = pytest.mark.browser
DOMAIN = "clinic.example"
COMPOSE = ROOT / "docker-compose.yml"


CADDY = Path(sys.executable).with_name("caddy")


def require_machine() -> None:
    reason = missing_reason()
    if reason is not None:
        skip_or_fail(reason)
    refused = refused_reason()
    if refused is not None:  # also in CI: no package mends it
        pytest.skip(refused)


def secrets_in(folder: Path) -> Path:
    """A folder that users of services may enter, with secrets."""
    folder.chmod(0o755)
    done = CliRunner().invoke(app, ["secrets", str(folder / "secrets")])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def clinic() -> Iterator[ComposeRun]:
    require_machine()
    # Below /tmp itself: users of services must reach their volumes.
    with tempfile.TemporaryDirectory(prefix="ebbtide-clinic-", dir="/tmp") as name:
        folder = secrets_in(Path(name))
        with ComposeRun(COMPOSE, folder, folder / "secrets", EBBTIDE_DOMAIN=DOMAIN) as run:
            run.up()
            yield run


@pytest.fixture(scope="module")
def authority(clinic: ComposeRun) -> Path:
    """The certificate of Caddy's own authority, as docs/operating/clinic.md copies it."""
    return clinic.volume("certificates") / "caddy/pki/authorities/local/root.crt"


@pytest.fixture(scope="module")
def visitor(clinic: ComposeRun, authority: Path) -> Iterator[httpx.Client]:
    """Somebody outside, who trusts that authority, at the published port."""
    context = ssl.create_default_context(cafile=str(authority))
    with httpx.Client(
        base_url=f"https://{clinic.gateway}",
        headers={"Host": DOMAIN},
        verify=context,
        timeout=30,
    ) as client:
        client.event_hooks["request"].append(_name_the_server)
        yield client


def _name_the_server(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = DOMAIN


@pytest.fixture(scope="module")
def patient(clinic: ComposeRun, visitor: httpx.Client) -> str:
    """The first day: administrator, therapist, patient; the patient's token."""
    # The command is that of the file's own comment.
    (words,) = re.findall(r"exec api (ebbtide add-account .+)$", COMPOSE.read_text(), re.M)
    command = words.replace("ADDRESS", "adam@clinic.example").replace("NAME", "Adam").split()
    made = clinic.exec("api", *command, text=f"{PASSWORD}\n{PASSWORD}\n")
    assert made.returncode == 0, made.stdout + made.stderr
    administrator = signed_in(visitor, "adam@clinic.example")
    therapist = invited(visitor, administrator, "tom@clinic.example", "therapist")
    token = invited(visitor, therapist, "ada@example.org", "patient")
    caseload = visitor.get("/v1/patients", headers=bearer(therapist))
    assert "Ada" in caseload.text, caseload.text
    answer = {"purpose": "keeping", "given": True, "wording": "test, 1"}
    visitor.post("/v1/consents", json=answer, headers=bearer(token)).raise_for_status()
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed_in(visitor: httpx.Client, email: str) -> str:
    answer = visitor.post("/v1/sign-in", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def invited(visitor: httpx.Client, inviter: str, email: str, role: str) -> str:
    body = {"email": email, "name": email[:3].title(), "zone": "Europe/Berlin", "role": role}
    made = visitor.post("/v1/invitations", json=body, headers=bearer(inviter))
    assert made.status_code == 201, made.text
    accepted = {"token": made.json()["token"], "password": PASSWORD}
    visitor.post("/v1/invitations/accept", json=accepted).raise_for_status()
    return signed_in(visitor, email)


def test_the_address_has_tls_and_headers_once(clinic: ComposeRun, visitor: httpx.Client) -> None:
    for path in ("/v1/ready", "/openapi.json", "/", "/_stcore/health"):
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        names = [name for name, _ in answer.headers.multi_items()]
        assert len(names) == len(set(names)), names
        assert not {"server", "via", "strict-transport-security"} & set(names)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
    for path in ("/_stcore/metrics", "/metrics", "/proxy-health"):
        answer = visitor.get(path)
        assert "python_info" not in answer.text
        assert answer.text != "ok"
    with (
        httpx.Client(event_hooks={"request": [_name_the_server]}) as stranger,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        stranger.get(f"https://{clinic.gateway}", headers={"Host": DOMAIN})


def test_nothing_is_open_but_443(clinic: ComposeRun) -> None:
    published = [port for service in clinic.file.services.values() for port in service.ports]
    assert published == [(443, 8443)]
    # Of its services the proxy reaches pages and API; what is behind them is on another network.
    assert set(clinic.file.services["proxy"].networks) == {"front"}
    for name in ("influxdb", "postgres", "nightly", "backup"):
        assert set(clinic.file.services[name].networks) == {"stores"}


def test_who_asks_is_named_once_and_by_nobody_else(
    clinic: ComposeRun, visitor: httpx.Client
) -> None:
    """The visitor comes from the gateway; a made-up address is not read."""
    wrong = {"email": "nobody@example.org", "password": "wrong, but long enough"}
    for forged in ({}, {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.8"}):
        assert visitor.post("/v1/sign-in", json=wrong, headers=forged).status_code == 401
    log = clinic.log("api")
    networks = re.findall(r'"network": "([^"]+)"', log)
    assert networks
    assert set(networks) == {clinic.gateway}


def test_bodies_are_bounded_by_the_application_and_not_by_the_proxy(
    visitor: httpx.Client, patient: str
) -> None:
    headers = {**bearer(patient), "Content-Type": "application/fhir+json"}
    largest = b"[" + b" " * (16 * 2**20 - 2) + b"]"
    taken = visitor.post("/v1/fhir/", content=largest, headers=headers)
    assert taken.status_code in (400, 422), taken.text
    refused = visitor.post("/v1/fhir/", content=largest + b" ", headers=headers)
    assert refused.status_code == 413
    assert refused.json()["resourceType"] == "OperationOutcome"  # the API's own words


def test_a_heart_is_live_through_it(visitor: httpx.Client, patient: str) -> None:
    send_beats(visitor, patient)
    began, events = time.monotonic(), 0
    with visitor.stream("GET", "/v1/live?seconds=3", headers=bearer(patient)) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("data:") and '"heart_rate_bpm":' in line:
                events += 1
                if events == 1:  # it is not held back until the stream ends
                    first_s = time.monotonic() - began
    assert events == 3
    assert first_s < time.monotonic() - began - 1.5


def send_beats(visitor: httpx.Client, token: str) -> None:
    """Two minutes of beats until now, 66 a minute."""
    now = time.time_ns()
    stream = "0192f0c1-0000-7000-8000-000000000001"
    body = {"origin": "simulated", "source": "a strap", "created_ns": now - 121 * SECOND}
    visitor.put(f"/v1/streams/{stream}", json=body, headers=bearer(token)).raise_for_status()
    times = [now - 120 * SECOND + n * 930 * SECOND // 1024 for n in range(1, 130)]
    notifications = [
        {
            "sequence": n,
            "received_ns": at,
            "heart_rate_bpm": 66,
            "rr_ticks": [930],
            "beat_times_ns": [at],
            "contact": True,
        }
        for n, at in enumerate(times, 1)
    ]
    batch = {"first": 1, "last": len(times), "notifications": notifications, "gaps": []}
    path = f"/v1/streams/{stream}/notifications"
    visitor.post(path, json=batch, headers=bearer(token)).raise_for_status()


def test_a_patient_rates_in_a_browser_and_stays_signed_in(
    clinic: ComposeRun, authority: Path, chromium: str, patient: str, tmp_path: Path
) -> None:
    trust(authority, tmp_path)
    del patient  # signed up, and agreed to keeping
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {DOMAIN} {clinic.gateway}"],
            env={**os.environ, "HOME": str(tmp_path)},
        )
        context = browser.new_context(viewport={"width": 1300, "height": 900})
        context.set_default_timeout(60_000)
        page = context.new_page()
        sockets: list[str] = []
        page.on("websocket", lambda opened: sockets.append(opened.url))
        sign_in(page, f"https://{DOMAIN}/", "ada@example.org", PASSWORD)
        expect_today(page)
        assert [url for url in sockets if url.startswith(f"wss://{DOMAIN}/_stcore/stream")]
        for scale, number in (("Pain", "4"), ("Stress", "3")):
            page.get_by_role("radiogroup", name=scale).get_by_text(number, exact=True).click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Saved. Thank you.")).to_be_visible()
        choose_page(page, "My link")
        expect(page.get_by_role("heading", name="My link").first).to_be_visible()
        deadline = time.monotonic() + 30
        while not (
            found := [c for c in context.cookies() if c["name"] == "__Host-ebbtide_session"]
        ):
            assert time.monotonic() < deadline, context.cookies()
            page.wait_for_timeout(100)
        (cookie,) = found
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (
            *(True, True, "Strict", "/"),
        )
        page.reload()
        expect(page.get_by_role("heading", name="My link").first).to_be_visible()
        browser.close()
    networks = set(re.findall(r'"network": "([^"]+)"', clinic.log("api")))
    assert networks == {clinic.gateway}  # also of those who came by the pages


def expect_today(page: Page) -> None:
    expect(page.get_by_role("heading", name="How is it right now?")).to_be_visible()


def trust(authority: Path, home: Path) -> None:
    """Let Chromium of this home trust an authority, as a clinic's own computers are made to."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    for words in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "clinic", "-i", str(authority)],
    ):
        try:
            subprocess.run(["certutil", "-d", f"sql:{database}", *words], check=True)
        except FileNotFoundError:
            skip_or_fail("no certutil (Debian: apt install libnss3-tools)")


@pytest.mark.parametrize("name", ["api", "dashboard"])
def test_what_hangs_is_not_healthy(clinic: ComposeRun, name: str) -> None:
    assert clinic.health(name).returncode == 0
    clinic.signal(name, signal.SIGSTOP)
    try:
        assert clinic.health(name, timeout_s=3).returncode != 0
    finally:
        clinic.signal(name, signal.SIGCONT)
    clinic.wait_until_healthy(name)


def test_the_night_a_backup_and_a_restore_into_fresh_servers(
    clinic: ComposeRun, visitor: httpx.Client, patient: str
) -> None:
    rated = {"pain": 5, "stress": 6}
    visitor.post("/v1/ratings", json=rated, headers=bearer(patient)).raise_for_status()
    before = clinic.exec("api", "ebbtide", "store", "check")
    assert "3 people, " in before.stdout, before.stdout + before.stderr
    for name in ("nightly", "backup"):
        program, daily, _, _, *command = clinic.file.services[name].command
        assert (program, daily) == ("ebbtide", "daily")
        done = clinic.exec(name, "ebbtide", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    (made,) = clinic.volume("backups").glob("ebbtide-backup-*")
    assert {path.name for path in made.iterdir()} == {
        *("backup.json", "beats.sqlite", "records.sqlite"),
    }
    ledger = clinic.volume("backups") / "ebbtide-erased.jsonl"
    for path in (*made.iterdir(), ledger):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (clinic.volume("ledger") / "erased.jsonl").is_file()

    clinic.stop("proxy", "nightly", "backup", "dashboard", "api", "influxdb", "postgres")
    for volume in ("influxdb", "postgres"):  # as docker volume rm does
        clinic.volume(volume).rename(clinic.volume(f"{volume}-lost"))
    for name in ("influxdb", "postgres"):
        clinic.start(name)
        clinic.wait_until_healthy(name)
    restored = clinic.run("backup", "ebbtide", "restore", f"/backups/{made.name}")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "read again and compared" in restored.stdout
    after = clinic.run("backup", "ebbtide", "store", "check")
    assert after.stdout == before.stdout, after.stdout + after.stderr
    assert "The store is intact" in after.stdout


def test_a_certificate_comes_by_itself_over_443_alone(tmp_path: Path) -> None:
    """From Caddy's own ACME server, which asks at port 443 of the name. Port 80 is closed."""
    require_machine()
    with tempfile.TemporaryDirectory(prefix="ebbtide-acme-", dir="/tmp") as name:
        folder = secrets_in(Path(name))
        prefix = "10.98.76"
        root = folder / "authority/pki/authorities/local/root.crt"
        with (
            ComposeRun(
                *(COMPOSE, folder, folder / "secrets"),
                EBBTIDE_NETWORK=prefix,
                EBBTIDE_DOMAIN=DOMAIN,
                EBBTIDE_CERTIFICATES="acme",
                EBBTIDE_ACME_DIRECTORY=f"https://{prefix}.1:9000/acme/local/directory",
            ) as run,
            acme_server(folder, prefix, root),
        ):
            certificates = run.volume("certificates")
            certificates.mkdir(parents=True)
            os.chown(certificates, 1000, 1000)
            shutil.copy(root, certificates / "root.crt")
            (certificates / "root.crt").chmod(0o644)
            # Of a real authority the image's system has the certificate.
            run.file.services["proxy"].environment["SSL_CERT_FILE"] = "/certificates/root.crt"
            run.start("proxy")
            answer = get_trusting(root, run.gateway)
            assert "tls-alpn-01" in run.log("proxy")
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((run.gateway, 80), timeout=5)


def test_a_certificate_of_ones_own_is_served(tmp_path: Path) -> None:
    require_machine()
    with tempfile.TemporaryDirectory(prefix="ebbtide-file-", dir="/tmp") as name:
        folder = secrets_in(Path(name))
        certificate, key = write_certificate(tmp_path, DOMAIN)
        for source, target in ((certificate, "tls_certificate"), (key, "tls_key")):
            (folder / "secrets" / target).write_bytes(source.read_bytes())
        with ComposeRun(
            *(COMPOSE, folder, folder / "secrets"),
            EBBTIDE_DOMAIN=DOMAIN,
            EBBTIDE_CERTIFICATES="file",
        ) as run:
            run.start("proxy")
            run.wait_until_healthy("proxy")
            answer = get_trusting(certificate, run.gateway)
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            with httpx.Client(
                verify=ssl.create_default_context(cafile=str(certificate)),
                event_hooks={"request": [_name_the_server]},
            ) as client:
                away = client.get(f"https://{run.gateway}/v1/ready", headers={"Host": DOMAIN})
            assert (away.status_code, away.text[:32]) == (502, "Ebbtide does not answer just now")
            assert "server" not in away.headers
            # Its log says neither who asked nor for what.
            served = run.log("proxy").partition("serving initial configuration")[2]
            assert served
            assert not {run.gateway, "/v1/ready"} & set(re.findall(r"[\w./]+", served))


@contextmanager
def acme_server(folder: Path, prefix: str, root: Path) -> Iterator[None]:
    """Caddy as an authority, to which the name of the clinic leads to the published port."""
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{prefix}.1 {DOMAIN}\n")
    (folder / "Caddyfile").write_text(
        f"{{\n admin off\n persist_config off\n skip_install_trust\n auto_https disable_redirects\n"
        f" storage file_system {folder}/authority\n}}\n"
        f"https://{prefix}.1:9000 {{\n bind {prefix}.1\n tls internal\n acme_server\n}}\n"
    )
    # It would make this machine trust its authority: what that writes to is read-only for it.
    script = (
        f"mount --make-rprivate / && mount --bind {folder}/hosts /etc/hosts && "
        "for path in /etc/ssl /usr/local/share; do mount --bind $path $path && "
        "mount -o remount,bind,ro $path || exit 1; done; "
        f"exec {CADDY} run --config {folder}/Caddyfile --adapter caddyfile"
    )
    with (folder / "authority.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--fork", "--kill-child", "sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 30
        while not root.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def get_trusting(authority: Path, gateway: str) -> httpx.Response:
    """A page that needs nothing behind the proxy, once the certificate is there."""
    context = ssl.create_default_context(cafile=str(authority))
    deadline = time.monotonic() + 30
    with httpx.Client(verify=context, event_hooks={"request": [_name_the_server]}) as client:
        while True:
            try:
                answer = client.get(f"https://{gateway}/_stcore/metrics", headers={"Host": DOMAIN})
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            else:
                assert answer.status_code == 404
                return answer


def test_the_proxy_is_the_version_that_ran_here() -> None:
    caddy = subprocess.run(
        [CADDY, "version"],
        capture_output=True,
        text=True,
        check=True,
    )
    version = caddy.stdout.split()[0].removeprefix("v")
    assert f"FROM caddy:{version} AS release" in (ROOT / "docker/caddy/Dockerfile").read_text()
    assert yaml.safe_load(COMPOSE.read_text())["services"]["proxy"]["build"] == "docker/caddy"
