"""The computer that runs ``ebbtide start``: its state, for the person who set it up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.http.deps import CallerDep, CurrentAccount, StoresDep
from api.http.loopback import require_loopback
from api.http.problems import ProblemError, describe_problems
from api.http.request_state import note_account
from api.schemas.auth import SignInOut
from api.services.access_tokens import issue_signed_in_token, session_times_ns
from api.services.local_computer import (
    LocalComputer,
    is_computer_owner,
    issue_phone_link,
    use_phone_link,
)
from ebbtide.errors import EbbtideError
from ebbtide.timestamps import to_datetime

router = APIRouter(tags=["computer"])
_GONE = "This code was used already, or its five minutes are over. Make a new one on the computer."


def get_computer(request: Request, person: CurrentAccount, stores: StoresDep) -> LocalComputer:
    """The computer, for its owner. 404 where the API is a server (``ebbtide serve``)."""
    computer: LocalComputer | None = request.app.state.computer
    if computer is None:
        raise ProblemError(404, "This is for a computer of one's own: ebbtide start.")
    if not is_computer_owner(stores, person):
        raise ProblemError(403, "This is for the person who set Ebbtide up here.", kind="role")
    return computer


ComputerDep = Annotated[LocalComputer, Depends(get_computer)]


class ComputerOut(BaseModel):
    """How Ebbtide runs on this computer."""

    starts_at_login: bool = Field(description="By itself, when its owner signs in to the computer")
    home_url: str | None = Field(
        description="For phones in the same network; null while it is closed to them",
        examples=["http://192.168.1.20:8420"],
    )
    encrypted: bool = Field(
        default=False, description="Whether phones come in with encryption (`--https`)"
    )
    trust_url: str | None = Field(
        default=None,
        description="With `ebbtide start --https`, the page that leads a phone through trusting "
        "this computer, once; null where it need not",
        examples=["http://192.168.1.20:8420/trust"],
    )
    fingerprint: str | None = Field(
        default=None,
        description="SHA-256 of the certificate that phones trust then, to compare",
        examples=["3A:07:..."],
    )


class CheckOut(BaseModel):
    """One check. ``remedy`` is empty where nothing needs doing."""

    about: str = Field(examples=["Disk"])
    finding: Literal["fine", "worth a look", "to be mended"]
    what: str
    remedy: str


class HomeIn(BaseModel):
    """Whether phones in the same network may reach this computer."""

    model_config = ConfigDict(extra="forbid")

    open: StrictBool


class PhoneSecretIn(BaseModel):
    """What stands behind ``#`` in the address that a phone opened."""

    model_config = ConfigDict(extra="forbid")

    secret: str = Field(max_length=200, examples=["kq3v0bX..."])


class PhoneLinkOut(BaseModel):
    """An address that signs a phone in, once."""

    url: str = Field(examples=["http://192.168.1.20:8420/phone"])
    token: str = Field(description="Goes behind the address, after #", examples=["kq3v0bX..."])
    expires: datetime


@router.get("/computer", responses=describe_problems(401, 403, 404))
def computer_state(computer: ComputerDep) -> ComputerOut:
    """Say how Ebbtide runs on this computer."""
    trust = computer.trust
    return ComputerOut(
        starts_at_login=computer.starts_at_login,
        home_url=computer.home_url,
        encrypted=computer.is_encrypted,
        trust_url=None if trust is None else trust.url,
        fingerprint=None if trust is None else trust.fingerprint,
    )


@router.post("/computer/check", responses=describe_problems(401, 403, 404))
def check_computer(computer: ComputerDep) -> list[CheckOut]:
    """Check Bluetooth, disk, outbox, server and clock, as ``ebbtide doctor`` does: some seconds."""
    return [
        CheckOut(about=check.about, finding=check.finding, what=check.what, remedy=check.remedy)
        for check in computer.check()
    ]


@router.post("/computer/report", responses=describe_problems(401, 403, 404))
def report_computer(computer: ComputerDep) -> dict[str, Any]:
    """Make a report for whoever helps: versions and results of checks, nothing of a person."""
    return computer.report()


@router.put("/computer/home", responses=describe_problems(401, 403, 404, 409, 422))
def put_home(body: HomeIn, computer: ComputerDep) -> ComputerOut:
    """Let phones in the same network reach this computer, or no more."""
    if not body.open:
        computer.close_home()
        return computer_state(computer)
    try:
        computer.open_home()
    except EbbtideError as error:
        raise ProblemError(409, str(error)) from error
    return computer_state(computer)


@router.post("/computer/phone", status_code=201, responses=describe_problems(401, 403, 404, 409))
def add_phone_link(computer: ComputerDep, caller: CallerDep, stores: StoresDep) -> PhoneLinkOut:
    """Make an address that signs a phone in: once, within five minutes, and not after this session
    was signed out.
    """
    home = computer.home_url
    if home is None:
        raise ProblemError(409, "This computer is closed to phones: PUT /v1/computer/home first.")
    token, expires_ns = issue_phone_link(stores, caller)
    # Behind "#" it is sent in no request, and stands in no log.
    return PhoneLinkOut(url=f"{home}/phone", token=token, expires=to_datetime(expires_ns))


@router.post(
    "/sign-in/phone",
    dependencies=[Depends(require_loopback)],
    responses=describe_problems(403, 404, 422),
)
def sign_in_phone(request: Request, body: PhoneSecretIn, stores: StoresDep) -> SignInOut:
    """Sign in with the secret of a link for a phone, once. For the pages of the computer itself,
    which hand the token to the phone.
    """
    person = use_phone_link(stores, body.secret)
    if person is None:
        raise ProblemError(404, _GONE)
    note_account(request, person.id)
    lifetime_ns, idle_ns = session_times_ns(person, "own")
    issued = issue_signed_in_token(
        *(stores, person), name="phone", lifetime_ns=lifetime_ns, idle_ns=idle_ns
    )
    if issued is None:
        raise ProblemError(404, _GONE)
    token, access_token = issued
    return SignInOut.from_token(token, access_token.expires_ns)


@router.post("/computer/end", status_code=204, responses=describe_problems(401, 403, 404))
def end_computer(computer: ComputerDep) -> None:
    """End Ebbtide on this computer: pages, API and recording."""
    computer.end()
