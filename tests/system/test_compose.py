"""docker-compose.yml and the Dockerfile. There is no Docker engine here: the file is held against
the schema and linters, and what the images would run is run against Debian's servers.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from packaging.specifiers import SpecifierSet
from typer.testing import CliRunner

from cli.main import app
from ebbtide.settings import Settings
from tests.conftest import ROOT, skip_or_fail
from tests.support.influx import InfluxServerProcess
from tests.support.postgres import PostgresServer, postgres_bin

OURS = ("api", "dashboard", "ingest")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.mark.parametrize(
    "command",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        ("hadolint", "Dockerfile"),
        (
            "yamllint",
            "-d",
            "{extends: default, rules: {document-start: disable, line-length: {max: 100}}}",
            "docker-compose.yml",
        ),
    ],
    ids=lambda command: command[0],
)
def test_schema_and_linters_find_nothing(command: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr


def test_services_and_their_commands_exist() -> None:
    services = compose()["services"]
    assert set(services) == {*OURS, "influxdb", "postgres"}
    for name in OURS:
        program, command, *flags = services[name]["command"]
        assert program == "ebbtide"
        help_text = CliRunner().invoke(app, [command, "--help"]).output
        for flag in flags[::2]:
            assert flag in help_text
        for variable in services[name].get("environment", {}):
            assert variable.removeprefix("EBBTIDE_").lower() in Settings.model_fields
        for secret in services[name].get("secrets", []):
            assert secret.removeprefix("ebbtide_") in Settings.model_fields
    assert services["dashboard"]["environment"]["EBBTIDE_API_URL"] == "http://api:8420"


def test_nothing_is_open_writable_or_privileged() -> None:
    loaded = compose()
    for name, service in loaded["services"].items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        # The image's own user is 1000; only D-Bus needs root, and only where configured.
        if name == "ingest":
            assert service["profiles"] == ["strap"]
        elif name not in OURS:
            assert int(service["user"]) > 0
        if "profiles" not in service:
            assert service["healthcheck"]["test"]
        # Only on this machine, without TLS in front.
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in {*loaded["volumes"], "/run/dbus/system_bus_socket"}
        for secret in service.get("secrets", []):
            assert secret in loaded["secrets"]
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("PASSWORD", "TOKEN", "RECORDS_URL")):
                assert str(value).startswith("/run/secrets/"), variable
    assert "\nUSER 1000\n" in (ROOT / "Dockerfile").read_text()


def test_the_image_has_every_dependency_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = (ROOT / "docker/requirements.txt").read_text()
    for wanted in (*project["dependencies"], *project["optional-dependencies"]["clinic"]):
        name, _, bounds = re.match(r"([a-z0-9-]+)(\[\w+\])?([^;]*)", wanted).groups()  # type: ignore[union-attr]
        (version,) = re.findall(rf"^{name}==(\S+)", pinned, re.M)
        assert SpecifierSet(bounds).contains(version), wanted
    assert pinned.count("--hash=sha256:") > 100


def test_secrets_are_made_once_and_for_their_owner(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    done = CliRunner().invoke(app, ["secrets", str(folder)])
    assert done.exit_code == 0, done.output
    named = {Path(secret["file"]).name for secret in compose()["secrets"].values()}
    assert {path.name for path in folder.iterdir()} == named
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    texts = [path.read_text() for path in folder.iterdir()]
    assert len(set(texts)) == 4
    assert min(map(len, texts)) > 40
    assert not any(text in done.output for text in texts)
    before = {path.name: path.read_text() for path in folder.iterdir()}
    again = subprocess.run(
        [sys.executable, "-m", "ebbtide", "secrets", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert "is there already" in " ".join(again.stderr.split())  # it is wrapped to a terminal
    assert {path.name: path.read_text() for path in folder.iterdir()} == before


def test_what_the_images_would_run_runs(tmp_path: Path, influxdb: InfluxServerProcess) -> None:
    """The commands, environment, secrets and health checks of api and dashboard. Debian's InfluxDB
    is of 1.6, which has no tokens: its password stands for the token of 2.7.
    """
    binaries = postgres_bin()
    if binaries is None:
        skip_or_fail("no PostgreSQL on this machine (Debian: apt install postgresql)")
    folder = tmp_path / "secrets"
    assert CliRunner().invoke(app, ["secrets", str(folder)]).exit_code == 0
    password = (folder / "postgres_password").read_text()
    postgres = PostgresServer(
        Path(tempfile.mkdtemp(prefix="ebbtide-pg-", dir="/tmp")), binaries, password
    )
    postgres.start()
    url = (folder / "ebbtide_records_url").read_text()
    assert url == f"postgresql+psycopg://ebbtide:{password}@postgres/ebbtide"
    here = tmp_path / "run-secrets"
    here.mkdir()
    (here / "ebbtide_records_url").write_text(
        url.replace("@postgres/ebbtide", f"@/postgres?host={postgres.folder}")
    )
    (here / "ebbtide_influxdb_password").write_text(influxdb.password)
    services = compose()["services"]
    ports: dict[str, str] = {}
    for port in ("8420", "8421", "9464"):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            ports[port] = str(found.getsockname()[1])

    def moved(text: str) -> str:
        for port, other in ports.items():
            text = text.replace(port, other)
        return text.replace("http://api:", "http://127.0.0.1:")

    read_only_home = tmp_path / "home"
    read_only_home.mkdir(mode=0o500)
    running = []
    try:
        for name in ("api", "dashboard"):
            environment = {
                variable: moved(value) for variable, value in services[name]["environment"].items()
            }
            environment |= {
                "EBBTIDE_DATA_DIR": str(tmp_path / "data"),
                "EBBTIDE_SECRETS_DIR": str(here if name == "api" else tmp_path / "none"),
                "HOME": str(read_only_home),
            }
            if name == "api":
                environment["EBBTIDE_INFLUXDB_URL"] = influxdb.url
                environment["EBBTIDE_INFLUXDB_DATABASE"] = influxdb.fresh_database()
                environment["EBBTIDE_INFLUXDB_USER"] = "ebbtide"
            words = [moved(word) for word in services[name]["command"][1:]]
            log = (tmp_path / name).open("wb")
            process = subprocess.Popen(
                [sys.executable, "-m", "ebbtide", *words],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                cwd=tmp_path,
            )
            running.append((process, log))
            check = [sys.executable, *map(moved, services[name]["healthcheck"]["test"][2:])]
            for _ in range(60):
                healthy = subprocess.run(check, capture_output=True, check=False).returncode == 0
                if healthy:
                    break
                assert process.poll() is None, (tmp_path / name).read_text()
                time.sleep(0.5)
            assert healthy, (tmp_path / name).read_text()
        seen = httpx.get(f"http://127.0.0.1:{ports['9464']}/metrics").text
        assert 'route="/v1/ready"' in seen
        assert list((tmp_path / "data").glob("*.sqlite")) == []  # all of it is on the servers
    finally:
        for process, log in running:
            process.terminate()
            process.wait(20)
            log.close()
        postgres.stop()
