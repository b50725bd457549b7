"""Fixtures of the attacks."""

from __future__ import annotations

from tests.api.conftest import clinic

__all__ = ["clinic"]
