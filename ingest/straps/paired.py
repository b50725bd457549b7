"""The list of paired straps on this machine: which strap belongs to which person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ebbtide._files import write_private_json
from ebbtide.errors import EbbtideError


@dataclass(frozen=True, slots=True)
class PairedStrap:
    """A strap tied to a person. ``intervals``: "rr", or "ppi" for an optical device that sends
    pulse intervals instead. ``patient`` is the address they sign in with. ``advertised_name`` and
    ``manufacturers`` (company numbers in its advertisements) find it when its address changes.
    """

    address: str
    name: str
    patient: str
    intervals: str = "rr"
    model: str | None = None
    firmware: str | None = None
    advertised_name: str | None = None
    manufacturers: tuple[int, ...] = ()


class PairedStraps:
    """The file ``path``, written anew as a whole at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[PairedStrap]:
        """All straps, by name. Raises EbbtideError when the file cannot be read."""
        try:
            stored = json.loads(self._path.read_text())
            found = [
                PairedStrap(**{**strap, "manufacturers": tuple(strap.get("manufacturers", ()))})
                for strap in stored["straps"]
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EbbtideError(
                f"The list of straps {self._path} cannot be read ({error}).",
                "Move it aside and pair the straps again: ebbtide pair",
            ) from error
        return sorted(found, key=lambda strap: strap.name)

    def find(self, wanted: str) -> PairedStrap | None:
        """Find the strap with this address or name."""
        for strap in self.all():
            if wanted.upper() == strap.address.upper() or wanted == strap.name:
                return strap
        return None

    def put(self, strap: PairedStrap) -> None:
        """Add a strap; the same address again replaces it.

        Raises EbbtideError when another strap has this name: two straps under one name would
        look like one.
        """
        others = [s for s in self.all() if s.address.upper() != strap.address.upper()]
        if any(other.name == strap.name for other in others):
            raise EbbtideError(
                f"Another strap is called '{strap.name}' already.", "Choose another with --name."
            )
        self._write([*others, strap])

    def remove(self, strap: PairedStrap) -> None:
        """Remove a strap. What it recorded stays."""
        self._write([s for s in self.all() if s.address != strap.address])

    def _write(self, straps: list[PairedStrap]) -> None:
        try:
            write_private_json(
                self._path, {"straps": [asdict(strap) for strap in straps]}, indent=1
            )
        except OSError as error:
            raise EbbtideError(
                f"The list of straps {self._path} cannot be written: {error.strerror or error}.",
                "Check that the folder can be written.",
            ) from error
