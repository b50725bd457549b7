"""``ebbtide demo``: record, upload, analyse and display on one machine, with a simulated patient.

The simulated strap sends the bytes of a real one; decoder, outbox, upload, API and store are those
of a real recording. All data are in a temporary folder that is removed at the end.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _, say_finding, say_result, say_words
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from cli.demo.clinic import SampleAccounts
    from cli.demo.therapy import SampleTherapy
    from cli.server.thread import ApiThread
    from ebbtide.client import Client
    from ebbtide.settings import Settings
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.batch_writer import BatchWriter

EMAIL = "sample@ebbtide.example"
ZONE = "Europe/Berlin"
_SEED = 2022
_HRV_WINDOW_NS = 300_000_000_000
_BUILT_IN_S = 15 * 60

Runs = Sequence[Sequence[int]]
# Two options until pages and API had one address.
Port = Annotated[
    int,
    typer.Option(
        *("--port", "--api-port", "--dashboard-port"),
        help="0 takes a free one.",
        min=0,
        max=65535,
    ),
]


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings of one strap by ``name``: when each started (UTC nanoseconds), and its runs."""

    name: str
    started: list[tuple[int, Runs]]


@dataclass(frozen=True, slots=True)
class PlayedDemo:
    """A recording to play, and its name."""

    name: str
    runs: Runs


def demo(
    rr: Annotated[
        Path | None,
        typer.Option(
            help="Play this file of RR intervals instead of the built-in recording; - is input."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Do the whole path without serving pages, then end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print one JSON object.")
    ] = False,
    port: Port = 0,
) -> None:
    """Try it all: a simulated strap, a sample clinic, the API and the pages."""
    import asyncio
    import secrets

    from rich.console import Console

    from ebbtide.settings import Settings

    if as_json and not once:
        raise EbbtideError("--json needs --once.", "Use: ebbtide demo --once --json")
    progress_console = Console(stderr=True, highlight=False)
    console = Console(highlight=False, soft_wrap=True)
    played = _load_recording(rr, progress_console)
    finished = False
    with suppress(KeyboardInterrupt), _interrupt_on_sigterm(), ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ebbtide-demo-"))
        settings = Settings(data_dir=Path(folder) / "data")  # the ledger lies beside it
        password = f"tide-{secrets.randbelow(10_000):04}-{secrets.randbelow(10_000):04}"
        if once:
            api = stack.enter_context(_start_api(settings, password, port))
            progress = stack.enter_context(_progress_bars(progress_console))
            result = _fill(settings, api.url, password, played, progress)
            progress.stop()
            if as_json:
                typer.echo(json.dumps(result))
            else:
                _print_summary(console, result)
            finished = True
        else:
            server, accounts = stack.enter_context(_start_clinic(settings, password, port))
            stack.enter_context(_filling(settings, accounts))
            _print_addresses(console, server.url, accounts, password)
            asyncio.run(_play_on(settings, server, accounts, played))
    if not once:
        console.print(_("Ended. Nothing runs any more, and the sample data are removed."))
    elif not finished:
        raise typer.Exit(130)  # 128 + SIGINT, as a shell reports it


@contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a closed terminal, end the demonstration as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress_bars(console: Console) -> Progress:
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

    from cli.progress_display import LateProgress

    return LateProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} / {task.total:.0f}"),
        TimeElapsedColumn(),
        console=console,
    )


def _load_recording(rr_file: Path | None, console: Console) -> PlayedDemo:
    if rr_file is None:
        import numpy as np

        from cli.demo.therapy import generate_rr

        ticks = generate_rr(_BUILT_IN_S, np.random.default_rng(_SEED))
        return PlayedDemo("built-in recording (simulated)", [ticks])
    from ingest.files.rr_text import read_rr_file
    from ingest.files.streams import rereadable, stream_name

    with rereadable(rr_file) as file:
        read = read_rr_file(file)
    rr_file = Path(stream_name(rr_file))
    for problem in read.problems[:10]:
        words = _("{file}, {problem}; left out.")
        console.print(words.format(file=rr_file.name, problem=say_words(problem)), markup=False)
    if len(read.problems) > 10:
        words = _("... and {count} more lines of it left out.")
        console.print(words.format(count=len(read.problems) - 10))
    return PlayedDemo(f"{rr_file.name[:120]} (played by the simulated strap)", read.runs)


