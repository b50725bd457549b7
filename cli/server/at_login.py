"""``ebbtide start --at-login`` and ``--no-at-login``: install and remove the service that starts
Ebbtide when one signs in to the computer.
"""

from __future__ import annotations

import logging
import logging.config
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from cli.language import _
from cli.server.login_services import (
    Run,
    Service,
    launchd_service,
    run_command,
    systemd_service,
    validate_command,
    windows_service,
)
from ebbtide._files import make_private, make_private_folder
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings

_MAX_LOG_BYTES, _LOG_FILES = 1_000_000, 2
_LOG_TAIL_BYTES = 200_000
_UV_CACHES = {"archive-v0", "environments-v2", "builds-v0"}  # folders of uv's cache
_TEMPORARY = Path(tempfile.gettempdir()).resolve()
_STARTED = "ebbtide.start: it answers"  # of cli.server.start
# As cli.server.serve.log_config writes a line; or a JSON object, with EBBTIDE_LOG_FORMAT=json.
_ERROR_LINE = re.compile(r"^(\S+) (?:ERROR|CRITICAL) (\S+): (.*)$")
# Carried by the command, or of no meaning for `start`.
_CARRIED = {"EBBTIDE_DATA_DIR", "EBBTIDE_API_HOST", "EBBTIDE_API_PORT"}


def install(
    settings: Settings,
    host: str | None,
    port: int,
    *,
    is_home: bool = False,
    run: Run = run_command,
) -> None:
    """Install the service and start it, unless an Ebbtide runs already. Says what it did and how
    to undo it. Raises EbbtideError where the system runs no such service.
    """
    command = service_command(settings, host, port, is_home=is_home)
    service = find_service(command, settings)
    _require_answer(service, run)
    is_same = _read(service.path) == service.content
    if not is_same:
        _write(service)
    for words in service.enabling:
        _require_done(run(words), words)
    typer.echo(
        _(
            "Ebbtide already starts by itself when you sign in to this computer, without opening a "
            "browser."
        )
        if is_same
        else _(
            "Ebbtide now starts by itself when you sign in to this computer, without opening a "
            "browser."
        )
    )
    typer.echo(_("  It runs      {command}").format(command=subprocess.list2cmdline(command)))
    typer.echo(_("  Set up in    {path}").format(path=service.path))
    typer.echo(
        _("  Its log      {path}  (ebbtide doctor reads it)").format(path=log_file(settings))
    )
    if _is_running(settings):
        typer.echo(_("An Ebbtide runs already, and stays: it starts by itself from next time on."))
    else:
        with_old = service.starting[0] == "launchctl" and not is_same
        if with_old:  # the description of before may be loaded
            run(service.disabling[0])
        done = run(service.starting)
        if done.returncode and not is_same:
            raise EbbtideError(
                f"It is set up, but could not be started now: {_said(done)}.",
                "ebbtide doctor says why; at the next sign-in it is tried again.",
            )
        typer.echo(
            _("It starts now. Open it with: {command}").format(
                command=f"ebbtide start{_port_words(port)}"
            )
        )
    for note in (service.note and _(service.note), _where_it_stays(), _not_carried()):
        if note:
            typer.echo(note)
    typer.echo(_("To undo this: ebbtide start --no-at-login"))


def remove(settings: Settings, *, run: Run = run_command) -> None:
    """Remove the service, and end what it runs. Says what it did."""
    service = find_service([sys.executable], settings)
    if not service.path.exists():
        typer.echo(_("Nothing to undo: Ebbtide does not start by itself."))
        return
    _require_answer(service, run)
    for words in service.disabling:
        run(words)  # it may be disabled or ended already
    service.path.unlink(missing_ok=True)
    for words in service.after_removal:
        run(words)
    typer.echo(_("Ebbtide no longer starts by itself, and the one that did has ended."))
    typer.echo(_("  Removed      {path}").format(path=service.path))
    typer.echo(_("Your data are where they were. To have it back: ebbtide start --at-login"))


def is_installed(settings: Settings) -> bool:
    """Whether the service of this user is set up."""
    try:
        return find_service([sys.executable], settings).path.exists()
    except (EbbtideError, OSError, RuntimeError):
        return False


def service_command(
    settings: Settings, host: str | None, port: int, *, is_home: bool = False
) -> list[str]:
    """Return the exact command of the service: this interpreter, with absolute paths.

    ``-P``: without it the folder that a service begins in, the home folder, would be searched for
    modules first, and a folder there that is named ``store`` would be taken for ours. Raises
    EbbtideError where this program will not be there for long.
    """
    _require_lasting(Path(sys.prefix))
    interpreter = Path(sys.executable)
    if sys.platform == "win32" and interpreter.with_name("pythonw.exe").exists():
        interpreter = interpreter.with_name("pythonw.exe")  # opens no window
    command = [str(interpreter.absolute()), "-P", "-m", "ebbtide", "start", "--service"]
    command += ["--data-dir", str(settings.data_dir.absolute()), "--port", str(port)]
    if host is not None:
        command += ["--host", host]
    if is_home:
        command.append("--home")
    validate_command(command)
    return command


