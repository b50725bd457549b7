"""Ways to set a new password, or to remove lost second factors: a link by mail, or a code that is
handed over in person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from api.schemas.auth import PasswordLink
from api.services import lockout
from api.services.account_log import log_act
from api.services.mail import Mailer
from api.services.one_time_tokens import (
    find_one_time_token,
    has_issuer,
    issue_one_time_token,
    take_one_time_token,
)
from ebbtide.i18n import N_, translator
from ebbtide.timestamps import HOUR, to_datetime
from store import Stores
from store.models import OneTimePurpose, Person, Role

MAIL_LIFETIME_NS, CODE_LIFETIME_NS = HOUR, 8 * HOUR  # a code: a day at the clinic
_ISSUERS = frozenset({Role.ADMINISTRATOR, Role.THERAPIST})
_MAIL = N_(
    "Hello {name},\n\n{why}\n\nSet a new password here, within an hour, once:\n\n{link}\n\n"
    "If that was not you, nothing has changed: you can ignore this mail.\n"
)
_CHANGED_MAIL = N_(
    "Hello {name},\n\nThe password of your Ebbtide account was changed just now, and everything "
    "that was signed in has to sign in again.\n\n"
    "If that was not you, ask your clinic for a new link at once.\n"
)
_SECOND_FACTOR_MAIL = N_(
    "Hello {name},\n\n{issuer} sends you a link for your Ebbtide account, since you lost what you "
    "sign in with beside your password. It removes your passkeys and the codes of your app. It "
    "needs your password, and is good for an hour, once:\n\n{link}\n\n"
    "If you lost nothing, do not open it, and ask {issuer}.\n"
)
_SENT = N_("{issuer} sends you a link for a new password of your Ebbtide account.")
_ASKED = N_("Somebody asked for a new password of your Ebbtide account.")


@dataclass(frozen=True, slots=True)
class _Words:
    """What a kind of link is called in the person's access log, and in mails."""

    purpose: OneTimePurpose
    made: str
    sent: str
    subject: str


_PASSWORD = _Words(
    OneTimePurpose.PASSWORD,
    "made a code for a new password",
    "sent a link for a new password by mail",
    N_("A new password"),
)
_SECOND_FACTOR = _Words(
    OneTimePurpose.SECOND_FACTOR,
    "made a code that removes a lost second factor",
    "sent a link that removes a lost second factor by mail",
    N_("A lost passkey or app"),
)


def send_password_link(
    stores: Stores, mailer: Mailer | None, person: Person, issuer: Person
) -> PasswordLink:
    """Send a person a link by mail, or make a code where there is no mail. Earlier ones end, and
    the person's access log says who did it. Raises MailError.
    """
    why = translator(person.language)(_SENT).format(issuer=issuer.name)

    def write(token: str) -> str:
        return _mail_text(_mailer(mailer), person, token, why)

    return _send_link(stores, mailer, person, issuer, _PASSWORD, write)


def send_second_factor_link(
    stores: Stores, mailer: Mailer | None, person: Person, issuer: Person
) -> PasswordLink:
    """Send a person a link that removes their second factors, as ``send_password_link`` does."""

    def write(token: str) -> str:
        link = f"{_mailer(mailer).pages_url.rstrip('/')}/?{urlencode({'lost': token})}"
        text = translator(person.language)(_SECOND_FACTOR_MAIL)
        return text.format(name=person.name, issuer=issuer.name, link=link)

    return _send_link(stores, mailer, person, issuer, _SECOND_FACTOR, write)


def _mailer(mailer: Mailer | None) -> Mailer:
    assert mailer is not None
    return mailer


