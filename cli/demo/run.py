"""``ebbtide demo``: the whole path on one machine, with nothing faked but the patient.

The strap is simulated and sends the bytes a real one would; decoder, outbox, upload, API and store
are the very ones of a real recording. All of it lives in a temporary folder that is removed at
the end.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.demo.client import SampleClient
from cli.demo.therapy import SampleTherapy, generated_therapy, recording_start
from cli.demo.together import run_until_one_fails
from cli.server.thread import ApiThread
from ebbtide import timestamps
from ebbtide.errors import EbbtideError
from ebbtide.settings import Settings
from ebbtide.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.batch_writer import BatchWriter

EMAIL = "sample@ebbtide.example"
ZONE = "Europe/Berlin"
_SEED = 2022
_LAST_MINUTES = 5 * 60 * SECOND
_BUILT_IN_SECONDS = 15 * 60

Runs = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class PlayedDemo:
    """What to play and what it is called."""

    name: str
    runs: Runs

    @property
    def beats(self) -> int:
        """RR intervals in all runs."""
        return sum(len(run) for run in self.runs)


def run_demo(
    *, rr_file: Path | None, once: bool, as_json: bool, api_port: int, dashboard_port: int
) -> None:
    """Run the demonstration; see ``ebbtide demo --help``."""
    progress_console = Console(stderr=True, highlight=False)
    console = Console(highlight=False, soft_wrap=True)
    played = _recording(rr_file, progress_console)
    finished = False
    with suppress(KeyboardInterrupt), _interrupt_on_sigterm(), ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ebbtide-demo-"))
        settings = Settings(data_dir=Path(folder))
        password = f"tide-{secrets.randbelow(10_000):04}-{secrets.randbelow(10_000):04}"
        api = stack.enter_context(_api(settings, password, api_port))
        progress = stack.enter_context(_progress(progress_console))
        result = asyncio.run(_fill(settings, api.url, password, played, progress))
        progress.stop()
        if as_json:
            typer.echo(json.dumps(result))
        else:
            _print_summary(console, result)
        finished = True
        if not once:
            from dashboard import start_dashboard

            pages = stack.enter_context(start_dashboard(api.url, dashboard_port))
            _invite(console, pages.url, api.url, password)
            asyncio.run(_play_on(settings, api.url, password, played, pages.process))
    if not once:
        console.print("Ended. Nothing runs any more, and the sample data are removed.")
    elif not finished:
        raise typer.Exit(130)  # what a shell says of a command that Ctrl-C ended


@contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the demonstration as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f}"),
        TimeElapsedColumn(),
        console=console,
    )


def _recording(rr_file: Path | None, console: Console) -> PlayedDemo:
    if rr_file is None:
        import numpy as np

        from cli.demo.rr import generated_rr

        ticks = generated_rr(_BUILT_IN_SECONDS, np.random.default_rng(_SEED))
        return PlayedDemo("built-in recording (simulated)", [ticks])
    from ingest.files.rr_text import read_rr_file

    read = read_rr_file(rr_file)
    for problem in read.problems[:10]:
        console.print(f"{rr_file.name}, {problem}; left out.", markup=False)
    if len(read.problems) > 10:
        console.print(f"... and {len(read.problems) - 10} more lines of it left out.")
    return PlayedDemo(f"{rr_file.name[:120]} (played by the simulated strap)", read.runs)


@contextmanager
def _api(settings: Settings, password: str, port: int) -> Iterator[ApiThread]:
    from api.app import create_app
    from api.services.accounts import create_account
    from store.factory import open_stores

    stores = open_stores(settings)
    create_account(
        stores.records,
        email=EMAIL,
        password=password,
        name="Sample patient (simulated)",
        zone=ZONE,
        now_ns=timestamps.now_ns(),
        simulated=True,
    )
    with ApiThread(create_app(stores), port) as api:
        yield api


async def _fill(
    settings: Settings, url: str, password: str, played: PlayedDemo, progress: Progress
) -> dict[str, Any]:
    """Send four weeks of therapy and the recording; what the API then has to say."""
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox
    from ingest.recorder import played_until_now
    from ingest.straps.simulated import span_ns

    start = played_until_now(span_ns(played.runs))
    therapy = generated_therapy(start, ZONE, _SEED)
    async with SampleClient(url) as sample, IngestClient(url) as ingest:
        await ingest.sign_in(EMAIL, password)
        await sample.sign_in(EMAIL, password)
        account = await ingest.account()
        await _send_ratings(sample, therapy, progress)
        with Outbox(settings.outbox_file) as outbox, BatchWriter(outbox) as keeper:
            weeks = _weeks(therapy)
            weeks_sent = await _send(
                keeper, ingest, account, "sample patient (simulated)", weeks, progress
            )
            sent = await _send(
                keeper, ingest, account, played.name, [(start, played.runs)], progress
            )
        return await _result(sample, sent, weeks_sent)


def _weeks(therapy: SampleTherapy) -> list[tuple[int, Runs]]:
    return [
        (recording_start(rating), [rating.rr_ticks])
        for rating in therapy.ratings
        if rating.rr_ticks
    ]


async def _send_ratings(sample: SampleClient, therapy: SampleTherapy, progress: Progress) -> None:
    task = progress.add_task("Ratings", total=len(therapy.ratings))
    for number, held in enumerate(therapy.sessions_ns, 1):
        await sample.put_session(number, held)
    for rating in therapy.ratings:
        await sample.rate(rating, ZONE)
        progress.advance(task)


async def _send(
    keeper: BatchWriter,
    client: IngestClient,
    account: str,
    name: str,
    recordings: list[tuple[int, Runs]],
    progress: Progress,
) -> tuple[str, int]:
    """Play recordings (start, runs) through strap, outbox and upload: stream id, beats sent."""
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder
    from ingest.straps.simulated import SimulatedStrap

    beats = sum(len(run) for _, runs in recordings for run in runs)
    task = progress.add_task(f"Beats of {name}", total=beats)
    stream_id = ""
    for start, runs in recordings:
        recorder = Recorder(SimulatedStrap(name, runs, start), keeper, account)
        recording = await recorder.run()
        stream_id = recorder.stream_ids[-1]
        progress.advance(task, recording.beats)
    uploading = progress.add_task("Upload", total=keeper.outbox.state(stream_id).waiting)
    uploader = Uploader(
        keeper.outbox, client, account, lambda count: progress.advance(uploading, count)
    )
    await uploader.upload_waiting()
    return stream_id, beats


async def _result(
    sample: SampleClient, sent: tuple[str, int], weeks_sent: tuple[str, int]
) -> dict[str, Any]:
    stream, weeks = await sample.stream(sent[0]), await sample.stream(weeks_sent[0])
    end = stream["last_beat_ns"] + 1
    begin = max(stream["first_beat_ns"], end - _LAST_MINUTES)
    window = await sample.hrv(begin, end)
    report = await sample.link()
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
        f"\n{result['source']}: {result['beats_sent']} beats sent, "
        f"{result['beats_stored']} stored.",
        markup=False,
    )
    if hrv["missing"]:
        console.print(f"No HRV of the last minutes: {hrv['missing']}.", markup=False)
    else:
        console.print(
            f"Last {hrv['window_s'] / 60:.1f} minutes: heart rate {hrv['mean_hr_bpm']:.1f} bpm, "
            f"RMSSD {hrv['rmssd_ms']:.1f} ms, SDNN {hrv['sdnn_ms']:.1f} ms."
        )
    console.print(
        f"Sample patient, simulated, {result['ratings_stored']} ratings: {link['verdict']}",
        markup=False,
    )


def _invite(console: Console, pages_url: str, api_url: str, password: str) -> None:
    console.print(
        f"""
