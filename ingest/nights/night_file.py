"""What an export of nights holds, and what a format of it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ebbtide.nights import Night
from ingest.nights.members import Member, Members


@dataclass(frozen=True, slots=True)
class NightFile:
    """The nights of an export, by source and day, each once.

    ``problems`` names each part that could not be read; ``notes``: how the rest was read;
    ``files``: those of the export that hold nights alone; ``may_hold_beats``: whether all of it is
    to be read for beats too, as exports of Apple and FIT files are.
    """

    format: str
    nights: tuple[Night, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    may_hold_beats: bool = False

    @property
    def unworn(self) -> int:
        """Nights of which the export says that nothing was measured."""
        return sum(not night.is_measured for night in self.nights)


@dataclass(frozen=True, slots=True)
class NightContext:
    """What a reader may need beside the files.

    ``zone``: of local times without an offset; None where nobody named one. ``on_progress``: called
    now and then with the share of the work that is done.
    """

    zone: str | None
    on_progress: Callable[[float], None] | None = None

    def show(self, share: float) -> None:
        """Report that this share of the work is done."""
        if self.on_progress is not None:
            self.on_progress(min(1.0, share))


@dataclass(slots=True)
class Remarks:
    """Problems and notes while a file is read; of many of one kind the first is shown."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    _firsts: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, example: str) -> None:
        """Count a problem of this kind."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._firsts.setdefault(kind, example)

    def note(self, words: str) -> None:
        """Add a note once."""
        if words not in self.notes:
            self.notes.append(words)

    def all_problems(self) -> tuple[str, ...]:
        """Each kind of problem as one sentence, with its number."""
        counted = [
            f"{count} {kind}; the first: {self._firsts[kind]}"
            for kind, count in self._counts.items()
        ]
        return (*self.problems, *counted)


@dataclass(frozen=True, slots=True)
class NightFormat:
    """A kind of export. ``matches`` decides by name and first bytes of one file in it; ``read``
    gets those that matched, and raises EbbtideError, saying what to do. ``keys``: of JSON, one of
    which tells it wherever it stands in the file.
    """

    name: str
    matches: Callable[[Member], bool]
    read: Callable[[Members, list[Member], NightContext], NightFile]
    keys: tuple[str, ...] = ()


def plain_name(text: str) -> str:
    """A name of an app or a device as a source has it: printable, and short."""
    return "".join(letter for letter in text if letter.isprintable()).strip()[:60]


def find_delimiter(line: str) -> str:
    """What stands between the columns of a table, by the line of their names."""
    return max(",;\t|", key=line.count)


def csv_names(text: str) -> list[str]:
    """The names of the columns in the first line of a table, in lower case."""
    first = next(iter(text.splitlines()), "")
    return [name.strip(' "').lower() for name in first.split(find_delimiter(first))]
