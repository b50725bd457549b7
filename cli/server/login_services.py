"""The service that starts Ebbtide when one signs in to the computer, as each system describes it:
a unit of systemd, a property list of launchd, a task of Windows' task scheduler.
"""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ebbtide.errors import EbbtideError
from ebbtide.i18n import N_

UNIT = "ebbtide.service"
LABEL = "app.ebbtide.start"  # launchd
TASK = "Ebbtide"  # Windows
_TASK_SCHEMA = "http://schemas.microsoft.com/windows/2004/02/mit/task"
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True)
class Service:
    """A file that describes the service, and the commands around it. ``starting`` starts it now."""

    path: Path
    content: bytes
    before: tuple[str, ...]  # fails where the system runs no such service for this user
    why_not: str
    enabling: tuple[tuple[str, ...], ...]
    starting: tuple[str, ...]
    disabling: tuple[tuple[str, ...], ...]
    after_removal: tuple[tuple[str, ...], ...] = ()
    note: str = ""


def run_command(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the system and capture what it says; 127 where there is none."""
    try:
        return subprocess.run(
            list(command), capture_output=True, text=True, check=False, timeout=60
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(list(command), 127, "", f"{command[0]} is not here")


def systemd_service(command: Sequence[str], home: Path) -> Service:
    """Describe the user unit of systemd."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    systemctl = ("systemctl", "--user")
    return Service(
        path=base / "systemd" / "user" / UNIT,
        content=systemd_unit(command).encode(),
        before=(*systemctl, "show-environment"),
        why_not="systemd does not answer for this user: sign in on the computer itself (not by su "
        "or sudo) and try again; without systemd, add this to what your desktop starts at sign-in: "
        + subprocess.list2cmdline(command),
        enabling=((*systemctl, "daemon-reload"), (*systemctl, "enable", UNIT)),
        starting=(*systemctl, "restart", UNIT),
        disabling=((*systemctl, "disable", "--now", UNIT),),
        after_removal=((*systemctl, "daemon-reload"),),
        note=N_(
            "It runs while you are signed in. To have it run from the start of the computer on: "
            "loginctl enable-linger"
        ),
    )


def systemd_unit(command: Sequence[str]) -> str:
    """Write the unit. ``:`` before the command keeps systemd from replacing ``$`` (systemd 244).
    Raises EbbtideError for a program's path that systemd refuses.
    """
    if re.search(r"[\"'\\]", command[0]):
        raise EbbtideError(
            f"systemd starts nothing from {command[0]}: its path has a quote or a backslash.",
            "Move that folder to another name.",
        )
    line = " ".join(_quote_for_systemd(word) for word in command)
    return f"""# Written by: ebbtide start --at-login. Removed by: ebbtide start --no-at-login
[Unit]
Description=Ebbtide: heartbeats beside ratings
# After five failures in ten minutes it stays off, and ebbtide doctor says so.
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
ExecStart=:{line}
Restart=on-failure
RestartSec=10
KillMode=mixed
TimeoutStopSec=30
UMask=0077

[Install]
WantedBy=default.target
"""


def _quote_for_systemd(word: str) -> str:
    """Quote one word (systemd.service(5), command lines): % begins a specifier, \\ an escape."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def launchd_service(command: Sequence[str], home: Path, user_id: int) -> Service:
    """Describe the agent of launchd."""
    domain = f"gui/{user_id}"
    path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    return Service(
        path=path,
        content=launchd_plist(command),
        before=("launchctl", "print", domain),
        why_not="launchd does not answer for this user: sign in on the computer itself and try "
        "again.",
        enabling=(("launchctl", "enable", f"{domain}/{LABEL}"),),
        starting=("launchctl", "bootstrap", domain, str(path)),
        disabling=(("launchctl", "bootout", f"{domain}/{LABEL}"),),
        note=N_(
            "If macOS asks whether it may use Bluetooth, allow it: without, nothing is recorded."
        ),
    )


def launchd_plist(command: Sequence[str]) -> bytes:
    """Write the property list: started at sign-in, and again where it fails."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "Umask": 0o077,
        }
    )


def windows_service(command: Sequence[str], data_dir: Path, user: str) -> Service:
    """Describe the task of Windows' task scheduler."""
    path = data_dir / "at-login.xml"
    return Service(
        path=path,
        content=windows_task(command, user),
        before=("schtasks", "/Query"),
        why_not="The task scheduler does not answer: start the service 'Task Scheduler' and try "
        "again.",
        enabling=(("schtasks", "/Create", "/TN", TASK, "/XML", str(path), "/F"),),
        starting=("schtasks", "/Run", "/TN", TASK),
        disabling=(("schtasks", "/End", "/TN", TASK), ("schtasks", "/Delete", "/TN", TASK, "/F")),
    )


def windows_task(command: Sequence[str], user: str) -> bytes:
    """Write the task: at sign-in of this user, on battery too, without an end, again where it
    fails. Raises EbbtideError where the task scheduler would read the command otherwise.
    """
    for word in command:
        # Both are replaced in an action: %NAME%, and $(Arg0) (schema of the task scheduler).
        if "%" in word or "$(" in word:
            raise EbbtideError(
                f"The task scheduler would read {word} otherwise than it is written.",
                "Install Ebbtide, and keep its data, in folders without % and $( in their names.",
            )
    ET.register_namespace("", _TASK_SCHEMA)
    task = ET.Element(f"{{{_TASK_SCHEMA}}}Task", {"version": "1.2"})
    _add(task, "RegistrationInfo", Description="Starts Ebbtide at sign-in.")
    _add(_add(task, "Triggers"), "LogonTrigger", Enabled="true", UserId=user)
    principal = _add(
        *(_add(task, "Principals"), "Principal"),
        UserId=user,
        LogonType="InteractiveToken",
        RunLevel="LeastPrivilege",
    )
    principal.set("id", "Author")
    settings = _add(
        *(task, "Settings"),
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        StartWhenAvailable="true",
    )
    _add(settings, "RestartOnFailure", Interval="PT1M", Count="5")
    _add(settings, None, ExecutionTimeLimit="PT0S")  # for ever
    actions = _add(task, "Actions")
    actions.set("Context", "Author")
    program, *arguments = command
    _add(actions, "Exec", Command=program, Arguments=subprocess.list2cmdline(arguments))
    ET.indent(task)
    # schtasks reads UTF-16 with a byte order mark.
    text = ET.tostring(task, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{text}\n'.encode("utf-16")


def _add(parent: ET.Element, tag: str | None, **texts: str) -> ET.Element:
    """Add an element with children of these texts; without ``tag``, the children alone."""
    element = parent if tag is None else ET.SubElement(parent, f"{{{_TASK_SCHEMA}}}{tag}")
    for name, text in texts.items():
        ET.SubElement(element, f"{{{_TASK_SCHEMA}}}{name}").text = text
    return element


def validate_command(command: Sequence[str]) -> None:
    """Refuse what no service file can hold: line breaks and other control characters in a path."""
    for word in command:
        if re.search(r"[\x00-\x1f\x7f]", word):
            raise EbbtideError(
                f"The path {word!r} has a control character.", "Move that folder to another name."
            )