@contextmanager
def _start_api(settings: Settings, password: str, port: int) -> Iterator[ApiThread]:
    """Serve the API with the sample patient's account, while entered."""
    from api.app import create_app
    from api.services.accounts import create_account
    from api.services.consent import agree_to_keeping
    from cli.server.thread import ApiThread
    from ebbtide import timestamps
    from store.factory import open_stores

    stores = open_stores(settings)
    person = create_account(
        stores.records,
        email=EMAIL,
        password=password,
        name="Sample patient (simulated)",
        zone=ZONE,
        now_ns=timestamps.now_ns(),
        simulated=True,
    )
    agree_to_keeping(stores, person)
    with ApiThread(create_app(stores), port) as api:
        yield api


@contextmanager
def _start_clinic(
    settings: Settings, password: str, port: int
) -> Iterator[tuple[ApiThread, SampleAccounts]]:
    """Serve API and pages with the sample clinic's accounts at one address, while entered."""
    from api.app import create_app
    from cli.demo.clinic import add_accounts, fill_first
    from cli.demo.roles import RolesPage
    from cli.server.thread import ApiThread
    from dashboard.server import create_pages_app, load_pages, websocket_options
    from store.factory import open_stores

    stores = open_stores(settings)
    accounts = add_accounts(stores, password, stores.now())
    fill_first(stores, accounts, stores.now())
    routes = RolesPage(stores, accounts).routes
    app = create_pages_app(api=create_app(stores), routes=routes)
    server = ApiThread(app, port, websocket_options())
    # The pages read these settings for themselves.
    os.environ["EBBTIDE_API_URL"] = os.environ["EBBTIDE_DASHBOARD_URL"] = server.url
    load_pages()
    with server:
        yield server, accounts


