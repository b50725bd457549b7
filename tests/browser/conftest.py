"""The browser of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize

from dashboard import start_dashboard
from ebbtide.settings import Settings
from store import open_stores
from tests.support.browser import opened_browser, opened_context
from tests.support.clinic import Clinic, opened_clinic


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    with opened_browser(chromium) as opened:
        yield opened


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with opened_clinic(open_stores(Settings(data_dir=tmp_path_factory.mktemp("clinic")))) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages_url(clinic: Clinic) -> Iterator[str]:
    with start_dashboard(clinic.url) as running:
        yield running.url


@pytest.fixture(params=[1300, 360])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    with opened_context(browser, ViewportSize(width=request.param, height=900)) as opened:
        yield opened
