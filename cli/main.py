"""The command line. Rooms are imported inside the commands, so that ``--help`` is quick."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ebbtide.errors import EbbtideError

app = typer.Typer(
    name="ebbtide",
    help="Heartbeats beside ratings of pain and stress, with answers that stay honest. "
    "Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run the command line; errors that people can mend are told without a traceback."""
    try:
        app()
    except EbbtideError as error:
        Console(stderr=True, highlight=False).print(f"ebbtide: {error}", markup=False)
        sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        from ebbtide import __version__

        typer.echo(f"ebbtide {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    rr: Annotated[
        Path | None,
        typer.Option(help="Play this file of RR intervals instead of the built-in recording."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Do the whole path without serving pages, then end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --once: print one JSON object.")
    ] = False,
    api_port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 0,
    dashboard_port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 0,
) -> None:
    """Try it all: a simulated strap, a sample patient, the API and the pages."""
    from cli.demo.run import run_demo

    if as_json and not once:
        raise EbbtideError("--json needs --once.", "Use: ebbtide demo --once --json")
    run_demo(
        rr_file=rr, once=once, as_json=as_json, api_port=api_port, dashboard_port=dashboard_port
    )


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that answer.")] = None,
) -> None:
    """Run the API."""
    from cli.server.serve import run_api

    run_api(host, port, workers)


@app.command()
def dashboard(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
) -> None:
    """Run the pages. They ask the API at EBBTIDE_API_URL."""
    from cli.server.serve import run_dashboard

    run_dashboard(host, port)


@app.command("add-patient")
def add_patient(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them.")],
    zone: Annotated[str, typer.Option(help="Time zone, for example Europe/Berlin.")],
) -> None:
    """Make a patient's account in the store. Asks for the password."""
    from cli.admin.accounts import add_account

    add_account(email, name, zone, _new_password(), "patient")


@app.command("add-account")
def add_account(
    email: Annotated[str, typer.Argument(help="Address to sign in with.")],
    name: Annotated[str, typer.Option(help="What to call them.")],
    zone: Annotated[str, typer.Option(help="Time zone, for example Europe/Berlin.")],
    role: Annotated[
        str, typer.Option(help="patient, therapist, analyst or administrator.")
    ] = "administrator",
) -> None:
    """Make an account of any role in the store, such as the first administrator's, who then invites
    the others. Asks for the password.
    """
    from cli.admin.accounts import add_account as add

    add(email, name, zone, _new_password(), role)


def _new_password() -> str:
    found: str = typer.prompt(
        "Password (10 characters or more)", hide_input=True, confirmation_prompt=True
    )
    return found


@app.command("sign-in")
def sign_in(
    email: Annotated[str, typer.Argument(help="Address of the account.")],
) -> None:
    """Sign this machine in, so that it can record for you. Asks for the password."""
    from cli.admin.accounts import sign_in_here

    sign_in_here(email, typer.prompt("Password", hide_input=True))


@app.command()
def scan(
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=1, max=120)] = 8.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not connect to ask for battery and features.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List heart-rate straps nearby: signal, battery, what each can give."""
    from cli.straps.scan import run_scan

    run_scan(seconds, not quick, as_json)


@app.command()
def pair(
    address: Annotated[
        str | None, typer.Argument(help="The strap's address or name; asked for if left out.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the strap.")] = None,
    patient: Annotated[
        str | None, typer.Option(help="Whose it is: address of the account.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=1, max=120)] = 8.0,
    as_json: Json = False,
) -> None:
    """Choose a strap, tie it to a patient, and remember it."""
    from cli.straps.pair import run_pair

    run_pair(address, name, patient, seconds, as_json)


@app.command()
def unpair(
    strap: Annotated[str, typer.Argument(help="The strap's address or name.")],
    as_json: Json = False,
) -> None:
    """Forget a strap. What it recorded stays."""
    from cli.straps.pair import run_unpair

    run_unpair(strap, as_json)


@app.command()
def record(
    straps: Annotated[
        list[str] | None, typer.Argument(help="Addresses or names; all paired straps if left out.")
    ] = None,
    patient: Annotated[str | None, typer.Option(help="Only the straps of this patient.")] = None,
    ecg: Annotated[
        bool, typer.Option("--ecg", help="Keep the ECG of Polar straps, on this machine only.")
    ] = False,
    seconds: Annotated[float | None, typer.Option(help="End by itself.", min=1)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a second.")
    ] = False,
) -> None:
    """Record until Ctrl-C, for days. Beats are kept on disk first, then uploaded."""
    from cli.straps.record import run_record

    run_record(straps or [], patient, ecg=ecg, seconds=seconds, as_json=as_json)


@app.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="FIT, text, CSV or Health export.")],
    patient: Annotated[
        str | None, typer.Option(help="Whose it is: address of the account.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Zone of times that name none; the patient's if left out.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="When it began, for a file that does not say.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Import recordings of other devices and apps. Importing twice adds nothing."""
    from cli.straps.import_files import run_import

    run_import(files, patient, zone, start, as_json)