@contextmanager
def _filling(settings: Settings, accounts: SampleAccounts) -> Iterator[None]:
    """Fill the rest of the sample clinic in a process of its own, while entered."""
    import multiprocessing

    from ebbtide.timestamps import now_ns

    # Not forked: this process has open stores and threads.
    context = multiprocessing.get_context("spawn")
    process = context.Process(
        target=_fill_rest, args=(settings.data_dir, accounts, now_ns()), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _fill_rest(data_dir: Path, accounts: SampleAccounts, now_ns: int) -> None:
    from cli.demo.clinic import fill_rest

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: this process's parent ends it
    if hasattr(os, "nice"):
        os.nice(10)  # whoever opens a page comes first
    fill_rest(data_dir, accounts, now_ns)


def _fill(
    settings: Settings, url: str, password: str, played: PlayedDemo, progress: Progress
) -> dict[str, Any]:
    """Send four weeks of therapy and the recording; summarise what the API reports of them."""
    import asyncio

    from cli.demo.therapy import generate_therapy
    from ebbtide.client import Client
    from ingest.recorder import played_until_now
    from ingest.straps.simulated import span_ns

    start_ns = played_until_now(span_ns(played.runs))
    therapy = generate_therapy(start_ns, ZONE, _SEED)
    # Not used as a context manager: the sample patient's data are removed, the token with them.
    api = Client.sign_in(url, EMAIL, password, simulated=True)
    _send_ratings(api, therapy, progress)
    weeks = Recordings("sample patient (simulated)", _weeks(therapy))
    recording = Recordings(played.name, [(start_ns, played.runs)])
    weeks_sent, sent = asyncio.run(_upload(settings, url, password, [weeks, recording], progress))
    return _summarise(api, sent, weeks_sent)


def _weeks(therapy: SampleTherapy) -> list[tuple[int, Runs]]:
    from cli.demo.therapy import recording_start

    return [
        (recording_start(rating), [rating.rr_ticks])
        for rating in therapy.ratings
        if rating.rr_ticks
    ]


def _send_ratings(api: Client, therapy: SampleTherapy, progress: Progress) -> None:
    from ebbtide.timestamps import to_datetime

    task = progress.add_task(_("Ratings"), total=len(therapy.ratings))
    for number, held_ns in enumerate(therapy.sessions_ns, 1):
        api.put_session(number, to_datetime(held_ns))
    for rating in therapy.ratings:
        api.rate(
            {
                "pain": rating.pain,
                "stress": rating.stress,
                "pleasant": rating.pleasant,
                "about": to_datetime(rating.about_ns).isoformat(),
                "zone": ZONE,
            }
        )
        progress.advance(task)


async def _upload(
    settings: Settings,
    url: str,
    password: str,
    groups: Sequence[Recordings],
    progress: Progress,
) -> list[tuple[str, int]]:
    """Record and upload each group: its stream id, and the beats sent."""
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox

    with Outbox(settings.outbox_file) as outbox, BatchWriter(outbox) as writer:
        async with IngestClient(url) as client:
            await client.sign_in(EMAIL, password)
            account = await client.account()
            return [await _send(writer, client, account, group, progress) for group in groups]


async def _send(
    writer: BatchWriter,
    client: IngestClient,
    account: str,
    group: Recordings,
    progress: Progress,
) -> tuple[str, int]:
    """Play recordings through strap, outbox and upload: stream id, beats sent."""
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder
    from ingest.straps.simulated import SimulatedStrap

    beats = sum(len(run) for _, runs in group.started for run in runs)
    task = progress.add_task(_("Beats of {name}").format(name=group.name), total=beats)
    stream_id = ""
    for start_ns, runs in group.started:
        recorder = Recorder(SimulatedStrap(group.name, runs, start_ns), writer, account)
        recording = await recorder.run()
        stream_id = recorder.stream_ids[-1]
        progress.advance(task, recording.beats)
    uploading = progress.add_task(_("Upload"), total=writer.outbox.state(stream_id).waiting)
    uploader = Uploader(
        writer.outbox, client, account, lambda count: progress.advance(uploading, count)
    )
    await uploader.upload_waiting()
    return stream_id, beats


def _summarise(api: Client, sent: tuple[str, int], weeks_sent: tuple[str, int]) -> dict[str, Any]:
    from ebbtide.timestamps import SECOND, to_datetime

    stream, weeks = api.stream(sent[0]), api.stream(weeks_sent[0])
    end = stream["last_beat_ns"] + 1
    begin = max(stream["first_beat_ns"], end - _HRV_WINDOW_NS)
    # Datetimes hold microseconds: the end is rounded up, so that the last beat is inside.
    until = to_datetime(-(-end // 1000) * 1000)
    (window,) = api.hrv_report(to_datetime(begin), until)["windows"]
    report = api.link_report()
    row = report["stress"]
    return {
        "beats_sent": sent[1],
        "beats_stored": stream["beats"],
        "ratings_stored": report["beats_before_ratings"]["ratings"],
        "hrv": {
            "mean_hr_bpm": window["mean_hr_bpm"],
            "rmssd_ms": window["rmssd_ms"],
            "sdnn_ms": window["sdnn_ms"],
            "window_s": round((end - begin) / SECOND, 3),
            "beats": window["beats"],
            "coverage": window["coverage"],
            "removed_share": window["removed_share"],
            "missing": window["missing"],
        },
        "link": {
            "estimate": row["estimate"],
            "interval": None if row["low"] is None else [row["low"], row["high"]],
            "p_value": row["p_value"],
            "n": row["n"],
            "unit": f"points of pain for {row['unit']}",
            "verdict": row["sentence"],
            "simulated": report["simulated"],
        },
        "sample_patient": {
            "simulated": True,
            "beats_sent": weeks_sent[1],
            "beats_stored": weeks["beats"],
        },
        "source": stream["source"],
        "origin": stream["origin"],
    }


def _print_summary(console: Console, result: dict[str, Any]) -> None:
    hrv, link = result["hrv"], result["link"]
    console.print(
        "\n"
        + _("{source}: {sent} beats sent, {stored} stored.").format(
            source=result["source"], sent=result["beats_sent"], stored=result["beats_stored"]
        ),
        markup=False,
    )
    if hrv["missing"]:
        words = _("No HRV of the last minutes: {why}.").format(why=say_result(hrv["missing"]))
        console.print(words, markup=False)
    else:
        console.print(
            _(
                "Last {minutes:.1f} minutes: heart rate {bpm:.1f} bpm, RMSSD {rmssd:.1f} ms, SDNN "
                "{sdnn:.1f} ms."
            ).format(
                minutes=hrv["window_s"] / 60,
                bpm=hrv["mean_hr_bpm"],
                rmssd=hrv["rmssd_ms"],
                sdnn=hrv["sdnn_ms"],
            )
        )
    console.print(
        _("Sample patient, simulated, {count} ratings: {verdict}").format(
            count=result["ratings_stored"], verdict=say_finding(link["verdict"])
        ),
        markup=False,
    )


def _print_addresses(console: Console, url: str, accounts: SampleAccounts, password: str) -> None:
    from cli.demo.roles import ROLES_PATH

    patient, *others = accounts.by_role.values()
    labels = [_("Choose a role"), _("The pages"), _("Sign in with"), _("or"), _("Password")]
    labels.append(_("The API"))
    width = max(map(len, labels))
    role, pages, first, also, secret, api = (label.ljust(width) for label in labels)
    lines = [
        *("", f"{role} {url}{ROLES_PATH}", "", f"{pages} {url}", f"{first} {patient.email}"),
        *(f"{also} {person.email}" for person in others),
        *(f"{secret} {password}", "", f"{api} {url}/openapi.json", ""),
    ]
    console.print("\n".join(lines), markup=False)
    console.print(
        _(
            "A strap plays on, a beat at a time, and in a minute or two the clinic has twelve "
            "weeks of a dozen\npatients. All of this is simulated. Ctrl-C ends it."
        ),
        markup=False,
    )
    console.file.flush()  # where it is no terminal, nothing more would come to push it out


async def _play_on(
    settings: Settings,
    server: ApiThread,
    accounts: SampleAccounts,
    played: PlayedDemo,
) -> None:
    """Play the recording live until Ctrl-C."""
    import asyncio

    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder, played_until_now
    from ingest.straps.simulated import SimulatedStrap, span_ns

    async def watch_server() -> None:
        # Polled: nothing here is notified of the end of a thread.
        while server.is_alive:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        raise EbbtideError("The pages have ended by themselves.", "Start the demo again.")

    with Outbox(settings.outbox_file) as outbox, BatchWriter(outbox) as writer:
        async with IngestClient(server.url, accounts.strap_token) as client:
            account = await client.account()
            # The recording as one that has just ended, so that it can be seen; then beat by beat.
            earlier_ns = played_until_now(span_ns(played.runs))
            await Recorder(
                SimulatedStrap(played.name, played.runs, earlier_ns), writer, account
            ).run()
            strap = SimulatedStrap(f"{played.name}, live", played.runs)
            recorder = Recorder(strap, writer, account)
            uploader = Uploader(outbox, client, account)
            await run_until_one_fails(recorder.run(), uploader.run(), watch_server())


async def run_until_one_fails(*work: Coroutine[Any, Any, object]) -> None:
    """Run all until they end. The first error cancels the others and is raised as it is."""
    import asyncio

    try:
        async with asyncio.TaskGroup() as tasks:
            for item in work:
                tasks.create_task(item)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
