"""The account with which a command asks the API, and what to do where the API refuses it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from cli.language import _
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    from ebbtide.client import ApiError, Client


def research_token() -> str:
    """The token in EBBTIDE_TOKEN; empty where there is none."""
    return os.environ.get("EBBTIDE_TOKEN", "").strip()


def sign_in(url: str, email: str) -> Client:
    """Sign in with the password that is asked for, and with a code where the account has one.

    Raises ApiError.
    """
    from ebbtide.client import ApiError, Client

    password = typer.prompt(_("Password"), hide_input=True, err=True)
    try:
        return Client.sign_in(url, email, password)
    except ApiError as error:
        if error.kind != "second-factor":
            raise
    code = typer.prompt(_("Code of your app, or a recovery code"), err=True)
    return Client.sign_in(url, email, password, code=code)


def refusal(error: ApiError, *, by_token: bool = False) -> EbbtideError:
    """What to do about an answer of the API. ``by_token``: the account is that of EBBTIDE_TOKEN."""
    from ebbtide.client import SignedOutError, UnavailableError

    if isinstance(error, SignedOutError) and by_token:
        return EbbtideError(
            f"The API does not take the token in EBBTIDE_TOKEN: {error}",
            "Make another on the page Research, and put it into EBBTIDE_TOKEN.",
        )
    if isinstance(error, SignedOutError):
        return EbbtideError(f"The API ended the sign-in: {error}", "Run it again and sign in.")
    if error.status == 401:
        return EbbtideError(
            f"The API refused the sign-in: {error}", "Check the address and the password."
        )
    if error.status == 403 and by_token:
        return EbbtideError(
            f"The token in EBBTIDE_TOKEN may not do this: {error}",
            "Make a token for it on the page Research, signed in as an analyst.",
        )
    if error.status == 403:
        return EbbtideError(
            f"This account may not do this: {error}", "Sign in with an account that may."
        )
    if error.status == 429:
        return EbbtideError(f"The API refused it for now: {error}", "Wait, and run it again.")
    if isinstance(error, UnavailableError) or error.status is None:
        return EbbtideError(f"The API did not give it: {error}", "Is it running?")
    return EbbtideError(
        f"The API refused it: {error}",
        "Check EBBTIDE_API_URL, and whether this program and the API are of one version.",
    )
