"""The browser of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import opened_browser


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    with opened_browser(chromium) as opened:
        yield opened
