"""``ebbtide start --at-login``: what it writes, what it runs, and the exact command."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from cli.server import at_login
from cli.server.at_login import (
    count_errors,
    install,
    last_error,
    log_file,
    remove,
    service_command,
)
from cli.server.login_services import (
    launchd_service,
    systemd_service,
    systemd_unit,
    validate_command,
    windows_service,
    windows_task,
)
from cli.straps.check import Finding
from cli.straps.doctor import list_checks
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from tests.conftest import skip_or_fail
from tests.support.command_line import run_ebbtide
from tests.support.ports import free_port

ODD = 'ada\'s 100% "home" $HOME %h \\n folder'
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


class System:
    """The commands of a system, written down; some of them fail."""

    def __init__(self, *failing: str) -> None:
        self.ran: list[str] = []
        self._failing = failing

    def __call__(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        words = " ".join(command)
        self.ran.append(words)
        failed = any(part in words for part in self._failing)
        return subprocess.CompletedProcess(list(command), int(failed), "", "it said no\n")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    # Pytest's folders are below /tmp, and so would be a checkout that is tried there.
    monkeypatch.setattr(at_login, "_TEMPORARY", tmp_path / "tmp")
    return tmp_path / "home"


def unit_in(home: Path) -> Path:
    return home / ".config" / "systemd" / "user" / "ebbtide.service"


@linux_only
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not here: apt install systemd")
    folder = tmp_path / "100% $HOME %h äö"
    folder.mkdir(parents=True)
    program = folder / "python"
    program.symlink_to(sys.executable)
    command = [str(program), "-P", "-m", "ebbtide", "start", "--data-dir", ODD]
    for words, is_right in ((command, True), ([str(folder / "nothing"), *command[1:]], False)):
        unit = tmp_path / "ebbtide.service"
        unit.write_text(systemd_unit(words))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--user", "--man=no", str(unit)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        )
        said = [line for line in done.stderr.splitlines() if "ebbtide.service" in line]
        assert (said == []) is is_right, done.stderr


@linux_only
def test_the_exact_command_of_the_unit_answers_and_logs(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder is a home in which a folder is named as a module of ours is."""
    settings, port = Settings(data_dir=tmp_path / "my data 100%"), free_port()
    install(settings, None, port, run=System())
    line = next(x for x in unit_in(home).read_text().splitlines() if x.startswith("ExecStart="))
    assert line.startswith('ExecStart=:"/')
    # As systemd unquotes it (systemd.service(5)): specifiers first, no variables after ":".
    command = shlex.split(line.removeprefix("ExecStart=:").replace("%%", "%"))
    (home / "store").mkdir()
    (home / "store" / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EBBTIDE_")}
    process = subprocess.Popen(
        command,
        cwd=home,
        env={**environment, "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 90
        log = log_file(settings)
        while not log.exists() or "it answers" not in log.read_text():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert httpx.get(f"http://127.0.0.1:{port}/v1/health").status_code == 200
    finally:
        process.terminate()
        output = process.communicate(timeout=30)[0]
    assert process.returncode == 0, output
    assert "Open  " not in output  # nobody reads it, and the journal stays
    assert "Ended. Nothing runs any more." in output
    assert log.read_text().splitlines()[-1].endswith("it ended in order")
    assert log.stat().st_mode & 0o077 == 0
    assert last_error(settings) is None


@linux_only
def test_a_failure_is_in_the_log_and_doctor_reads_it(
    tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    assert not any(check.key == "Start at sign-in" for check in list_checks(settings))
    install(settings, None, 8420, run=System())
    environment = {"EBBTIDE_DATA_DIR": str(settings.data_dir)}
    done = run_ebbtide("start", "--service", "--host", "192.0.2.1", environment=environment)
    assert done.returncode == 1
    found = last_error(settings)
    assert found is not None
    assert "Port 8420 cannot be used" in found[1]
    assert count_errors(settings) == {"ebbtide.start": 1}
    (check,) = [check for check in list_checks(settings) if check.key == "Start at sign-in"]
    assert check.finding is Finding.ERROR
    assert found[1] in check.what
    assert str(log_file(settings)) in check.remedy


@linux_only
def test_installing_twice_and_removing_twice_say_what_was_done(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, system = Settings(data_dir=tmp_path / "data"), System()
    install(settings, None, 8430, run=system)
    first = capsys.readouterr().out
    assert "now starts by itself" in first
    assert str(unit_in(home)) in first
    assert "ebbtide start --port 8430" in first
    assert "ebbtide start --no-at-login" in first
    assert "loginctl enable-linger" in first
    assert not any("linger" in words for words in system.ran)
    before = unit_in(home).read_bytes()
    install(settings, None, 8430, run=system)
    assert "already starts by itself" in capsys.readouterr().out
    assert unit_in(home).read_bytes() == before
    remove(settings, run=system)
    assert "no longer starts" in capsys.readouterr().out
    assert not unit_in(home).exists()
    assert system.ran[-2:] == [
        "systemctl --user disable --now ebbtide.service",
        "systemctl --user daemon-reload",
    ]
    remove(settings, run=system)
    assert "Nothing to undo" in capsys.readouterr().out


@linux_only
def test_without_a_bus_of_the_user_nothing_is_written(tmp_path: Path, home: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with pytest.raises(EbbtideError, match="Sign in on the computer itself"):
        install(settings, None, 8420, run=System("show-environment"))
    assert not unit_in(home).exists()


@linux_only
def test_without_systemctl_it_says_what_to_do_instead(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    environment = {
        "HOME": str(tmp_path),
        "PATH": "/nothing",
        "EBBTIDE_DATA_DIR": str(tmp_path / "d"),
        "TMPDIR": str(tmp_path / "temporary"),  # a checkout below /tmp would be refused before
    }
    done = run_ebbtide("start", "--at-login", environment=environment)
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert said.startswith("ebbtide: systemd does not answer for this user.")
    assert "-m ebbtide start --service" in said
    assert "Traceback" not in done.stderr


def test_settings_of_the_terminal_are_named_and_not_their_values(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.platform != "linux":
        pytest.skip("the home folder is set for Linux")
    monkeypatch.setenv("EBBTIDE_SMTP_PASSWORD", "sesame-zq7")
    install(Settings(data_dir=tmp_path / "data"), None, 8420, run=System())
    said = capsys.readouterr().out
    assert "EBBTIDE_SMTP_PASSWORD" in said
    assert "sesame-zq7" not in said
    assert "sesame-zq7" not in unit_in(home).read_text()


@pytest.mark.parametrize("place", ["archive-v0/Ab3/", "environments-v2/ebbtide-9f/"])
def test_from_a_cache_of_uv_it_is_refused(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(sys, "prefix", f"/home/ada/.cache/uv/{place}")
    with pytest.raises(EbbtideError, match="uv tool install"):
        service_command(Settings(data_dir=tmp_path), None, 8420)


@pytest.mark.parametrize("word", ["a\nb", "a\x00b", "a\x1bb"])
def test_control_characters_in_a_path_are_refused(word: str) -> None:
    with pytest.raises(EbbtideError, match="control character"):
        validate_command(["/bin/true", word])


def test_launchd_gets_the_words_as_they_are(tmp_path: Path) -> None:
    command = ["/opt/py thon", "-P", "--data-dir", ODD]
    service = launchd_service(command, tmp_path, 501)
    read = plistlib.loads(service.content)
    assert read["ProgramArguments"] == command
    assert read["RunAtLoad"] is True
    assert read["KeepAlive"] == {"SuccessfulExit": False}
    assert service.path == tmp_path / "Library" / "LaunchAgents" / "app.ebbtide.start.plist"
    assert service.starting == ("launchctl", "bootstrap", "gui/501", str(service.path))
    assert service.disabling == (("launchctl", "bootout", "gui/501/app.ebbtide.start"),)


def test_windows_gets_a_task_of_this_user_alone(tmp_path: Path) -> None:
    command = ["C:\\Program Files\\py\\pythonw.exe", "-P", "--data-dir", 'C:\\a "b" & <c>\\']
    service = windows_service(command, tmp_path, "HOME\\ada")
    assert service.content.startswith(b"\xff\xfe")  # schtasks reads UTF-16
    root = ET.fromstring(service.content.decode("utf-16").split("\n", 1)[1])
    texts = {element.tag.partition("}")[2]: element.text for element in root.iter()}
    assert root.tag == "{http://schemas.microsoft.com/windows/2004/02/mit/task}Task"
    assert texts["Command"] == command[0]
    assert texts["Arguments"] == subprocess.list2cmdline(command[1:])
    assert (texts["UserId"], texts["LogonType"]) == ("HOME\\ada", "InteractiveToken")
    assert texts["ExecutionTimeLimit"] == "PT0S"
    assert texts["StopIfGoingOnBatteries"] == "false"
    # In the order of the schema: the task scheduler refuses another.
    order = [element.tag.partition("}")[2] for element in root]
    assert order == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    assert service.enabling[0][:4] == ("schtasks", "/Create", "/TN", "Ebbtide")


@pytest.mark.parametrize("word", ["C:\\100%x%", "C:\\$(Arg0)"])
def test_what_the_task_scheduler_would_replace_is_refused(word: str) -> None:
    with pytest.raises(EbbtideError, match="task scheduler"):
        windows_task([word], "ada")


def test_systemd_replaces_nothing_in_the_words() -> None:
    unit = systemd_unit(["/a b/py%th", ODD])
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    assert line.startswith('ExecStart=:"/a b/py%%th" "')
    assert shlex.split(line.removeprefix("ExecStart=:").replace("%%", "%")) == ["/a b/py%th", ODD]


@pytest.mark.parametrize("mark", ['"', "'", "\\"])
def test_a_program_that_systemd_would_not_start_is_refused(mark: str) -> None:
    with pytest.raises(EbbtideError, match="quote or a backslash"):
        systemd_unit([f"/home/a{mark}b/python"])


def test_the_unit_is_where_systemd_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    expected = tmp_path / "config" / "systemd" / "user" / "ebbtide.service"
    assert systemd_service(["/bin/true"], tmp_path).path == expected
