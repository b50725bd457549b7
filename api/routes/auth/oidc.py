"""Signing in with OpenID Connect, for clinics that have it: code flow with PKCE, through Authlib.

The browser goes to the clinic's provider and comes back here; the pages then exchange a code that
is good once for a session. Accounts are made by invitation as ever: the provider only says who
somebody is.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import httpx
from fastapi import APIRouter, Cookie, Depends, Query, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse

from api.http.deps import StoresDep, issue_token, token_hash
from api.http.problems import ProblemError, describe_problems
from api.routes.auth.invitations import issue_one_time_token
from api.routes.auth.sign_in import SignInOut
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE, SECOND, to_datetime
from store import Stores
from store.models import OneTimePurpose, Person

if TYPE_CHECKING:  # Only a clinic that has a provider pays for loading it.
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oidc.core import CodeIDToken

router = APIRouter(tags=["sign in"])
COOKIE = "ebbtide_oidc"
_STATE_LIFETIME, _CODE_LIFETIME = 10 * MINUTE, MINUTE
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # nothing with a shared secret, and never "none"
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Provider:
    """The clinic's provider, and where the pages are that people come back to."""

    issuer: str
    client_id: str
    client_secret: str
    api_url: str
    pages_url: str

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back to."""
        return f"{self.api_url.rstrip('/')}/v1/oidc/callback"

    def described(self) -> dict[str, Any]:
        """What the provider says about itself (OpenID Connect Discovery 1.0)."""
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: dict[str, Any] = _fetch(address)
        if found.get("issuer", "").rstrip("/") != self.issuer.rstrip("/"):
            raise _provider_fails("it calls itself by another name")
        return found


def provider_from_settings(settings: Settings) -> Provider | None:
    """The provider that the settings name."""
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    return Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        "" if secret is None else secret.get_secret_value(),
        settings.oidc_api_url or settings.api_url,
        settings.dashboard_url,
    )


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
    oidc: bool = Field(description="Whether GET /v1/oidc/start leads to the clinic's sign-in")


class CodeIn(BaseModel):
    """The code that the pages were given."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=200)


@router.get("/sign-in/ways")
def sign_in_methods(request: Request) -> SignInMethods:
    """How one can sign in here."""
    return SignInMethods(oidc=request.app.state.provider is not None)


@router.get(
    "/oidc/start",
    status_code=303,
    response_class=RedirectResponse,
    responses=describe_problems(404, 503),
)
def start(provider: ProviderDep, stores: StoresDep) -> RedirectResponse:
    """Send the browser to the clinic's sign-in."""
    verifier, browser = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    nonce = secrets.token_urlsafe(16)
    kept = {"verifier": verifier, "nonce": nonce, "browser": token_hash(browser)}
    state, _ = issue_one_time_token(
        stores, OneTimePurpose.OIDC_STATE, _STATE_LIFETIME, body=json.dumps(kept)
    )
    with _client(provider) as client:
        address, _ = client.create_authorization_url(
            provider.described()["authorization_endpoint"],
            state=state,
            nonce=nonce,
            code_verifier=verifier,
        )
    answer = RedirectResponse(address, 303)
    # Whoever comes back must be the browser that went.
    answer.set_cookie(
        COOKIE,
        browser,
        max_age=_STATE_LIFETIME // SECOND,
        path="/v1/oidc",
        secure=provider.api_url.startswith("https"),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get(
    "/oidc/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=describe_problems(403, 404, 422, 503),
)
def callback(
    request: Request,
    provider: ProviderDep,
    stores: StoresDep,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    browser: Annotated[str | None, Cookie(alias=COOKIE)] = None,
) -> RedirectResponse:
    """Where the provider sends the browser back to."""
    found = stores.access.take_one_time_token(
        token_hash(state), OneTimePurpose.OIDC_STATE, stores.now()
    )
    if found is None:
        raise ProblemError(403, "This sign-in took too long, or was used already. Begin again.")
    kept = json.loads(found.body)
    if not hmac.compare_digest(token_hash(browser or ""), kept["browser"]):
        raise ProblemError(403, "This sign-in began in another browser. Begin again.")
    if code is None:
        raise ProblemError(403, f"The clinic's sign-in said no ({error or 'without a reason'}).")
    claims = _claims(provider, code, kept)
    person = _person(stores, claims)
    exchange, _ = issue_one_time_token(
        stores, OneTimePurpose.OIDC_CODE, _CODE_LIFETIME, person_id=person.id
    )
    answer = RedirectResponse(f"{provider.pages_url}?{urlencode({'code': exchange})}", 303)
    answer.delete_cookie(COOKIE, path="/v1/oidc")
    return answer


@router.post("/oidc/exchange", responses=describe_problems(404, 422))
def exchange(asked: CodeIn, stores: StoresDep) -> SignInOut:
    """Exchange the code for a session; it is good once, for a minute."""
    found = stores.access.take_one_time_token(
        token_hash(asked.code), OneTimePurpose.OIDC_CODE, stores.now()
    )
    person = None
    if found is not None and found.person_id is not None:
        person = stores.records.person(found.person_id)
    if person is None or not stores.access.active(person.id):
        raise ProblemError(404, "This code was used already, or its time is over.")
    token, kept = issue_token(stores, person)
    return SignInOut(token=token, expires=to_datetime(kept.expires_ns))


def _claims(provider: Provider, code: str, kept: Mapping[str, str]) -> CodeIDToken:
    """Who the provider says it is, checked (OpenID Connect Core 1.0, 3.1.3.7)."""
    from authlib.oidc.core import CodeIDToken

    known = provider.described()
    try:
        with _client(provider) as client:
            answer = client.fetch_token(
                known["token_endpoint"], code=code, code_verifier=kept["verifier"]
            )
        keys = KeySet.import_key_set(_fetch(known["jwks_uri"]))
        token = jwt.decode(answer["id_token"], keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "values": [known["issuer"]]},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={"nonce": kept["nonce"], "client_id": provider.client_id},
        )
        claims.validate(leeway=60)
    except (httpx.HTTPError, OSError) as error:
        raise _provider_fails(type(error).__name__) from error
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _not_proved(error) from error
    except Exception as error:  # Authlib's own, of several families
        if type(error).__module__.split(".")[0] != "authlib":
            raise
        raise _not_proved(error) from error
    if claims.get("nonce") != kept["nonce"]:
        raise _not_proved(ValueError("nonce"))
    return claims


def _person(stores: Stores, claims: CodeIDToken) -> Person:
    """Whose account it is: by an address that the provider has verified."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise ProblemError(403, "The clinic's sign-in did not give a verified address.")
    person = stores.records.person_by_email(email)
    if person is None or not stores.access.active(person.id):
        raise ProblemError(403, "There is no account with your address here. Ask to be invited.")
    return person


def _client(provider: Provider) -> OAuth2Client:
    from authlib.integrations.httpx_client import OAuth2Client

    return OAuth2Client(
        provider.client_id,
        provider.client_secret,
        scope="openid email",
        redirect_uri=provider.redirect_uri,
        code_challenge_method="S256",
        timeout=_TIMEOUT_S,
    )


def _fetch(address: str) -> Any:
    try:
        answer = httpx.get(address, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _provider_fails(type(error).__name__) from error


def _provider_fails(what: str) -> ProblemError:
    return ProblemError(
        503, f"The clinic's sign-in does not answer as it should ({what}). Try again later."
    )


def _not_proved(error: Exception) -> ProblemError:
    return ProblemError(
        403, f"The clinic's sign-in could not prove who you are ({type(error).__name__})."
    )
