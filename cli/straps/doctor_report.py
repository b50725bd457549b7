"""The report of ``ebbtide doctor``: what helps to find a fault, without anything of a person.

It has what is listed here and nothing else: names of checks, their results, numbers and versions.
No sentence of a check is in it, since those name people, addresses, straps and folders.
"""

from __future__ import annotations

import platform
import re
import sqlite3
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cli.straps.check import Check
from ebbtide import __version__
from ebbtide.settings import Settings

_PACKAGES = (
    *("bleak", "fastapi", "numpy", "pandas", "scipy", "sqlalchemy", "streamlit", "uvicorn"),
    *("dbus-fast", "influxdb", "psycopg"),
)
_NUMBERS = re.compile(r"\d+(\.\d+)*")
_SYSTEMS = frozenset({"Linux", "Darwin", "Windows"})
_MACHINES = frozenset({"x86_64", "AMD64", "arm64", "aarch64", "armv7l", "i686"})


def make_report(settings: Settings, checks: Iterable[Check]) -> dict[str, Any]:
    """Make the report of these checks."""
    from cli.server.at_login import count_errors, is_installed

    return {
        "ebbtide": __version__,
        "python": platform.python_version(),
        "system": _one_of(platform.system(), _SYSTEMS),
        # A kernel may be named after the machine or who built it.
        "release": _numbers(platform.release()),
        "machine": _one_of(platform.machine(), _MACHINES),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: found for name in _PACKAGES if (found := _find_version(name))},
        "in_environment": sys.prefix != sys.base_prefix,
        "embedded": settings.is_embedded,
        "starts_at_login": is_installed(settings),
        "errors_logged": count_errors(settings),
        "checks": [
            {"check": check.key, "finding": check.finding.value, **check.facts} for check in checks
        ],
    }


def _numbers(text: str) -> str:
    found = _NUMBERS.match(text)
    return found[0] if found else ""


def _one_of(text: str, known: frozenset[str]) -> str:
    return text if text in known else "another"


def _find_version(name: str) -> str | None:
    try:
        return _numbers(version(name))
    except PackageNotFoundError:
        return None
