"""Who is signed in, and with which token."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from api.schemas.common import RecordOut
from ebbtide.timestamps import to_datetime
from store.models.records import Role

MAX_PASSWORD_LENGTH = 1000
Password = Annotated[
    str, Field(max_length=MAX_PASSWORD_LENGTH, examples=["a long phrase of yours"])
]


class SignInOut(BaseModel):
    """Send the token as ``Authorization: Bearer ...``."""

    token: str = Field(examples=["kq3v0bX..."])
    expires: datetime
    known_device: str | None = Field(
        default=None,
        description="Send it with the next sign-in from this device, which then does not wait for "
        "others' wrong guesses. Null where the device was known, or with OpenID Connect",
    )

    @classmethod
    def from_token(cls, token: str, expires_ns: int, known_device: str | None = None) -> SignInOut:
        """A token as the answer to a sign-in."""
        return cls(token=token, expires=to_datetime(expires_ns), known_device=known_device)


class PasswordLink(BaseModel):
    """A way to set a new password, or to remove a lost second factor, valid once. Without mail the
    token is a code, shown only now, to be handed over in person; with mail nobody but the person
    gets it.
    """

    token: str | None
    expires: datetime
    sent: Literal["mail", "code"]


class AccountOut(RecordOut):
    """The person signed in. ``simulated``: a sample, not a real person."""

    @classmethod
    def from_record(cls, record: object, **computed: Any) -> Self:
        """An account, of whose token nothing is said unless it is given."""
        return super().from_record(record, **{"second_factor_missing": False, **computed})

    id: str
    email: str = Field(examples=["sample@ebbtide.example"])
    name: str = Field(examples=["Sample patient (simulated)"])
    zone: str = Field(examples=["Europe/Berlin"])
    role: Role
    simulated: bool
    local_only: bool = Field(
        description="Only links of the machine itself sign this account in (`ebbtide start`)"
    )
    second_factor_missing: bool = Field(
        default=False,
        description="Staff here need a passkey or codes of an app, and this token can do nothing "
        "else before",
    )