The pages     {pages_url}
Sign in with  {EMAIL}
Password      {password}

The API       {api_url}/openapi.json

The strap plays on, a beat at a time. All of this is simulated. Ctrl-C ends it.""",
        markup=False,
    )


async def _play_on(
    settings: Settings,
    url: str,
    password: str,
    played: PlayedDemo,
    pages: subprocess.Popen[bytes],
) -> None:
    """Let the strap play live until Ctrl-C."""
    from ingest.outbox.api_client import IngestClient
    from ingest.outbox.batch_writer import BatchWriter
    from ingest.outbox.outbox import Outbox
    from ingest.outbox.uploader import Uploader
    from ingest.recorder import Recorder
    from ingest.straps.simulated import SimulatedStrap

    async def watch_pages() -> None:
        # Polled, because a thread that waits for a process cannot be cancelled.
        while pages.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        raise EbbtideError("The pages have ended by themselves.", "Start the demo again.")

    with Outbox(settings.outbox_file) as outbox, BatchWriter(outbox) as keeper:
        async with IngestClient(url) as client:
            await client.sign_in(EMAIL, password)
            account = await client.account()
            strap = SimulatedStrap(f"{played.name}, live", played.runs)
            recorder = Recorder(strap, keeper, account)
            uploader = Uploader(outbox, client, account)
            await run_until_one_fails(recorder.run(), uploader.run(), watch_pages())
