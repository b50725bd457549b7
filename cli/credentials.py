"""The sign-ins of this machine: whose beats it may upload."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ebbtide._files import write_private_json
from ebbtide.errors import EbbtideError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A sign-in of one person at one API."""

    email: str
    api_url: str
    token: str
    account: str
    zone: str = "UTC"


class CredentialFile:
    """The file ``path``, readable by this user only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[Credentials]:
        """All of them, oldest first. Raises EbbtideError when the file cannot be read."""
        try:
            return [Credentials(**kept) for kept in json.loads(self._path.read_text())["sign_ins"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EbbtideError(
                f"The sign-ins in {self._path} cannot be read.", "Use: ebbtide sign-in YOUR-ADDRESS"
            ) from error

    def of(self, email: str | None) -> Credentials:
        """The sign-in of this person; without an address, the only one there is.

        Raises EbbtideError when there is none, or when it is not clear which is meant.
        """
        kept = self.all()
        if email is None:
            if len(kept) == 1:
                return kept[0]
            if kept:
                raise EbbtideError(
                    f"{len(kept)} people are signed in here.",
                    f"Say whose it is: --patient {kept[0].email}",
                )
            raise EbbtideError(
                "This machine is not signed in.", "Use: ebbtide sign-in YOUR-ADDRESS"
            )
        for sign_in in kept:
            if sign_in.email.lower() == email.strip().lower():
                return sign_in
        raise EbbtideError(f"{email} is not signed in here.", f"Use: ebbtide sign-in {email}")

    def put(self, sign_in: Credentials) -> None:
        """Keep a sign-in in place of an older one of the same person."""
        try:
            kept = self.all()
        except EbbtideError:
            kept = []  # a file that nobody can read is replaced
        kept = [other for other in kept if other.email.lower() != sign_in.email.lower()]
        try:
            write_private_json(
                self._path, {"sign_ins": [asdict(item) for item in [*kept, sign_in]]}
            )
        except OSError as error:
            raise EbbtideError(
                f"The sign-in cannot be kept in {self._path}: {error.strerror or error}.",
                "Check that the folder can be written, or set EBBTIDE_DATA_DIR to another one.",
            ) from error
