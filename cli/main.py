"""The ``ebbtide`` command: registers the commands of this package.

Each command stands beside its code, in a module that imports nothing heavy at its top, so that
``ebbtide --help`` loads neither NumPy nor a web server. A new command is a function in a module,
and a line in ``COMMANDS``.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any, NoReturn

# Before numpy is loaded: the threads of BLAS on small matrices wait for each other, and on a busy
# machine the link of 60 ratings took seven times as long with two of them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
from typer.core import TyperCommand, TyperGroup

from cli.language import (
    say_error,
    say_words,
    terminal_language,
    translate_command,
    translate_parser,
)
from ebbtide.errors import EbbtideError
from ebbtide.i18n import DEFAULT, translator


class _Command(TyperCommand):
    """A command that has the program's ``-V`` as well, and is listed with a whole sentence."""

    def get_short_help_str(self, limit: int = 45) -> str:
        return " ".join((self.help or "").split("\n\n")[0].split())

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_version(super().get_params(ctx), ctx)


class _Group(TyperGroup):
    """A group of commands that has the program's ``-V`` as well."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_version(super().get_params(ctx), ctx)


def _with_version(params: list[Any], ctx: Any) -> list[Any]:
    """Put the program's own option, of which a command has no copy, before ``--help``."""
    root = ctx.find_root().command.params
    version = [option for option in root if option.name == "version" and option not in params]
    return [*params[:-1], *version, *params[-1:]]


app = typer.Typer(
    name="ebbtide",
    help="Heartbeats beside ratings of pain and stress, with answers that stay honest. "
    "Not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
store_app = typer.Typer(cls=_Group, no_args_is_help=True, help="Look after the stores.")
app.add_typer(store_app, name="store")

questionnaires_app = typer.Typer(cls=_Group, no_args_is_help=True, help="Check questionnaires.")
app.add_typer(questionnaires_app, name="questionnaires")

# What is typed, in the order of --help, and the function that it calls.
COMMANDS = {
    "start": "cli.server.start:start",
    "demo": "cli.demo.run:demo",
    "sample": "cli.demo.sample:sample",
    "serve": "cli.server.serve:serve",
    "dashboard": "cli.server.serve:dashboard",
    "add-patient": "cli.admin.accounts:add_patient",
    "add-account": "cli.admin.accounts:add_account",
    "set-password": "cli.admin.accounts:set_password",
    "remove-second-factors": "cli.admin.accounts:remove_second_factors",
    "sign-in": "cli.admin.accounts:sign_in",
    "scan": "cli.straps.scan:scan",
    "pair": "cli.straps.pair:pair",
    "unpair": "cli.straps.pair:unpair",
    "record": "cli.straps.record:record",
    "import": "cli.straps.import_files:import_files",
    "recordings": "cli.straps.recordings:recordings",
    "hrv": "cli.analysis.hrv:hrv",
    "clean": "cli.analysis.hrv:clean",
    "stress": "cli.analysis.stress:stress",
    "link": "cli.analysis.link:link",
    "outcomes": "cli.analysis.outcomes:outcomes",
    "questionnaires check": "cli.analysis.questionnaires:check",
    "store check": "cli.admin.store:check",
    "store try-backup": "cli.admin.try_backup:try_backup",
    "backup": "cli.admin.store:backup",
    "restore": "cli.admin.store:restore",
    "move": "cli.admin.store:move",
    "erase": "cli.admin.erase:erase",
    "export": "cli.analysis.export:export",
    "retention": "cli.admin.erase:retention",
    "secrets": "cli.server.secrets:secrets",
    "nightly": "cli.admin.nightly:nightly",
    "daily": "cli.admin.daily:daily",
    "status": "cli.straps.status:status",
    "doctor": "cli.straps.doctor:doctor",
}
_GROUPS = {"": app, "store": store_app, "questionnaires": questionnaires_app}
# What follows the name of the command that it runs is that command's.
_CONTEXT = {"daily": {"allow_interspersed_args": False}}

for _words, _place in COMMANDS.items():
    _group, _, _name = _words.rpartition(" ")
    _module, _, _function = _place.partition(":")
    _GROUPS[_group].command(_name, cls=_Command, context_settings=_CONTEXT.get(_words))(
        getattr(import_module(_module), _function)
    )


def main() -> None:
    """Run the command line; print an EbbtideError without a traceback."""
    # Stores, backups, exports and logs hold health data: no other user of the machine reads them.
    os.umask(os.umask(0o077) | 0o077)
    try:
        _run()
    except EbbtideError as error:
        _exit_with(say_error(error))
    except ValueError as error:
        wrong = _wrong_settings(error)
        if wrong is None:
            raise
        _exit_with(say_words(wrong))


def _run() -> None:
    language = terminal_language()
    if language == DEFAULT:
        app()
        return
    command, translate = typer.main.get_command(app), translator(language)
    translate_command(command, translate)
    translate_parser(translate)
    command(prog_name="ebbtide")


def _exit_with(text: str) -> NoReturn:
    from rich.console import Console

    Console(stderr=True, highlight=False).print(f"ebbtide: {text}", markup=False)
    sys.exit(1)


def _wrong_settings(error: ValueError) -> str | None:
    """Say which settings are wrong, without their values, which may be secret."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return None
    parts = []
    for item in error.errors(include_url=False, include_input=False):
        names = "_".join(str(part) for part in item["loc"])
        words = item["msg"].removeprefix("Value error, ")
        parts.append(f"EBBTIDE_{names.upper()}: {words}" if names else words)
    from cli.error_texts import WRONG_SETTING

    return WRONG_SETTING.format(problems="; ".join(parts))


def _version(wanted: bool) -> None:
    if wanted:
        from ebbtide import __version__

        typer.echo(f"ebbtide {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            *("-V", "--version"),
            callback=_version,
            is_eager=True,
            expose_value=False,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    pass
