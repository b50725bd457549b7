"""Signing in with a clinic's own OpenID Connect provider: oidc-provider-mock over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from api.app import create_app
from api.http.problems import STATUS_OF
from api.services import oidc
from api.services.errors import IdentityError
from api.services.one_time_tokens import issue_one_time_token
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import HOUR
from store import Stores
from store.models import OneTimePurpose
from store.models.records import Role
from tests.support.accounts import PASSWORD, add_account
from tests.support.assertions import assert_problem

PAGES = "http://pages.example/"


@pytest.fixture
def provider() -> Iterator[str]:
    """A provider with accounts of Ada, and of Eve, whose address is not verified."""
    people = [
        oidc_provider_mock.User(
            sub="ada", claims={"email": "Ada@example.org", "email_verified": True}
        ),
        oidc_provider_mock.User(
            sub="eve", claims={"email": "eve@example.org", "email_verified": False}
        ),
        oidc_provider_mock.User(
            sub="new", claims={"email": "new@example.org", "email_verified": True}
        ),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def api(stores: Stores, settings: Settings, provider: str) -> Iterator[ApiThread]:
    for name, role in (("ada", Role.THERAPIST), ("eve", Role.PATIENT)):
        add_account(stores, f"{name}@example.org", name=name, role=role)
    app = create_app(stores, settings)
    with ApiThread(app) as running:
        app.state.provider = oidc.provider_from_settings(
            settings.model_copy(
                update={
                    "oidc_issuer": provider,
                    "oidc_client_secret": SecretStr("not so secret"),
                    "oidc_api_url": running.url,
                    "dashboard_url": PAGES,
                }
            )
        )
        yield running


def at_provider(api: ApiThread, browser: httpx.Client, who: str) -> str:
    """Go to the provider and sign in there; the address it sends back to."""
    start = browser.get(f"{api.url}/v1/oidc/start")
    assert start.status_code == 303
    query = parse_qs(urlsplit(start.headers["location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["openid email"]
    cookie = start.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    back = httpx.post(start.headers["location"], data={"sub": who})
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(PAGES)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_the_whole_way(api: ApiThread) -> None:
    assert httpx.get(f"{api.url}/v1/sign-in/ways").json() == {
        "password": True,
        "oidc": True,
        "mail": False,
        "first_run": False,
    }
    with httpx.Client() as browser:
        back = at_provider(api, browser, "ada")
        code = code_of(browser.get(back))
        exchange = httpx.post(f"{api.url}/v1/oidc/exchange", json={"code": code})
        token = exchange.json()["token"]
        me = httpx.get(f"{api.url}/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert (me.json()["email"], me.json()["role"]) == ("ada@example.org", "therapist")
        again = httpx.post(f"{api.url}/v1/oidc/exchange", json={"code": code})
        assert_problem(again, 404, "used already")
        assert_problem(browser.get(back), 403, "used already")


def test_staff_come_in_by_the_provider_alone_where_it_is_set(
    api: ApiThread, stores: Stores, settings: Settings
) -> None:
    """EBBTIDE_PASSWORDS=patients: neither a password nor a link leads past the second factor."""
    app = create_app(stores, settings)
    app.state.passwords = "patients"
    with ApiThread(app) as strict:
        sign_in = f"{strict.url}/v1/sign-in"
        for name, status in (("ada", 403), ("eve", 200)):
            body = {"email": f"{name}@example.org", "password": PASSWORD}
            answer = httpx.post(sign_in, json=body, timeout=60)
            assert answer.status_code == status, answer.text
        # Who does not know the password learns nothing of the role.
        wrong = {"email": "ada@example.org", "password": "another password"}
        assert_problem(httpx.post(sign_in, json=wrong, timeout=60), 401, "not right")
        ada = stores.records.person_by_email("ada@example.org")
        assert ada is not None
        link, _ = issue_one_time_token(stores, OneTimePurpose.PASSWORD, HOUR, person_id=ada.id)
        body = {"token": link, "new": "two ducks on a slow river"}
        assert_problem(httpx.post(f"{strict.url}/v1/password-reset", json=body, timeout=60), 403)
        app.state.passwords = "nobody"
        ways = httpx.get(f"{strict.url}/v1/sign-in/ways").json()
        assert ways == {"password": False, "oidc": False, "mail": False, "first_run": False}


def test_another_browser_cannot_come_back(api: ApiThread) -> None:
    with httpx.Client() as browser, httpx.Client() as other:
        back = at_provider(api, browser, "ada")
        assert_problem(other.get(back), 403, "another browser")
        assert_problem(browser.get(back), 403)  # nor this one, after that


def test_an_address_that_is_not_verified_or_not_invited_is_refused(api: ApiThread) -> None:
    with httpx.Client() as browser:
        assert_problem(browser.get(at_provider(api, browser, "eve")), 403, "verified")
        assert_problem(browser.get(at_provider(api, browser, "new")), 403, "invited")


def test_who_was_shut_out_stays_out(api: ApiThread, stores: Stores) -> None:
    ada = stores.records.person_by_email("ada@example.org")
    assert ada is not None
    with httpx.Client() as browser:
        back = at_provider(api, browser, "ada")
        code = code_of(browser.get(back))
        stores.access.set_active(ada.id, False)
        exchange = httpx.post(f"{api.url}/v1/oidc/exchange", json={"code": code})
        assert_problem(exchange, 404)
        assert_problem(browser.get(at_provider(api, browser, "ada")), 403)


def test_a_provider_that_refuses_or_is_unavailable(api: ApiThread, stores: Stores) -> None:
    with httpx.Client() as browser:
        start = browser.get(f"{api.url}/v1/oidc/start")
        state = parse_qs(urlsplit(start.headers["location"]).query)["state"][0]
        params = {"state": state, "error": "access_denied"}
        refused = browser.get(f"{api.url}/v1/oidc/callback", params=params)
        assert_problem(refused, 403, "access_denied")
        wrong = browser.get(f"{api.url}/v1/oidc/callback", params={"state": "x", "code": "y"})
        assert_problem(wrong, 403)
        app = api.app
        app.state.provider = replace(app.state.provider, issuer="http://127.0.0.1:9")
        assert_problem(browser.get(f"{api.url}/v1/oidc/start"), 503, "ConnectError")
        app.state.provider = None
        assert_problem(browser.get(f"{api.url}/v1/oidc/start"), 404)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://somebody.else"},
        {"aud": "another client"},
        {"nonce": "of another sign-in"},
        {"exp": 1},
        {"nonce": None},
        {"key": "another"},
        {"alg": "none"},
    ],
    ids=str,
)
def test_a_token_that_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """Signed with another key, for another client, for another sign-in, or too old."""
    mine = RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})
    other = RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "https://issuer",
        "aud": "ebbtide",
        "sub": "ada",
        "exp": now + 600,
        "iat": now,
        "nonce": "n",
        "email": "ada@example.org",
        "email_verified": True,
    }
    header = {"alg": "RS256", "kid": "k"}
    metadata = {"issuer": "https://issuer", "token_endpoint": "t", "jwks_uri": "j"}

    def encode_token(claims: dict[str, Any], key: RSAKey) -> str:
        if change.get("alg") == "none" and claims is not good:
            import base64
            import json

            def part(words: object) -> str:
                return base64.urlsafe_b64encode(json.dumps(words).encode()).rstrip(b"=").decode()

            return f"{part({'alg': 'none'})}.{part(claims)}."
        return jwt.encode(header, claims, key)

    good = dict(claims)
    spoilt = {**claims, **{k: v for k, v in change.items() if k in claims}}
    spoilt = {k: v for k, v in spoilt.items() if v is not None}
    given = {"token": encode_token(good, mine)}

    class Client:
        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def fetch_token(self, *_: object, **__: object) -> dict[str, str]:
            return {"id_token": given["token"]}

    monkeypatch.setattr(oidc, "_client", lambda _: Client())
    monkeypatch.setattr(oidc, "_fetch", lambda _: {"keys": [mine.as_dict(private=False)]})
    monkeypatch.setattr(oidc.Provider, "fetch_metadata", lambda _: metadata)
    provider = oidc.Provider("https://issuer", "ebbtide", "s", "https://api", PAGES)
    request = {"verifier": "v", "nonce": "n"}
    assert oidc.fetch_claims(provider, "code", request)["email"] == "ada@example.org"
    given["token"] = encode_token(spoilt, other if "key" in change else mine)
    with pytest.raises(IdentityError) as refused:
        oidc.fetch_claims(provider, "code", request)
    assert STATUS_OF[refused.type] == (403, "not-allowed")
