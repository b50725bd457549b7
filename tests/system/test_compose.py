"""docker-compose.yml and the Dockerfiles, against the schema, linters and the program; they run in
tests/system/test_clinic.py.
"""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from typer.testing import CliRunner

from cli.main import app
from ebbtide.settings import Settings
from tests.conftest import ROOT

OURS = ("api", "dashboard", "nightly", "backup", "ingest")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.mark.parametrize(
    "command",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"),
        ("hadolint", "Dockerfile", "docker/caddy/Dockerfile", "docker/influxdb/Dockerfile"),
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
    assert set(services) == {*OURS, "proxy", "influxdb", "postgres"}
    for name in OURS:
        program, *words = services[name]["command"]
        assert program == "ebbtide"
        # Of "daily" the command that it runs, too.
        commands = [word for word in words if re.fullmatch("[a-z]+", word)]
        help_text = "".join(
            CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
            for command in commands
        )
        for flag in (word for word in words if word.startswith("--")):
            assert flag in help_text
        for variable in services[name].get("environment", {}):
            if variable != "TZ":
                assert variable.removeprefix("EBBTIDE_").lower() in Settings.model_fields
        for secret in services[name].get("secrets", []):
            assert secret.removeprefix("ebbtide_") in Settings.model_fields
    assert services["dashboard"]["environment"]["EBBTIDE_API_URL"] == "http://api:8420"


def test_every_setting_of_the_sample_is_one() -> None:
    """docker/clinic.env: what the file names is read by the compose file or the API."""
    text = (ROOT / "docker-compose.yml").read_text()
    read = set(re.findall(r"\$\{(\w+)", text))
    named = set(re.findall(r"^#?(EBBTIDE_\w+)=", (ROOT / "docker/clinic.env").read_text(), re.M))
    for variable in named - read:
        assert variable.removeprefix("EBBTIDE_").lower() in Settings.model_fields
    assert read - named == {"EBBTIDE_ACME_DIRECTORY"}


def test_nothing_is_open_writable_or_privileged() -> None:
    loaded = compose()
    assert loaded["services"]["proxy"]["ports"] == ["443:8443"]
    assert loaded["networks"]["stores"] == {"internal": True}
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
        if name != "proxy":
            assert "ports" not in service
        for volume in service.get("volumes", []):
            source = volume.rpartition(":")[0]
            assert source in {
                *loaded["volumes"],
                "${EBBTIDE_BACKUPS:-backups}",
                "/run/dbus/system_bus_socket",
            }
        for secret in service.get("secrets", []):
            assert secret in loaded["secrets"]
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("PASSWORD", "TOKEN", "RECORDS_URL")):
                assert str(value).startswith("/run/secrets/"), variable
    for file in ("Dockerfile", "docker/caddy/Dockerfile", "docker/influxdb/Dockerfile"):
        assert "\nUSER 1000\n" in (ROOT / file).read_text()


def test_the_dockerfile_reads_what_it_copied() -> None:
    """`COPY docker/requirements.txt ./` leaves no folder docker in the image."""
    text = (ROOT / "Dockerfile").read_text()
    assert "COPY docker/requirements.txt ./\n" in text
    assert "-r requirements.txt\n" in text
    for source in re.findall(r"^COPY (.+) \S+$", text, re.M):
        for name in source.split():
            assert (ROOT / name).exists(), name


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
    empty = {path.name for path in folder.iterdir() if not path.stat().st_size}
    assert empty == {
        *("ebbtide_smtp_password", "ebbtide_oidc_client_secret", "tls_certificate", "tls_key"),
    }
    texts = [path.read_text() for path in folder.iterdir() if path.name not in empty]
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
