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

from api.http.deps import InHouse, hash_of, new_sign_in
from api.http.problems import ProblemError, described
from api.routes.auth.invitations import make_one_time
from api.routes.auth.sign_in import SignInAnswer
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE, SECOND, to_datetime
from store.protocols.access import OneTimePurpose
from store.protocols.records import Person
from store.stores import House

if TYPE_CHECKING:  # Only a clinic that has a provider pays for loading it.
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oidc.core import CodeIDToken

router = APIRouter(tags=["sign in"])
COOKIE = "ebbtide_oidc"
_STATE_LASTS, _CODE_LASTS = 10 * MINUTE, MINUTE
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
        found: dict[str, Any] = _fetched(address)
        if found.get("issuer", "").rstrip("/") != self.issuer.rstrip("/"):
            raise _provider_fails("it calls itself by another name")
        return found


def provider_of(settings: Settings) -> Provider | None:
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


async def known_provider(request: Request) -> Provider:
    """The provider; a problem where there is none."""
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise ProblemError(404, "This Ebbtide has no OpenID Connect provider: sign in here.")
    return provider


KnownProvider = Annotated[Provider, Depends(known_provider)]


class Ways(BaseModel):
    """How one can sign in here."""

    password: bool = True
    oidc: bool = Field(description="Whether GET /v1/oidc/start leads to the clinic's sign-in")


class CodeAsk(BaseModel):
    """The code that the pages were given."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=200)


@router.get("/sign-in/ways")
def ways(request: Request) -> Ways:
    """How one can sign in here."""
    return Ways(oidc=request.app.state.provider is not None)


@router.get(
    "/oidc/start",
    status_code=303,
    response_class=RedirectResponse,
    responses=described(404, 503),
)
def start(provider: KnownProvider, house: InHouse) -> RedirectResponse:
    """Send the browser to the clinic's sign-in."""
    verifier, browser = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    nonce = secrets.token_urlsafe(16)
    kept = {"verifier": verifier, "nonce": nonce, "browser": hash_of(browser)}
    state, _ = make_one_time(house, OneTimePurpose.OIDC_STATE, _STATE_LASTS, body=json.dumps(kept))
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
        max_age=_STATE_LASTS // SECOND,
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
    responses=described(403, 404, 422, 503),
)
def callback(
    request: Request,
    provider: KnownProvider,
    house: InHouse,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    browser: Annotated[str | None, Cookie(alias=COOKIE)] = None,
) -> RedirectResponse:
    """Where the provider sends the browser back to."""
    found = house.rights.take_one_time(hash_of(state), OneTimePurpose.OIDC_STATE, house.now())
    if found is None:
        raise ProblemError(403, "This sign-in took too long, or was used already. Begin again.")
    kept = json.loads(found.body)
    if not hmac.compare_digest(hash_of(browser or ""), kept["browser"]):
        raise ProblemError(403, "This sign-in began in another browser. Begin again.")
    if code is None:
        raise ProblemError(403, f"The clinic's sign-in said no ({error or 'without a reason'}).")
    claims = _claims(provider, code, kept)
    person = _person(house, claims)
    exchange, _ = make_one_time(house, OneTimePurpose.OIDC_CODE, _CODE_LASTS, person_id=person.id)
    answer = RedirectResponse(f"{provider.pages_url}?{urlencode({'code': exchange})}", 303)
    answer.delete_cookie(COOKIE, path="/v1/oidc")
    return answer


@router.post("/oidc/exchange", responses=described(404, 422))
def exchange(asked: CodeAsk, house: InHouse) -> SignInAnswer:
    """Exchange the code for a session; it is good once, for a minute."""
    found = house.rights.take_one_time(hash_of(asked.code), OneTimePurpose.OIDC_CODE, house.now())
    person = None
    if found is not None and found.person_id is not None:
        person = house.records.person(found.person_id)
    if person is None or not house.rights.active(person.id):
        raise ProblemError(404, "This code was used already, or its time is over.")
    token, kept = new_sign_in(house, person)
    return SignInAnswer(token=token, expires=to_datetime(kept.expires_ns))


def _claims(provider: Provider, code: str, kept: Mapping[str, str]) -> CodeIDToken:
    """Who the provider says it is, checked (OpenID Connect Core 1.0, 3.1.3.7)."""
    from authlib.oidc.core import CodeIDToken

    known = provider.described()
    try:
        with _client(provider) as client:
            answer = client.fetch_token(
                known["token_endpoint"], code=code, code_verifier=kept["verifier"]
            )
        keys = KeySet.import_key_set(_fetched(known["jwks_uri"]))
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


def _person(house: House, claims: CodeIDToken) -> Person:
    """Whose account it is: by an address that the provider has verified."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise ProblemError(403, "The clinic's sign-in did not give a verified address.")
    person = house.records.person_by_email(email)
    if person is None or not house.rights.active(person.id):
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


def _fetched(address: str) -> Any:
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
