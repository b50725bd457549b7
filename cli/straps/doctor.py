"""``ebbtide doctor``: check Bluetooth, disk, outbox, servers and clock."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.language import _, say_result, say_words
from cli.options import Json
from cli.straps.bluetooth_checks import check_bluetooth, check_intervals
from cli.straps.check import Check, Finding
from ebbtide._files import make_private_folder
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from cli.credentials import Credentials
    from ebbtide.settings import Settings
    from ingest.outbox.outbox import Outbox

_MIN_FREE_BYTES = 200_000_000  # a strap fills some 20 MB a week while the server is unavailable
_MAX_FLUSH_S = 0.050
_MAX_CLOCK_OFFSET_S = 2.0
_MIN_AUTHORITY_DAYS = 60


def doctor(
    as_json: Json = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Print a report without anything of a person, to pass on."),
    ] = False,
) -> None:
    """Look at Bluetooth, disk, clock and server: what is wrong, and how to mend it."""
    from ebbtide.settings import Settings

    settings = Settings()
    checks = list_checks(settings)
    if report:
        from cli.straps.doctor_report import make_report

        typer.echo(json.dumps(make_report(settings, checks), indent=2))
    elif as_json:
        typer.echo(json.dumps([asdict(check) for check in checks]))
    else:
        mark = {Finding.OK: _("ok"), Finding.WARNING: _("look"), Finding.ERROR: _("MEND")}
        width = max(map(len, mark.values()))
        for check in checks:
            about, what = say_result(check.about), say_words(say_result(check.what))
            typer.echo(f"{mark[check.finding].ljust(width)}  {about}: {what}")
            if check.remedy:
                typer.echo(f"{' ' * width}  {say_words(say_result(check.remedy))}")
    if any(check.finding is Finding.ERROR for check in checks):
        raise typer.Exit(1)


def list_checks(settings: Settings) -> list[Check]:
    """Run all checks; some seconds, since one listens for straps."""
    return list(_checks(settings))


def _checks(settings: Settings) -> Iterator[Check]:
    yield from check_bluetooth()
    yield from check_intervals(settings)
    yield _disk(settings)
    yield from _outbox(settings)
    yield from _servers(settings)
    yield from _outbox_and_store(settings)
    yield from _beat_servers(settings)
    yield from _at_login(settings)
    yield from _home_authority(settings)
    yield _clock()


def _disk(settings: Settings) -> Check:
    folder = settings.data_dir
    try:
        make_private_folder(folder)
        free = shutil.disk_usage(folder).free
        flush = _flush_seconds(folder)
    except OSError as error:
        return Check(
            "Disk",
            Finding.ERROR,
            f"{folder} cannot be written: {error.strerror or error}",
            "Check who owns it, or set EBBTIDE_DATA_DIR to another folder.",
        )
    what = f"{free / 1e9:.1f} GB free in {folder}, a flush takes {flush * 1000:.1f} ms"
    facts = {"free_gb": round(free / 1e9, 1), "flush_ms": round(flush * 1000, 1)}
    if free < _MIN_FREE_BYTES:
        remedy = "Make room: recording stops when it is full."
        return Check("Disk", Finding.ERROR, what, remedy, facts)
    if flush > _MAX_FLUSH_S:
        return Check(
            "Disk",
            Finding.WARNING,
            what,
            "Each beat is flushed to the disk. A slow SD card still keeps up with some straps.",
            facts,
        )
    return Check("Disk", Finding.OK, what, facts=facts)


def _flush_seconds(folder: Path) -> float:
    """Measure the median time of a write with fsync."""
    import statistics

    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(9):
            began = time.perf_counter()
            file.write(b"beat")
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def _outbox(settings: Settings) -> Iterator[Check]:
    from ebbtide import timestamps
    from ingest.outbox.outbox import Outbox

    if not settings.outbox_file.exists():
        yield Check("Outbox", Finding.OK, "empty: nothing was recorded yet")
        return
    try:
        with Outbox(settings.outbox_file) as outbox:
            damage = outbox.check()
            states = outbox.states()
    except EbbtideError as error:
        yield Check("Outbox", Finding.ERROR, error.what, error.remedy)
        return
    if damage:
        yield Check(
            "Outbox",
            Finding.ERROR,
            f"{settings.outbox_file} is damaged: {damage[0]}",
            "Move it aside; sqlite3 FILE .recover saves what can be saved.",
        )
        return
    waiting = sum(state.beats_waiting for state in states)
    late = [
        state
        for state in states
        if state.beats_waiting
        and state.last_beat_ns is not None
        and timestamps.now_ns() - state.last_beat_ns > timestamps.DAY
    ]
    if late:
        yield Check(
            "Outbox",
            Finding.WARNING,
            f"{waiting} beats wait for upload, some for more than a day",
            "Check the server and the sign-in below; ebbtide record uploads.",
        )
    else:
        yield Check("Outbox", Finding.OK, f"whole; {waiting} beats wait for upload")


def _servers(settings: Settings) -> Iterator[Check]:
    import asyncio

    from cli.credentials import CredentialFile

    stored = CredentialFile(settings.sign_ins_file).all()
    if not stored:
        yield Check(
            "Sign-in", Finding.WARNING, "nobody is signed in here", "ebbtide sign-in YOUR-ADDRESS"
        )
    for item in stored:
        yield asyncio.run(_server(item.email, item.api_url, item.token))


async def _server(email: str, url: str, token: str) -> Check:
    from ingest.outbox.api_client import IngestClient, RefusedError

    about = f"Server {url} for {email}"
    try:
        async with IngestClient(url, token, timeout=10) as client:
            offset = await client.clock_offset_s()
            await client.account()
            await client.stored_streams()
    except RefusedError as error:
        return Check(about, Finding.ERROR, error.what, f"ebbtide sign-in {email}")
    except EbbtideError as error:
        return Check(about, Finding.ERROR, error.what, error.remedy)
    if abs(offset) > _MAX_CLOCK_OFFSET_S:
        return Check(
            about,
            Finding.ERROR,
            f"answers, but this machine's clock is {abs(offset):.0f} s "
            + ("ahead" if offset > 0 else "behind"),
            "Let the clock be set by network time: sudo timedatectl set-ntp true",
            {"clock_offset_s": round(offset, 1)},
        )
    if client.keeping not in (None, "agreed"):
        return Check(
            about,
            Finding.WARNING,
            "takes nothing new: it waits for consent to keeping",
            "Agree on the page Consents. What is recorded stays here, and goes up by itself then.",
        )
    return Check(about, Finding.OK, "answers, and the clocks agree")


def _beat_servers(settings: Settings) -> Iterator[Check]:
    """Ask each InfluxDB server that the settings name."""
    if settings.influxdb_url is None:
        return
    from store.factory import check_influx_server

    for name in settings.influxdb_servers:
        about = f"InfluxDB server {name}"
        try:
            check_influx_server(settings, name)
        except ImportError:
            what = "the client of InfluxDB is not installed"
            remedy = "In the source folder: uv sync --extra clinic"
            yield Check(about, Finding.ERROR, what, remedy)
        except EbbtideError as error:
            yield Check(about, Finding.ERROR, error.what, error.remedy)
        else:
            yield Check(about, Finding.OK, "answers")


def _outbox_and_store(settings: Settings) -> Iterator[Check]:
    """Compare what the outbox says was acknowledged with what each store has, stream by stream."""
    import asyncio

    from cli.credentials import CredentialFile
    from ingest.outbox.outbox import Outbox

    if not settings.outbox_file.exists():
        return
    with suppress(EbbtideError), Outbox(settings.outbox_file) as outbox:
        for item in CredentialFile(settings.sign_ins_file).all():
            check = asyncio.run(_compare(outbox, item))
            if check is not None:
                yield check


async def _compare(outbox: Outbox, owner: Credentials) -> Check | None:
    from ingest.outbox.api_client import ErasedError, IngestClient

    about = f"Outbox and store of {owner.email}"
    try:
        async with IngestClient(owner.api_url, owner.token, timeout=10) as client:
            stored = await client.stored_streams()
    except ErasedError as error:
        outbox.comparison.erase(owner.account)
        return Check(about, Finding.WARNING, error.what, "What this machine held is deleted.")
    except EbbtideError:
        return None  # the check of the server says so
    states = [state for state in outbox.states() if state.account == owner.account]
    here = there = lost = 0
    missing = []
    for state in states:
        found = stored.get(state.stream.id)
        beats = 0 if found is None else found.beats
        sent = state.beats_acknowledged - state.beats_lost
        here, there, lost = here + sent, there + beats, lost + state.beats_lost
        if beats < sent:
            missing.append(f"{state.stream.source}: {sent - beats}")
    if missing:
        return Check(
            about,
            Finding.ERROR,
            f"the server has acknowledged {here} beats and has {there} of them ({missing[0]} "
            "are missing)",
            "It was set back. ebbtide record, or import of any file, sends them again.",
        )
    if lost:
        return Check(
            about,
            Finding.WARNING,
            f"{lost} beats were lost when the server was set back to an old backup",
            "Recordings of files can be imported again; those of straps have a gap there.",
        )
    return Check(about, Finding.OK, f"{there} beats acknowledged, and {there} stored")


def _at_login(settings: Settings) -> Iterator[Check]:
    """Check the service that starts Ebbtide at sign-in, where there is one: its last error."""
    from cli.server.at_login import is_installed, last_error, log_file

    if not is_installed(settings):
        return
    error = last_error(settings)
    if error is None:
        what = f"set up; its log, {log_file(settings)}, has no error since it began"
        yield Check("Start at sign-in", Finding.OK, what)
        return
    yield Check(
        "Start at sign-in",
        Finding.ERROR,
        f"its last error, at {error[0]}: {error[1]}",
        f"The whole log: {log_file(settings)}. Once that is mended: ebbtide start --at-login",
    )


def _home_authority(settings: Settings) -> Iterator[Check]:
    """Check what phones trust (``ebbtide start --https``), where there is one."""
    from cli.server.home_authority import FILE, HomeAuthority

    path = settings.data_dir / FILE
    if not path.exists():
        return
    about = "Phones with encryption"
    try:
        authority = HomeAuthority.open(settings.data_dir)
    except EbbtideError as error:
        yield Check(about, Finding.ERROR, error.what, error.remedy)
        return
    if os.name == "posix" and path.stat().st_mode & 0o077:
        yield Check(
            about,
            Finding.ERROR,
            "other users of this computer can read the key that phones trust",
            f"chmod 600 {path}, or delete it: then phones trust a new one.",
        )
    elif authority.days_left < _MIN_AUTHORITY_DAYS:
        yield Check(
            about,
            Finding.WARNING,
            f"what phones trust ends in {authority.days_left} days",
            f"Delete {path}, start Ebbtide again, and let phones trust the new one.",
        )
    else:
        yield Check(about, Finding.OK, f"phones can trust it for {authority.days_left} days")


def _clock() -> Check:
    """Check that the system's clock is synchronised; the times of beats come from it."""
    from ebbtide import timestamps

    earliest = timestamps.EARLIEST + 25 * 365 * timestamps.DAY
    if not earliest < timestamps.now_ns() < timestamps.LATEST:
        return Check("Clock", Finding.ERROR, "it shows a year that cannot be", "Set the clock.")
    if sys.platform == "linux":
        synchronised = Path("/run/systemd/timesync/synchronized").exists()
        if not synchronised and not _is_ntp_running():
            return Check(
                "Clock",
                Finding.WARNING,
                "nothing seems to set it by network time",
                "sudo timedatectl set-ntp true (or chrony, or ntpd)",
            )
    return Check("Clock", Finding.OK, f"set by network time ({platform.system()})")


def _is_ntp_running() -> bool:
    names = {"chronyd", "ntpd", "systemd-timesyn", "systemd-timesyncd"}
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            if comm.read_text().strip() in names:
                return True
        except OSError:
            continue
    return False
