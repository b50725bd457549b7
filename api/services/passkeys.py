"""Passkeys: add one, and sign in with one (WebAuthn, by the library ``webauthn``).

A challenge is a one-time token of the store: good once, for five minutes, for one purpose, in every
worker. It holds the address of the page that asked for it; the browser's answer must be from there.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from api.services.account_log import log_act
from api.services.errors import PasskeyAddressError, PasskeyError
from api.services.one_time_tokens import issue_one_time_token, take_one_time_token
from ebbtide.beats import new_id
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import OneTimePurpose, OneTimeToken, Passkey, Person

CHALLENGE_NS = 5 * MINUTE
MAX_PASSKEYS = 20  # a person
_TIMEOUT_MS = 300_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOT_ACCEPTED = "This passkey was not accepted. Try again, or sign in with your password."
Result = TypeVar("Result")


def known_origins(pages_url: str) -> frozenset[str]:
    """Return the origins at which people find the pages. Where they are on this machine, also
    ``localhost``: a passkey is for a name, and an address of numbers has none.
    """
    parts = urlsplit(pages_url)
    host = parts.hostname or ""
    hosts = {host, "localhost"} if _is_loopback(host) else {host}
    return frozenset(_origin(parts.scheme, name, parts.port) for name in hosts)


def find_rp_id(origin: str, pages_url: str) -> str:
    """Return the name that passkeys of this page are for. Raises PasskeyAddressError."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:  # half of an IPv6 address
        host = ""
    if _is_number(host):
        raise PasskeyAddressError(
            "A passkey needs a name in the address, and not numbers.",
            "Open these pages at localhost, or at the name of your clinic.",
        )
    if origin not in known_origins(pages_url):
        raise PasskeyAddressError(
            "Passkeys are taken only at the address of the pages that EBBTIDE_DASHBOARD_URL names.",
            "Open the pages there, or have whoever runs Ebbtide set it.",
        )
    return host


def begin_adding(stores: Stores, person: Person, origin: str, pages_url: str) -> dict[str, Any]:
    """Return the options with which a browser makes a passkey. Raises PasskeyAddressError."""
    from webauthn import base64url_to_bytes, generate_registration_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    rp_id = find_rp_id(origin, pages_url)
    challenge = _issue_challenge(stores, OneTimePurpose.PASSKEY_ADD, origin, rp_id, person.id)
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name="Ebbtide",
        # Random: it is stored in the passkey, and says nothing of the person.
        user_id=person.id.encode(),
        user_name=person.email,
        user_display_name=person.name,
        challenge=base64url_to_bytes(challenge),
        timeout=_TIMEOUT_MS,
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id))
            for passkey in stores.access.passkeys(person.id)
            if passkey.rp_id == rp_id
        ],
        # It signs in alone: it has to be found without an address, and to ask for finger, face or
        # PIN, which make it two factors.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return options_to_json_dict(options)


def finish_adding(
    stores: Stores, person: Person, credential: dict[str, Any], name: str, pages_url: str
) -> Passkey:
    """Verify what a browser made, and store it. Raises PasskeyError."""
    from webauthn import base64url_to_bytes, verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    asked = _take_challenge(stores, OneTimePurpose.PASSKEY_ADD, credential, pages_url)
    if asked.stored.person_id != person.id:
        raise PasskeyError(_NOT_ACCEPTED)
    verified = _verify(
        lambda: verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(asked.challenge),
            expected_rp_id=asked.rp_id,
            expected_origin=asked.origin,
            require_user_verification=True,
        )
    )
    now = stores.now()
    passkey = Passkey(
        id=new_id(),
        person_id=person.id,
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        name=name,
        rp_id=asked.rp_id,
        created_ns=now,
        used_ns=now,
    )
    if not stores.access.add_passkey(passkey, MAX_PASSKEYS):
        raise PasskeyError(
            f"This passkey is here already, or there are {MAX_PASSKEYS}: remove one first."
        )
    log_act(stores, person, person, "added a passkey")
    return passkey


