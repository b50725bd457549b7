"""Signing in with the clinic's OpenID Connect provider."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Cookie, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse

from api.http.deps import StoresDep
from api.http.problems import ProblemError, describe_problems
from api.schemas.auth import SignInOut
from api.services.access_tokens import issue_signed_in_token
from api.services.first_run import has_accounts
from api.services.oidc import STATE_LIFETIME_NS, Provider, begin_sign_in, finish_sign_in
from api.services.one_time_tokens import take_person_token
from ebbtide.timestamps import SECOND
from store.models import OneTimePurpose

router = APIRouter(tags=["sign in"])
COOKIE = "ebbtide_oidc"


async def get_provider(request: Request) -> Provider:
    """The provider; a problem where there is none."""
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise ProblemError(404, "This Ebbtide has no OpenID Connect provider: sign in here.")
    return provider


ProviderDep = Annotated[Provider, Depends(get_provider)]


class SignInMethods(BaseModel):
    """How one can sign in here."""

    password: bool = True
    mail: bool = Field(
        default=False, description="Whether POST /v1/password-reset/mail sends a new link"
    )
    oidc: bool = Field(description="Whether GET /v1/oidc/start leads to the clinic's sign-in")
    first_run: bool = Field(
        default=False,
        description="There is no account yet: the address that `ebbtide start` opens makes it",
    )


class CodeIn(BaseModel):
    """The code that the pages were given."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=200)


@router.get("/sign-in/ways")
def sign_in_methods(request: Request, stores: StoresDep) -> SignInMethods:
    """How one can sign in here."""
    return SignInMethods(
        password=request.app.state.passwords != "nobody",
        oidc=request.app.state.provider is not None,
        mail=request.app.state.mailer is not None,
        first_run=not has_accounts(stores),
    )


@router.get(
    "/oidc/start",
    status_code=303,
    response_class=RedirectResponse,
    responses=describe_problems(404, 503),
)
def start(provider: ProviderDep, stores: StoresDep) -> RedirectResponse:
    """Send the browser to the clinic's sign-in."""
    address, browser = begin_sign_in(stores, provider)
    response = RedirectResponse(address, 303)
    response.set_cookie(
        COOKIE,
        browser,
        max_age=STATE_LIFETIME_NS // SECOND,
        path="/v1/oidc",
        secure=provider.api_url.startswith("https"),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(
    "/oidc/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=describe_problems(403, 404, 422, 503),
)
def callback(
    provider: ProviderDep,
    stores: StoresDep,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    browser: Annotated[str | None, Cookie(alias=COOKIE)] = None,
) -> RedirectResponse:
    """Where the provider sends the browser back to."""
    exchange = finish_sign_in(
        stores, provider, state=state, code=code, error=error, browser=browser or ""
    )
    response = RedirectResponse(f"{provider.pages_url}?{urlencode({'code': exchange})}", 303)
    response.delete_cookie(COOKIE, path="/v1/oidc")
    return response


@router.post("/oidc/exchange", responses=describe_problems(404, 422))
def exchange(body: CodeIn, stores: StoresDep) -> SignInOut:
    """Exchange the code for a session; it is good once, for a minute."""
    person = take_person_token(stores, body.code, OneTimePurpose.OIDC_CODE)
    if person is None or not stores.access.is_active(person.id):
        raise ProblemError(404, "This code was used already, or its time is over.")
    # Whether it asked for a second factor is the provider's matter.
    issued = issue_signed_in_token(stores, person, second_factor=True)
    if issued is None:
        raise ProblemError(404, "This code was used already, or its time is over.")
    token, access_token = issued
    return SignInOut.from_token(token, access_token.expires_ns)
