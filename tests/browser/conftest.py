"""The browser of these tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from zlib import crc32

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize

from dashboard import start_dashboard
from ebbtide.settings import Settings
from store import open_stores
from tests.support.browser import opened_browsers, opened_context
from tests.support.clinic import Clinic, opened_clinic

# CI opens each of these tests at one of the widths; EBBTIDE_WIDTHS=all at both.
WIDTHS = [1300, 360]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep of the tests that are there once for each width one, half of them on a phone's."""
    is_named = any("[" in argument for argument in config.args)
    if is_named or os.environ.get("EBBTIDE_WIDTHS") == "all":
        return
    left_out = [item for item in items if _is_left_out(item)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _is_left_out(item: pytest.Item) -> bool:
    width = getattr(item, "callspec", None) and item.callspec.params.get("context")
    name = f"{item.path.name}::{getattr(item, 'originalname', '')}"
    return width in WIDTHS and width != WIDTHS[crc32(name.encode()) % len(WIDTHS)]


@pytest.fixture(scope="module")
def _browsers(chromium: str) -> Iterator[Callable[[], Browser]]:
    with opened_browsers(chromium) as newest:
        yield newest


@pytest.fixture
def browser(_browsers: Callable[[], Browser]) -> Iterator[Browser]:
    """A browser in which nothing is open: one for the tests of a file, as long as it lives."""
    opened = _browsers()
    yield opened
    for context in opened.contexts:
        context.close()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with opened_clinic(open_stores(Settings(data_dir=tmp_path_factory.mktemp("clinic")))) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages_url(clinic: Clinic) -> Iterator[str]:
    with start_dashboard(clinic.url) as running:
        yield running.url


@pytest.fixture(params=WIDTHS)
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    with opened_context(browser, ViewportSize(width=request.param, height=900)) as opened:
        yield opened