def begin_use(stores: Stores, origin: str, pages_url: str) -> dict[str, Any]:
    """Return the options with which a browser signs in. Raises PasskeyAddressError."""
    from webauthn import base64url_to_bytes, generate_authentication_options
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    rp_id = find_rp_id(origin, pages_url)
    challenge = _issue_challenge(stores, OneTimePurpose.PASSKEY_USE, origin, rp_id)
    options = generate_authentication_options(
        rp_id=rp_id,
        challenge=base64url_to_bytes(challenge),
        timeout=_TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def finish_use(stores: Stores, credential: dict[str, Any], pages_url: str) -> Person:
    """Verify a browser's answer, and return who it signs in. Raises PasskeyError, in the same words
    for whatever is wrong.
    """
    from webauthn import base64url_to_bytes, verify_authentication_response

    asked = _take_challenge(stores, OneTimePurpose.PASSKEY_USE, credential, pages_url)
    passkey = stores.access.find_passkey(str(credential["id"]))
    person = None if passkey is None else stores.records.person(passkey.person_id)
    if passkey is None or person is None or passkey.rp_id != asked.rp_id:
        raise PasskeyError(_NOT_ACCEPTED)
    verified = _verify(
        lambda: verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(asked.challenge),
            expected_rp_id=asked.rp_id,
            expected_origin=asked.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            # The counter is compared below, where the signature is verified and the store decides
            # between workers.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    )
    handle = _verify(lambda: base64url_to_bytes(str(credential["response"]["userHandle"])))
    if handle != person.id.encode():
        raise PasskeyError(_NOT_ACCEPTED)
    if not stores.access.use_passkey(passkey.id, verified.new_sign_count, stores.now()):
        log_act(stores, person, person, "a passkey was refused: its counter went back")
        raise PasskeyError(_NOT_ACCEPTED)
    return person


class _Asked:
    """A challenge that was used up, and the page that it was for."""

    def __init__(self, challenge: str, stored: OneTimeToken) -> None:
        body = json.loads(stored.body)
        self.challenge = challenge
        self.stored = stored
        self.origin, self.rp_id = str(body["origin"]), str(body["rp_id"])


def _issue_challenge(
    stores: Stores,
    purpose: OneTimePurpose,
    origin: str,
    rp_id: str,
    person_id: str | None = None,
) -> str:
    body = json.dumps({"origin": origin, "rp_id": rp_id})
    return issue_one_time_token(stores, purpose, CHALLENGE_NS, person_id=person_id, body=body)[0]


def _take_challenge(
    stores: Stores, purpose: OneTimePurpose, credential: dict[str, Any], pages_url: str
) -> _Asked:
    """Use up the challenge that an answer names, whatever else is wrong with it."""
    from webauthn import base64url_to_bytes

    def read() -> str:
        client_data = base64url_to_bytes(credential["response"]["clientDataJSON"])
        return str(json.loads(client_data)["challenge"])

    challenge = _verify(read)
    stored = take_one_time_token(stores, challenge, purpose)
    if stored is None:
        raise PasskeyError("That took too long, or was used already. Try once more.")
    asked = _Asked(challenge, stored)
    if asked.origin not in known_origins(pages_url):  # the setting was changed meanwhile
        raise PasskeyError(_NOT_ACCEPTED)
    return asked


def _verify(step: Callable[[], Result]) -> Result:
    """Take a step with what a stranger sent: whatever its parsers raise, it is not accepted."""
    try:
        return step()
    except Exception as error:
        raise PasskeyError(_NOT_ACCEPTED) from error


def _origin(scheme: str, host: str, port: int | None) -> str:
    """Write an origin as browsers do, without the port that its scheme has anyway."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + ("" if port in (None, _DEFAULT_PORTS.get(scheme)) else f":{port}")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_number(host) and ipaddress.ip_address(host).is_loopback)
