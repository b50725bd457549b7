"""One check of ``ebbtide doctor``, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# How ``about`` begins; what follows may name a strap, a person or an address.
_KEYS = (
    *(
        "Bluetooth adapter",
        "Bluetooth switch",
        "Bluetooth",
        "Connections of",
        "Connection interval",
    ),
    *(
        "Disk",
        "Outbox and store",
        "Outbox",
        "Sign-in",
        "Server",
        "Start at sign-in",
        "Phones",
        "Clock",
    ),
)


class Finding(StrEnum):
    """The result of a check."""

    OK = "fine"
    WARNING = "worth a look"
    ERROR = "to be mended"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. ``remedy`` is empty where nothing needs doing. ``facts`` and ``key`` have nothing
    of a person: they alone go into a report.
    """

    about: str
    finding: Finding
    what: str
    remedy: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What was checked, without the strap, address or person that it is of."""
        return next((key for key in _KEYS if self.about.startswith(key)), "another")
