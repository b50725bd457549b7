"""The computer that runs ``ebbtide start``: its owner, and how their phone gets in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from api.services.access_tokens import Caller
from api.services.one_time_tokens import issue_one_time_token, take_one_time_token
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import OneTimePurpose, Person

_PHONE_LINK_NS = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class ComputerCheck:
    """One check of the computer. ``remedy`` is empty where nothing needs doing."""

    about: str
    finding: Literal["fine", "worth a look", "to be mended"]
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ComputerTrust:
    """What phones have to trust, once: the page that leads them, and the certificate's SHA-256."""

    url: str
    fingerprint: str


class LocalComputer(Protocol):
    """What ``ebbtide start`` gives the API (``app.state.computer``), which knows nothing of it."""

    @property
    def starts_at_login(self) -> bool:
        """Whether it starts by itself when its owner signs in to the computer."""

    @property
    def home_url(self) -> str | None:
        """The address for phones in the same network; None while it is closed to them."""

    @property
    def is_encrypted(self) -> bool:
        """Whether phones come in with encryption, once it is open to them."""

    @property
    def trust(self) -> ComputerTrust | None:
        """What phones have to trust; None while they come in without encryption, or not at all."""

    def open_home(self) -> str:
        """Let phones in the same network in, also after a restart; return the address for them.
        Raises EbbtideError where the computer is in no such network.
        """

    def close_home(self) -> None:
        """Let nobody in from the network any more, and end the connections that there are."""

    def check(self) -> list[ComputerCheck]:
        """Check Bluetooth, disk, outbox, server and clock; takes some seconds."""

    def report(self) -> dict[str, Any]:
        """Return what helps to find a fault, without anything of a person."""

    def end(self) -> None:
        """End the program, as soon as the page that says so was fetched."""


def is_computer_owner(stores: Stores, person: Person) -> bool:
    """Whether this person has the first account of the store: that of who set it up here."""
    people = stores.records.people()
    return bool(people) and people[0].id == person.id


def issue_phone_link(stores: Stores, caller: Caller) -> tuple[str, int]:
    """Issue a token that signs the caller in on a phone, once, within five minutes, and only while
    the session that issued it goes on. Returns it and when it expires, in ns.
    """
    body = json.dumps({"session": caller.access_token.token_hash})
    return issue_one_time_token(
        *(stores, OneTimePurpose.PHONE_LINK, _PHONE_LINK_NS), person_id=caller.person.id, body=body
    )


def use_phone_link(stores: Stores, token: str) -> Person | None:
    """Use up a link for a phone: whom it signs in; None where it is worth nothing, also since the
    session that issued it was signed out.
    """
    taken = take_one_time_token(stores, token, OneTimePurpose.PHONE_LINK)
    if taken is None:
        return None
    issuer = stores.access.find_token(json.loads(taken.body)["session"], stores.now())
    if issuer is None or issuer[0].id != taken.person_id:
        return None
    return issuer[0]
