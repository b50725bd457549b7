"""Limits on requests: by the address that a request comes from, over all workers."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, event

from api.app import create_app
from api.services.access_tokens import issue_token
from api.services.request_limits import SharedRequestLimit
from cli.server.thread import ApiThread
from ebbtide.settings import Settings
from ebbtide.timestamps import MINUTE, SECOND
from store import Stores, open_stores
from tests.support.accounts import add_account
from tests.support.command_line import served
from tests.support.ports import free_port

NOON = 1_790_000_040 * SECOND // MINUTE * MINUTE


def test_made_up_headers_gain_nothing_over_two_workers(tmp_path: Path) -> None:
    """A new token or X-Forwarded-For a request passed the limit, and each worker had its own."""
    environment = {
        "EBBTIDE_DATA_DIR": str(tmp_path),
        "EBBTIDE_API_WORKERS": "2",
        "EBBTIDE_ANONYMOUS_REQUESTS_A_MINUTE": "40",
    }
    with served(environment, free_port()) as url, ThreadPoolExecutor(8) as many:

        def ask(number: int) -> int:
            headers = {
                "Authorization": f"Bearer made up {number}",
                "X-Forwarded-For": f"198.51.100.{number % 250}",
                "Forwarded": f"for=198.51.100.{number % 250}",
                "X-Real-IP": f"198.51.100.{number % 250}",
            }
            return httpx.get(f"{url}/v1/me", headers=headers).status_code

        codes = Counter(many.map(ask, range(160)))
    assert set(codes) == {401, 429}
    # Where the minute ends meanwhile, a few more.
    assert codes[401] <= 44


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_two_workers_share_a_limit_to_the_request(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    settings = Settings(data_dir=tmp_path)
    if engine == "postgresql":
        url = request.getfixturevalue("postgres").fresh_database()
        settings = Settings(data_dir=tmp_path, records_url=url)
    workers = [open_stores(settings) for _ in range(2)]
    limits = [SharedRequestLimit(100, 0, lambda: NOON) for _ in workers]
    passed = [0, 0]
    for number in range(400):
        worker = number % 2
        limit, store = limits[worker], workers[worker].access
        while (wait_s := limit.spend("k")) is None:
            limit.lease(limit.current("k"), "k", store)
        passed[worker] += wait_s == 0
    assert sum(passed) == 100
    assert min(passed) > 30
    for opened in workers:
        opened.close()


def test_a_limit_holds_over_a_sliding_minute(stores: Stores) -> None:
    now = NOON
    limit = SharedRequestLimit(60, 0, lambda: now)

    def spent(number: int) -> int:
        passed = 0
        for _ in range(number):
            while (wait_s := limit.spend("k")) is None:
                limit.lease(limit.current("k"), "k", stores.access)
            passed += wait_s == 0
        return passed

    now = NOON + 50 * SECOND
    assert spent(100) == 60
    now = NOON + MINUTE  # the next minute begins, and the last 60 s are full
    assert spent(100) == 0
    now = NOON + MINUTE + 30 * SECOND
    assert spent(100) == 30
    now = NOON + 3 * MINUTE
    assert spent(100) == 60


def test_uploads_cost_no_write_of_a_count(
    stores: Stores, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder sends 30 requests a minute; the limit is counted without a write for them."""
    person = add_account(stores, "ada@example.org")
    token, _ = issue_token(stores, person)
    writes = 0

    @event.listens_for(stores.engine, "before_cursor_execute")
    def _count(_c: object, _k: object, statement: str, *_: object) -> None:
        nonlocal writes
        writes += "request_counts" in statement

    assert isinstance(stores.engine, Engine)
    with (
        ApiThread(create_app(stores, settings)) as api,
        httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {token}"}) as client,
    ):
        for _ in range(35):
            client.get("/v1/me").raise_for_status()
    assert writes == 0


def test_addresses_of_trusted_proxies_alone_are_read(stores: Stores, settings: Settings) -> None:
    few = settings.model_copy(
        update={"anonymous_requests_a_minute": 10, "trusted_proxies": "127.0.0.0/8, 10.1.0.0/16"}
    )
    with ApiThread(create_app(stores, few)) as api:

        def codes(forwarded: str, number: int) -> list[int]:
            headers = {"X-Forwarded-For": forwarded}
            return [
                httpx.get(f"{api.url}/v1/me", headers=headers).status_code for _ in range(number)
            ]

        assert codes("198.51.100.1", 11) == [401] * 10 + [429]
        # What the client itself put before counts for nothing; the last untrusted one does.
        assert codes("203.0.113.9, 198.51.100.1, 10.1.2.3", 1) == [429]
        assert codes("198.51.100.2", 1) == [401]
        # One subscriber has a whole /64.
        assert codes("2001:db8::1", 10) == [401] * 10
        assert codes("2001:db8::2:1", 1) == [429]
        assert codes("2001:db8:0:1::1", 1) == [401]


def test_a_clinic_behind_one_address_is_signed_in_all_day(
    stores: Stores, settings: Settings
) -> None:
    """Valid tokens counted as look-ups of their address, without an end while they came."""
    now = [NOON]
    stores = replace(stores, now=lambda: now[0])
    few = settings.model_copy(update={"requests_a_minute": 20, "anonymous_requests_a_minute": 10})
    people = [add_account(stores, f"p{number}@example.org") for number in range(40)]
    tokens = [issue_token(stores, person)[0] for person in people]
    with ApiThread(create_app(stores, few)) as api, httpx.Client() as client:
        for minute in range(25):
            now[0] = NOON + minute * MINUTE
            codes = Counter(
                client.get(
                    f"{api.url}/v1/me", headers={"Authorization": f"Bearer {token}"}
                ).status_code
                for token in (tokens if minute in (0, 24) else tokens[:1])
            )
            assert set(codes) == {200}, (minute, codes)
