"""Access tokens of the people who record on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ebbtide._files import write_private_json
from ebbtide.errors import EbbtideError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A person's token at one API, and their account there."""

    email: str
    api_url: str
    token: str
    account: str
    zone: str = "UTC"


class CredentialFile:
    """Read and write the credentials in the file ``path``, readable by this user only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[Credentials]:
        """Load all, oldest first. Raises EbbtideError when the file cannot be read."""
        try:
            return [Credentials(**item) for item in json.loads(self._path.read_text())["sign_ins"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EbbtideError(
                f"The sign-ins in {self._path} cannot be read.", "Use: ebbtide sign-in YOUR-ADDRESS"
            ) from error

    def of(self, email: str | None) -> Credentials:
        """Get the credentials of this person; without an address, the only ones there are.

        Raises EbbtideError when there is none, or when it is not clear which is meant.
        """
        stored = self.all()
        if email is None:
            if len(stored) == 1:
                return stored[0]
            if stored:
                raise EbbtideError(
                    f"{len(stored)} people are signed in here.",
                    f"Say whose it is: --patient {stored[0].email}",
                )
            raise EbbtideError(
                "This machine is not signed in.", "Use: ebbtide sign-in YOUR-ADDRESS"
            )
        for credentials in stored:
            if credentials.email.lower() == email.strip().lower():
                return credentials
        raise EbbtideError(f"{email} is not signed in here.", f"Use: ebbtide sign-in {email}")

    def remove(self, account: str) -> None:
        """Remove the credentials of an account. Raises EbbtideError."""
        stored = self.all()
        try:
            write_private_json(
                self._path,
                {"sign_ins": [asdict(item) for item in stored if item.account != account]},
            )
        except OSError as error:
            raise EbbtideError(
                f"{self._path} cannot be written: {error.strerror or error}.",
                "Let this user write there.",
            ) from error

    def put(self, credentials: Credentials) -> None:
        """Store credentials in place of older ones of the same person.

        A file that cannot be read is replaced. Raises EbbtideError when it cannot be written.
        """
        try:
            stored = self.all()
        except EbbtideError:
            stored = []
        others = [item for item in stored if item.email.lower() != credentials.email.lower()]
        try:
            write_private_json(
                self._path, {"sign_ins": [asdict(item) for item in [*others, credentials]]}
            )
        except OSError as error:
            raise EbbtideError(
                f"The sign-in cannot be kept in {self._path}: {error.strerror or error}.",
                "Check that the folder can be written, or set EBBTIDE_DATA_DIR to another one.",
            ) from error
