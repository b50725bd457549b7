"""Questions that only a person can answer: which unit, column, zone, beginning or decimal mark.

The command line answers them by options; the pages read ``asks`` and show the choices.
"""

from __future__ import annotations

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


def column_choices(names: Sequence[str]) -> tuple[str, ...]:
    """Name the columns of a table as ``column`` takes them: by name, or by place from 1."""
    return tuple(
        name if name and names.count(name) == 1 else str(place)
        for place, name in enumerate(names, start=1)
    )
