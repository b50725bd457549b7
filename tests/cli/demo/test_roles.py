"""The demo's choice of roles: one click each, and for no other site."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from api.app import create_app
from cli.demo.clinic import SampleAccounts, add_accounts
from cli.demo.roles import RolesPage
from cli.server.thread import ApiThread
from store import Stores
from store.models import Role


@pytest.fixture
def accounts(stores: Stores) -> SampleAccounts:
    return add_accounts(stores, "tide-1234-5678", stores.now())


@pytest.fixture
def client(stores: Stores, accounts: SampleAccounts) -> Iterator[httpx.Client]:
    roles = Starlette(routes=RolesPage(stores, accounts).routes)
    with ApiThread(roles) as served, httpx.Client(base_url=served.url) as made:
        yield made


@pytest.mark.parametrize("role", Role)
def test_a_click_signs_in_as_each_role(
    client: httpx.Client, accounts: SampleAccounts, stores: Stores, role: Role
) -> None:
    assert f'value="{role}"' in client.get("/demo").raise_for_status().text
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
    entered = client.post("/demo/enter", data={"role": role}, headers=headers)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    (token,) = entered.cookies.values()
    with ApiThread(create_app(stores)) as api:
        me = httpx.get(f"{api.url}/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
    assert (me["role"], me["email"]) == (role, accounts.by_role[role].email)
    assert me["simulated"]


@pytest.mark.parametrize(
    ("headers", "role", "status"),
    [
        ({"Origin": "http://elsewhere.example"}, "patient", 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, "patient", 403),
        ({}, "patient", 403),
        ({"Sec-Fetch-Site": "same-origin"}, "owner", 422),
        ({"Sec-Fetch-Site": "same-origin"}, "", 422),
        ({"Sec-Fetch-Site": "same-origin"}, "patient" * 10**6, 422),
    ],
)
def test_nobody_else_is_signed_in(
    client: httpx.Client, headers: dict[str, str], role: str, status: int
) -> None:
    refused = client.post("/demo/enter", data={"role": role}, headers=headers)
    assert refused.status_code == status
    assert not refused.cookies


def test_the_page_speaks_the_language_of_the_browser(client: httpx.Client) -> None:
    page = client.get("/demo", headers={"Accept-Language": "de-AT, en;q=0.5"})
    assert '<html lang="de">' in page.text and page.headers["vary"] == "Accept-Language"
    assert "Wer möchten Sie sein?" in page.text and "Kein Medizinprodukt." in page.text
    assert not re.search(
        r"\b(the|Patient<|strap|Everything|device)\b", page.text.split("<body>")[1]
    )
    english = client.get("/demo", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en">' in english and "Whom would you like to be?" in english
