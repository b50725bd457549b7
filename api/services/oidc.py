"""Sign in with OpenID Connect, for clinics that have it: code flow with PKCE, through Authlib.

The browser goes to the clinic's provider and comes back to this API; the dashboard then exchanges a
one-time code for a session. Accounts are created by invitation as ever: the provider only
proves the identity.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.services.access_tokens import token_hash
from api.services.errors import IdentityError, ProviderError
from api.services.one_time_tokens import issue_one_time_token, take_one_time_token
from ebbtide._lazy import lazy_module
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE
from store import Stores
from store.models import OneTimePurpose, Person

if TYPE_CHECKING:  # loaded lazily: only a clinic that has a provider needs it
    import httpx
    from authlib.integrations.httpx_client import OAuth2Client
    from authlib.oidc.core import CodeIDToken
else:
    httpx = lazy_module("httpx")

STATE_LIFETIME_NS, _CODE_LIFETIME_NS = 10 * MINUTE, MINUTE
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # neither shared secrets nor "none"
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Provider:
    """The clinic's provider, and the addresses of this API and of the dashboard."""

    issuer: str
    client_id: str
    client_secret: str
    api_url: str
    pages_url: str

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back to."""
        return f"{self.api_url.rstrip('/')}/v1/oidc/callback"

    def fetch_metadata(self) -> dict[str, Any]:
        """Fetch the provider's metadata (OpenID Connect Discovery 1.0)."""
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata: dict[str, Any] = _fetch(address)
        if metadata.get("issuer", "").rstrip("/") != self.issuer.rstrip("/"):
            raise _provider_error("it calls itself by another name")
        return metadata


def provider_from_settings(settings: Settings) -> Provider | None:
    """The provider that the settings name; None where they name none."""
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


def begin_sign_in(stores: Stores, provider: Provider) -> tuple[str, str]:
    """Begin a sign-in. Returns the provider's address for the browser to go to, and a secret for
    the browser to keep: only the browser that went may come back.
    """
    verifier, browser = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
    nonce = secrets.token_urlsafe(16)
    request = {"verifier": verifier, "nonce": nonce, "browser": token_hash(browser)}
    state, _ = issue_one_time_token(
        stores, OneTimePurpose.OIDC_STATE, STATE_LIFETIME_NS, body=json.dumps(request)
    )
    with _client(provider) as client:
        address, _ = client.create_authorization_url(
            provider.fetch_metadata()["authorization_endpoint"],
            state=state,
            nonce=nonce,
            code_verifier=verifier,
        )
    return address, browser


def finish_sign_in(
    stores: Stores,
    provider: Provider,
    *,
    state: str,
    code: str | None,
    error: str | None,
    browser: str,
) -> str:
    """Check what the browser brought back from the provider. Returns a one-time code for the
    dashboard to exchange for a session. Raises IdentityError and ProviderError.
    """
    stored = take_one_time_token(stores, state, OneTimePurpose.OIDC_STATE)
    if stored is None:
        raise IdentityError("This sign-in took too long, or was used already. Begin again.")
    request = json.loads(stored.body)
    if not hmac.compare_digest(token_hash(browser), request["browser"]):
        raise IdentityError("This sign-in began in another browser. Begin again.")
    if code is None:
        raise IdentityError(f"The clinic's sign-in said no ({error or 'without a reason'}).")
    person = _find_account(stores, fetch_claims(provider, code, request))
    exchange, _ = issue_one_time_token(
        stores, OneTimePurpose.OIDC_CODE, _CODE_LIFETIME_NS, person_id=person.id
    )
    return exchange


def fetch_claims(provider: Provider, code: str, request: Mapping[str, str]) -> CodeIDToken:
    """Exchange the provider's code for an ID token, and validate it (OpenID Connect Core 1.0,
    3.1.3.7). ``request``: the verifier and nonce of the sign-in.
    """
    from authlib.oidc.core import CodeIDToken

    metadata = provider.fetch_metadata()
    try:
        with _client(provider) as client:
            tokens = client.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=request["verifier"]
            )
        keys = KeySet.import_key_set(_fetch(metadata["jwks_uri"]))
        token = jwt.decode(tokens["id_token"], keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "values": [metadata["issuer"]]},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={"nonce": request["nonce"], "client_id": provider.client_id},
        )
        claims.validate(leeway=60)
    except (httpx.HTTPError, OSError) as error:
        raise _provider_error(type(error).__name__) from error
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _identity_error(error) from error
    except Exception as error:  # Authlib's errors have no common base class
        if type(error).__module__.split(".")[0] != "authlib":
            raise
        raise _identity_error(error) from error
    if claims.get("nonce") != request["nonce"]:
        raise _identity_error(ValueError("nonce"))
    return claims


def _find_account(stores: Stores, claims: CodeIDToken) -> Person:
    """Find the account by an address that the provider has verified."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise IdentityError("The clinic's sign-in did not give a verified address.")
    person = stores.records.person_by_email(email)
    if person is None or not stores.access.is_active(person.id):
        raise IdentityError("There is no account with your address here. Ask to be invited.")
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
        response = httpx.get(address, timeout=_TIMEOUT_S)
        response.raise_for_status()
        return response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _provider_error(type(error).__name__) from error


def _provider_error(what: str) -> ProviderError:
    return ProviderError(
        f"The clinic's sign-in does not answer as it should ({what}). Try again later."
    )


def _identity_error(error: Exception) -> IdentityError:
    return IdentityError(
        f"The clinic's sign-in could not prove who you are ({type(error).__name__})."
    )
