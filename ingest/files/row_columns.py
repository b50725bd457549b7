"""Columns that say something of their row: that it is no beat, and whom or which session it is of.

Rows that a flag column rules out are left out, and the answer says how many; a column of quality
that is no yes or no is named as not used. Several people are refused; between sessions is a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ebbtide.errors import EbbtideError
from ingest.files.text_table import TextTable

Flags = NDArray[np.bool_]

# A row that has 0 here is out, or one that has 1.
_KEEPS = re.compile(r"^(is[ _]?)?(valid|ok|good|usable|use|used|include|included|accepted)$")
_DROPS = re.compile(
    r"^(is[ _]?)?(artifacts?|artefacts?|artefakte?|blocker|offline|invalid|bad|noise|noisy|reject"
    r"|rejected|exclude|excluded|outlier|ectopic|ectopics)([ _]?flag)?$"
)
_UNUSED = re.compile(
    r"(^|[\W_])(qualit\w*|sqi|confidence|labels?|annotations?|beat[ _]type"
    r"|artifacts?|artefacts?|flags?|valid\w*)([\W_]|$)"
)
_PEOPLE = re.compile(
    r"^(id|subjects?|participants?|patients?|persons?|probands?|proband_?in|name|who|user|users?"
    r"|sujet|vp|vpn|case|pid|pat|animal|rat|mouse)([ _]?(id|nr|no|number|code))?$"
)
_SESSIONS = re.compile(
    r"^(sessions?|recordings?|files?|filename|visit|night|segments?|runs?|trial|measurements?"
    r"|sitzung|messung|aufnahme)([ _]?(id|nr|no|number))?$"
)
_YES = {"1", "true", "yes", "y", "ja", "j", "x", "1.0", "wahr", "vrai"}
_NO = {"0", "false", "no", "n", "nein", "", "0.0", "falsch", "faux"}
_MAX_OUT = 0.5  # of the rows: more than that are out by a flag of the other sense


@dataclass(frozen=True, slots=True)
class RowColumns:
    """``absent``: rows that the file rules out. ``breaks``: first rows of further sessions."""

    absent: Flags
    breaks: Flags
    notes: tuple[str, ...]


def read_row_columns(table: TextTable, path: str, used: Iterable[int | None]) -> RowColumns:
    """Read the flags and groups of a table, of columns that are not ``used``.

    Raises EbbtideError for several people in one file, and for a flag that rules out most rows.
    """
    absent = np.zeros(len(table.rows), dtype=np.bool_)
    breaks = np.zeros(len(table.rows), dtype=np.bool_)
    notes: list[str] = []
    names = [name.lower().strip() for name in table.names]
    taken = set(used)
    for column, name in enumerate(names):
        if column in taken or not name:
            continue
        if _PEOPLE.match(name):
            _refuse_people(table, path, column)
        elif _SESSIONS.match(name):
            breaks |= _changes(table, path, column, notes)
        elif (_KEEPS.match(name) or _DROPS.match(name)) and (
            flags := _flags(table, column)
        ) is not None:
            out = ~flags if _KEEPS.match(name) else flags
            absent |= _ruled_out(table, path, column, out, notes, bool(_KEEPS.match(name)))
        elif name == "contact" and "contact supported" in names:
            supported = table.numbers(names.index("contact supported"))
            absent |= (supported == 1) & (table.numbers(column) == 0)
        elif (_UNUSED.search(name) or _DROPS.match(name) or _KEEPS.match(name)) and any(
            table.cells(column)
        ):
            notes.append(f"{table.name_of(column)} is not used: its values are not yes or no")
    return RowColumns(absent, breaks, tuple(notes))


def _flags(table: TextTable, column: int) -> Flags | None:
    """A column of yes or no; None where it holds another word, or nothing."""
    cells = [cell.lower() for cell in table.cells(column)]
    if not set(cells) <= _YES | _NO or not any(cells):
        return None
    return np.array([cell in _YES for cell in cells], dtype=np.bool_)


def _ruled_out(
    table: TextTable, path: str, column: int, out: Flags, notes: list[str], keeps: bool
) -> Flags:
    count, name = int(out.sum()), table.name_of(column)
    if name.lower() == "offline":  # of Polar Flow: time without the strap, which is no fault
        return out
    if count > _MAX_OUT * len(out):
        raise EbbtideError(
            f"{name} of {path} rules out {count} of {len(out)} rows, if "
            f"{'0 is not valid' if keeps else '1 is a fault'}; it may mean the opposite.",
            f"Leave out the column {name} to use all rows, or write it the other way round.",
        )
    if count:
        notes.append(f"{count} rows are left out: {name} is {'0' if keeps else '1'} (yes or no)")
    return out


def _refuse_people(table: TextTable, path: str, column: int) -> None:
    found = list(dict.fromkeys(cell for cell in table.cells(column) if cell))
    # As many names as rows are numbers of the rows, and no people.
    if 1 < len(found) <= len(table.rows) / 3:
        name = table.name_of(column)
        more = ", ..." if len(found) > 3 else ""
        raise EbbtideError(
            f"{path} holds the intervals of {len(found)} ({name}: {', '.join(found[:3])}{more}).",
            f"Write a file for each {name}, with its rows alone.",
        )


def _changes(table: TextTable, path: str, column: int, notes: list[str]) -> Flags:
    """The first row of each session but the first."""
    cells = list(table.cells(column))
    changes = np.array([False, *(a != b for a, b in pairwise(cells))])
    found, count = len(set(cells)), int(changes.sum())
    if not count or found > len(cells) / 3:
        return np.zeros(len(cells), dtype=np.bool_)
    name = table.name_of(column)
    if count >= 2 * found and count > len(cells) / 5:
        raise EbbtideError(
            f"The rows of {found} values of {name} are mixed in {path}.",
            f"Write a file for each {name}, or sort the rows by it.",
        )
    notes.append(f"{name} has {count + 1} parts: they are read with a gap between")
    return changes
