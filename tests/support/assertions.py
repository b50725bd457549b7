"""Assertions that several test files share."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest


def assert_problem(response: httpx.Response, status: int, *words: str) -> None:
    """Assert that a response is a problem (RFC 9457) of this status, with these words in it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    for word in words:
        assert word in problem["detail"]


def wait_for(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for what a route does after it has answered; fail where it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def assert_close(one: object, other: object) -> None:
    """Equal, numbers to 1e-9."""
    if isinstance(one, dict) and isinstance(other, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_close(one[name], other[name])
    elif isinstance(one, list) and isinstance(other, list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_close(left, right)
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    else:
        assert one == other
