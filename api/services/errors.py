"""Errors that use cases raise. ``api.http.problems`` alone knows their status codes.

::

    EbbtideError
    └── ServiceError             detail to answer with
        ├── LockedOutError       too many wrong passwords
        ├── AccountErasedError   whose phone this was has been erased
        ├── TooManyPhonesError   the app is signed in on as many phones as may be
        ├── MailError            the server for mail refuses, or does not answer
        ├── UnknownPseudonymError
        ├── TooFewPeopleError    a cohort in which one person could be recognised
        ├── PasskeyError         a passkey that does not prove who it is
        ├── PasskeyAddressError  an address at which no passkey can be used
        ├── ProviderError        the OpenID Connect provider does not answer as it should
        └── IdentityError        the provider's answer does not prove an identity
"""

from __future__ import annotations

from ebbtide.errors import EbbtideError


class ServiceError(EbbtideError):
    """A use case cannot be carried out; the text says why."""


class LockedOutError(ServiceError):
    """Too many wrong passwords for an address. ``wait_s``: seconds until it may try again."""

    def __init__(self, what: str, wait_s: int) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class AccountErasedError(ServiceError):
    """Whoever was signed in on this phone has been erased: it deletes what it holds."""


class TooManyPhonesError(ServiceError):
    """The app is signed in on as many phones of a person as may be."""


class MailError(ServiceError):
    """The mail could not be sent."""


class UnknownPseudonymError(ServiceError):
    """No person who consents to research has this pseudonym."""


class TooFewPeopleError(ServiceError):
    """Of so few people an analyst gets nothing."""


class PasskeyError(ServiceError):
    """A passkey, or the answer of a browser with one, is not accepted."""


class PasskeyAddressError(ServiceError):
    """At this address of the pages no passkey can be used."""


class ProviderError(ServiceError):
    """The OpenID Connect provider cannot be reached, or answers what it should not."""


class IdentityError(ServiceError):
    """The provider's answer does not identify a person who may sign in here."""