def _send_link(
    stores: Stores,
    mailer: Mailer | None,
    person: Person,
    issuer: Person,
    words: _Words,
    write: Callable[[str], str],
) -> PasswordLink:
    lifetime_ns = CODE_LIFETIME_NS if mailer is None else MAIL_LIFETIME_NS
    token, expires_ns = issue_one_time_token(
        stores,
        words.purpose,
        lifetime_ns,
        person_id=person.id,
        issuer_id=issuer.id,
    )
    if mailer is None:
        log_act(stores, issuer, person, words.made)
        return PasswordLink(token=token, expires=to_datetime(expires_ns), sent="code")
    log_act(stores, issuer, person, words.sent)
    mailer.send(person.email, translator(person.language)(words.subject), write(token))
    return PasswordLink(token=None, expires=to_datetime(expires_ns), sent="mail")


def mail_forgotten_password(stores: Stores, mailer: Mailer, email: str) -> None:
    """Mail a link to an address that has an account; else do nothing. Nobody waits for this, so
    that the time of an answer does not tell which it was.
    """
    if not lockout.is_mail_due(stores, email):
        return
    person = stores.records.person_by_email(email.strip())
    if person is None or not stores.access.is_active(person.id):
        return
    token, _ = issue_one_time_token(
        stores, OneTimePurpose.PASSWORD, MAIL_LIFETIME_NS, person_id=person.id
    )
    _ = translator(person.language)
    text = _mail_text(mailer, person, token, _(_ASKED))
    mailer.try_to_send(person.email, _(_PASSWORD.subject), text)


def find_link_owner(stores: Stores, token: str) -> Person | None:
    """Find who may set a new password with this token, and leave it; None where it is worth
    nothing, also since whoever issued it was shut out or lost their role.
    """
    return _find_owner(stores, token, OneTimePurpose.PASSWORD)


def find_second_factor_owner(stores: Stores, token: str) -> Person | None:
    """Find whose second factors this token removes, and leave it; as ``find_link_owner``."""
    return _find_owner(stores, token, OneTimePurpose.SECOND_FACTOR)


def use_second_factor_link(stores: Stores, token: str) -> bool:
    """Use up a token and remove its person's second factors; whether the token was still there.
    Everything that was signed in ends.
    """
    stored = take_one_time_token(stores, token, OneTimePurpose.SECOND_FACTOR)
    person = None
    if stored is not None and stored.person_id is not None:
        person = stores.records.person(stored.person_id)
    if person is None:
        return False
    stores.access.remove_second_factors(person.id)
    log_act(stores, person, person, "removed their second factors with a link or code")
    return True


def _find_owner(stores: Stores, token: str, purpose: OneTimePurpose) -> Person | None:
    stored = find_one_time_token(stores, token, purpose)
    if stored is None or stored.person_id is None:
        return None
    if stored.issuer_id is not None and not has_issuer(stores, stored.issuer_id, _ISSUERS):
        return None
    person = stores.records.person(stored.person_id)
    return person if person is not None and stores.access.is_active(person.id) else None


def use_password_link(stores: Stores, token: str, password_hash: str) -> bool:
    """Use up a token and set the password; whether the token was still there. Everything that was
    signed in ends.
    """
    stored = take_one_time_token(stores, token, OneTimePurpose.PASSWORD)
    person = None
    if stored is not None and stored.person_id is not None:
        person = stores.records.person(stored.person_id)
    if stored is None or person is None:
        return False
    stores.access.set_password(person.id, password_hash)
    issuer = None if stored.issuer_id is None else stores.records.person(stored.issuer_id)
    if issuer is not None:
        log_act(stores, issuer, person, "their link or code set a new password")
    lockout.reset_account(stores, person.email)
    return True


def mail_changed_password(mailer: Mailer, person: Person) -> None:
    """Tell a person that their password was changed. Nobody waits for it."""
    _ = translator(person.language)
    text = _(_CHANGED_MAIL).format(name=person.name)
    mailer.try_to_send(person.email, _(N_("Your password was changed")), text)


def _mail_text(mailer: Mailer, person: Person, token: str, why: str) -> str:
    link = f"{mailer.pages_url.rstrip('/')}/?{urlencode({'reset': token})}"
    return translator(person.language)(_MAIL).format(name=person.name, why=why, link=link)
