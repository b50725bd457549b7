"""Questions that only a person can answer: which unit, column, zone, beginning or decimal mark.

The command line answers them by options; the pages read ``asks`` and show the choices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ebbtide.errors import EbbtideError

#: What can be chosen, by the names of ``open_recording``'s parameters.
CHOICES = ("column", "unit", "zone", "start", "decimal")


class ChoiceError(EbbtideError):
    """A file has two readings, or lacks what a person has to say.

    ``asks``: the readings by the name of the choice; none where anything may be the answer.
    """

    def __init__(self, what: str, remedy: str, asks: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(what, remedy)
        self.asks = dict(asks)


def rename_file(error: EbbtideError, old: str, new: str) -> EbbtideError:
    """Make the same error about a file of another name: that of a person, not of a copy."""
    what = error.what.replace(old, new)
    if isinstance(error, ChoiceError):
        return ChoiceError(what, error.remedy, error.asks)
    return EbbtideError(what, error.remedy)


def asks_of_options(remedy: str) -> dict[str, tuple[str, ...]]:
    """The choices whose options a remedy for the command line names, without any readings."""
    named = set(re.findall(r"--(\w+)", remedy))
    return {name: () for name in CHOICES if name in named}


def without_options(remedy: str) -> str:
    """A remedy for the command line as a page says it, which has a field for each option.

    >>> without_options("Give the unit (--unit), or name the column: --column.")
    'Give the unit, or name the column.'
    """
    names = "|".join(CHOICES)
    remedy = re.sub(rf" \(--(?:{names})\)|: --(?:{names})(?=[.,;])", "", remedy)
    return re.sub(rf"--({names})\b", r"\1", remedy)


def column_choices(names: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of a table as ``column`` takes them: by name, or by place from 1."""
    return tuple(
        name if name and names.count(name) == 1 else str(place)
        for place, name in enumerate(names, start=1)
    )