@app.command()
def hrv(
    file: Annotated[Path, typer.Argument(help="File of RR intervals, of any app.")],
    window: Annotated[
        float | None,
        typer.Option(help="Seconds of each window; the whole file if left out.", min=1),
    ] = None,
    step: Annotated[
        float | None, typer.Option(help="Seconds between windows; the window if left out.", min=0.1)
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Windows as CSV.")] = False,
    as_parquet: Annotated[bool, typer.Option("--parquet", help="Windows as Parquet.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write to this file and not to the terminal.")
    ] = None,
) -> None:
    """HRV figures of a file, or of windows over it; each only where it means something."""
    from cli.analysis.hrv import run_hrv

    forms = [
        name
        for name, chosen in (("json", as_json), ("csv", as_csv), ("parquet", as_parquet))
        if chosen
    ]
    if len(forms) > 1:
        raise EbbtideError(f"--{forms[0]} and --{forms[1]} at once.", "Choose one.")
    run_hrv(file, window, step, forms[0] if forms else None, output)


@app.command()
def clean(
    file: Annotated[Path, typer.Argument(help="File of RR intervals, of any app.")],
    as_json: Json = False,
) -> None:
    """Which beats of a file are normal, missed, extra, long, short or ectopic."""
    from cli.analysis.hrv import run_clean

    run_clean(file, as_json)


@app.command()
def link(
    file: Annotated[Path, typer.Argument(help="CSV with a line of column names.")],
    subject: Annotated[str, typer.Option(help="Column of who each row is of.")],
    x: Annotated[str, typer.Option(help="Column of numbers, such as stress.")],
    y: Annotated[str, typer.Option(help="Column of numbers, such as pain.")],
    time: Annotated[
        str | None,
        typer.Option(help="Column of days or moments; the order of rows if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Whether y moved with x within people, beyond the course that both share."""
    from cli.analysis.link import run_link

    run_link(file, subject, time, x, y, as_json)


@app.command()
def outcomes(
    file: Annotated[Path, typer.Argument(help="CSV with a line of column names.")],
    subject: Annotated[str, typer.Option(help="Column of who each row is of.")],
    time: Annotated[str, typer.Option(help="Column of when: numbers or moments.")],
    pain: Annotated[str, typer.Option(help="Column of pain, 0 to 10.")],
    group: Annotated[str | None, typer.Option(help="Column of groups.")] = None,
    before: Annotated[
        float | None, typer.Option(help="The time that is before; the first if left out.")
    ] = None,
    after: Annotated[
        float | None, typer.Option(help="The time that is after; the last if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change, responders and effect sizes of a treatment, by group."""
    from cli.analysis.outcomes import run_outcomes

    run_outcomes(file, subject, time, pain, group, before, after, as_json)


store_app = typer.Typer(no_args_is_help=True, help="Look after the stores.")
app.add_typer(store_app, name="store")


@store_app.command("check")
def store_check(as_json: Json = False) -> None:
    """Whether everything in the store is whole, there once, and somebody's."""
    from cli.admin.store import run_check

    run_check(as_json)


@app.command()
def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="A new folder; named by the time if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy everything, while it is in use."""
    from cli.admin.store import run_backup

    run_backup(folder, as_json)


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put aside the store that is there.")
    ] = False,
) -> None:
    """Put a backup in the place of the store, or into empty servers."""
    from cli.admin.store import run_restore

    run_restore(folder, replace)


@app.command()
def move(as_json: Json = False) -> None:
    """Move the embedded store to InfluxDB and PostgreSQL; goes on where it stopped."""
    from cli.admin.store import run_move

    run_move(as_json)


@app.command()
def erase(
    email: Annotated[str, typer.Argument(help="Whose.")],
    sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove everything of a person from the store, and prove it."""
    from cli.admin.store import run_erase

    run_erase(email, sure)


class ExportedTable(StrEnum):
    """What can be exported."""

    BEATS = "beats"
    HRV = "hrv"
    RATINGS = "ratings"
    SESSIONS = "sessions"
    LINK = "link"


@app.command()
def export(
    table: ExportedTable,
    target: Annotated[Path, typer.Argument(help="A .csv or .parquet file.")],
    email: Annotated[str, typer.Option(help="Address of the account.")],
) -> None:
    """Write one of your tables into a file. Asks for the password."""
    from cli.analysis.export import export_table
    from ebbtide.settings import Settings

    password = typer.prompt("Password", hide_input=True, err=True)
    rows = export_table(email, password, table, target, Settings().api_url)
    typer.echo(f"{rows} rows of {table} in {target}.")


@app.command()
def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Erase them.")] = False,
    as_json: Json = False,
) -> None:
    """List whose data may not be kept any longer: consent taken back or over, or long silent."""
    from cli.admin.store import run_retention

    run_retention(apply, as_json)


@app.command()
def secrets(
    folder: Annotated[Path, typer.Argument(help="A new folder.")] = Path("secrets"),
) -> None:
    """Make the passwords that docker-compose.yml reads."""
    from cli.server.secrets import run_secrets

    run_secrets(folder)


@app.command()
def nightly(
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as there are cores if left out.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(help="Use the Dask cluster at this address, such as tcp://host:8786."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring every patient's windows and report up to date; goes on where it was stopped."""
    from cli.admin.nightly import run_nightly

    run_nightly(workers, dask, as_json)


@app.command()
def status(as_json: Json = False) -> None:
    """What is paired, what is kept, and what waits for upload."""
    from cli.straps.status import run_status

    run_status(as_json)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at Bluetooth, disk, clock and server: what is wrong, and how to mend it."""
    from cli.straps.doctor import run_doctor

    run_doctor(as_json)
