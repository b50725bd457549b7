"""A group of commands of which each is imported when it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.commands import COMMANDS, SUMMARIES

# What follows the name of the command that it runs is that command's.
_CONTEXT = {"daily": {"allow_interspersed_args": False}}


class LazyCommands(MutableMapping[str, Any]):
    """Commands by name, of which those of ``COMMANDS`` are made when they are asked for."""

    def __init__(self, group: str, others: MutableMapping[str, Any]) -> None:
        prefix = f"{group} " if group else ""
        self._words = {
            words.removeprefix(prefix): words
            for words in COMMANDS
            if words.startswith(prefix) and " " not in words.removeprefix(prefix)
        }
        self._made: dict[str, Any] = dict(others)
        self._prepare: list[Callable[[Any], None]] = []

    def prepare(self, change: Callable[[Any], None]) -> None:
        """Have ``change`` called with each command: with those that are made, now."""
        self._prepare.append(change)
        for command in self._made.values():
            change(command)

    def help_of(self, name: str) -> str:
        """Find the help of a command without making it."""
        return SUMMARIES[self._words[name]] if name in self._words else self._made[name].help or ""

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            command = _make_command(self._words[name], name)
            for change in self._prepare:
                change(command)
            self._made[name] = command
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        self._words.pop(name, None)
        self._made.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        yield from self._words
        yield from (name for name in self._made if name not in self._words)

    def __len__(self) -> int:
        return len(self._words.keys() | self._made.keys())


class Command(TyperCommand):
    """A command that has the program's ``-V`` as well, and is listed with a whole sentence."""

    def get_short_help_str(self, limit: int = 45) -> str:
        return _first_paragraph(self.help or "")

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_version(super().get_params(ctx), ctx)


class Group(TyperGroup):
    """A group of commands that has the program's ``-V`` as well, and lists what it has not made."""

    translate: Callable[[str], str] | None = None

    def __init__(self, *, name: str | None = None, commands: Any = None, **attrs: Any) -> None:
        own = "" if name == "ebbtide" else name or ""
        super().__init__(name=name, commands=LazyCommands(own, commands or {}), **attrs)  # type: ignore[arg-type]

    def get_params(self, ctx: Any) -> list[Any]:
        return _with_version(super().get_params(ctx), ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        from typer import core

        translate = self.translate or str
        commands: Any = self.commands
        rows = [(name, _first_paragraph(translate(commands.help_of(name)))) for name in commands]
        with formatter.section(core._("Commands")):  # type: ignore[attr-defined]
            formatter.write_dl(rows)


def _make_command(words: str, name: str) -> Any:
    """Import the function of a command, and make of it what Typer makes."""
    module, _, function = COMMANDS[words].partition(":")
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(name, cls=Command, context_settings=_CONTEXT.get(words))(
        getattr(import_module(module), function)
    )
    return typer.main.get_command(alone)


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _with_version(params: list[Any], ctx: Any) -> list[Any]:
    """Put the program's own option, of which a command has no copy, before ``--help``."""
    root = ctx.find_root().command.params
    version = [option for option in root if option.name == "version" and option not in params]
    return [*params[:-1], *version, *params[-1:]]