def find_service(command: Sequence[str], settings: Settings) -> Service:
    """Describe the service of this system."""
    home = Path.home()
    if sys.platform == "darwin":
        return launchd_service(command, home, os.getuid())
    if sys.platform == "win32":
        domain, user = os.environ.get("USERDOMAIN", ""), os.environ.get("USERNAME", "")
        return windows_service(command, settings.data_dir, f"{domain}\\{user}".strip("\\"))
    return systemd_service(command, home)


def log_file(settings: Settings) -> Path:
    """Return the file that the service logs to; older lines are in files named .1 and .2."""
    return settings.data_dir / "start.log"


def log_to_file(settings: Settings, config: dict[str, Any]) -> None:
    """Add the file to a configuration of logging, 3 MB of it at most, and use that from now on.
    Raises EbbtideError where the file cannot be written.
    """
    path = log_file(settings)
    config["formatters"]["file"] = {
        "()": "cli.server.log_format.UtcFormatter",
        "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s",
    }
    config["handlers"]["file"] = {
        "class": "logging.handlers.RotatingFileHandler",
        "filename": str(path),
        "maxBytes": _MAX_LOG_BYTES,
        "backupCount": _LOG_FILES,
        "encoding": "utf-8",
        "formatter": "file",
    }
    config["root"]["handlers"] = [*config["root"]["handlers"], "file"]
    config["loggers"]["ebbtide.start"] = {"level": "INFO"}
    try:
        make_private(path)
        logging.config.dictConfig(config)
    except (OSError, ValueError) as error:
        raise EbbtideError(
            f"{path} cannot be written: {error}.",
            "Let this user write there, or set EBBTIDE_DATA_DIR to another folder.",
        ) from error


def last_error(settings: Settings) -> tuple[str, str] | None:
    """Find the last error in the log since it began last: when, and what; None where there is
    none.
    """
    for line in reversed(_read_log(settings)):
        if line.endswith(_STARTED):
            return None
        found = _ERROR_LINE.match(line)
        if found:
            return found[1], found[3]
    return None


def count_errors(settings: Settings) -> dict[str, int]:
    """Count the errors in the end of the log by the part of Ebbtide that logged them."""
    found = (_ERROR_LINE.match(line) for line in _read_log(settings))
    names = (match[2] for match in found if match)
    return dict(Counter(name for name in names if re.fullmatch(r"(ebbtide|uvicorn)[a-z._]*", name)))


def _read_log(settings: Settings) -> list[str]:
    path = log_file(settings)
    lines: list[str] = []
    for file in (path.with_name(path.name + ".1"), path):
        with suppress(OSError), file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - _LOG_TAIL_BYTES))
            lines += opened.read().decode(errors="replace").splitlines()
    return lines


def _require_lasting(prefix: Path) -> None:
    """Raise EbbtideError where this program is in a folder that is emptied now and then."""
    cache = os.environ.get("UV_CACHE_DIR")
    in_cache = bool(_UV_CACHES & set(prefix.parts)) or (
        cache is not None and prefix.is_relative_to(Path(cache).absolute())
    )
    if in_cache or prefix.is_relative_to(_TEMPORARY):
        raise EbbtideError(
            f"This Ebbtide runs from a folder that does not last: {prefix}.",
            "Install it first (uv tool install, from where this one came), then: ebbtide start "
            "--at-login",
        )


def _where_it_stays() -> str:
    """Say so where the program is in the environment of a project's folder (``uv run``)."""
    prefix = Path(sys.prefix)
    if prefix.name.startswith(".venv"):
        return _(
            "It runs from {prefix}: if you move or delete that folder, do this again from where "
            "Ebbtide is then."
        ).format(prefix=prefix)
    return ""


def _not_carried() -> str:
    """Name the settings of this terminal that the service will not have. Their values may be
    secrets, which belong into no file that describes a service.
    """
    names = sorted(name for name in os.environ if name.startswith("EBBTIDE_"))
    names = [name for name in names if name not in _CARRIED]
    if not names:
        return ""
    return _(
        "These settings are of this terminal alone, and it starts without them: {names}. "
        "docs/operating/at-home.md says where to put them."
    ).format(names=", ".join(names))


def _require_answer(service: Service, run: Run) -> None:
    if run(service.before).returncode:
        what, _colon, remedy = service.why_not.partition(": ")
        raise EbbtideError(f"{what}.", remedy[:1].upper() + remedy[1:])


def _require_done(done: subprocess.CompletedProcess[str], words: Sequence[str]) -> None:
    if done.returncode:
        raise EbbtideError(
            f"{' '.join(words)} failed: {_said(done)}.", "Undo: ebbtide start --no-at-login"
        )


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1].rstrip(".") if lines else f"it ended with {done.returncode}"


def _write(service: Service) -> None:
    try:
        make_private_folder(service.path.parent)
        service.path.write_bytes(service.content)
    except OSError as error:
        raise EbbtideError(
            f"{service.path} cannot be written: {error.strerror or error}.",
            "Let this user write there.",
        ) from error


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is_running(settings: Settings) -> bool:
    """Whether the Ebbtide that wrote start.json answers."""
    from cli.server.running import is_running

    return is_running(settings)


def _port_words(port: int) -> str:
    default = Settings.model_fields["api_port"].default
    return "" if port == default else f" --port {port}"
