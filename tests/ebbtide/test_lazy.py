"""Modules that are loaded when they are used."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from ebbtide._lazy import lazy_module


def test_a_lazy_module_is_the_module_once_used() -> None:
    import colorsys

    found = lazy_module("colorsys")
    assert "loaded when used" in repr(found)
    assert found.rgb_to_hsv is colorsys.rgb_to_hsv
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = found.no_such_name
    with pytest.raises(ModuleNotFoundError):
        _ = lazy_module("no_such_module").name


def test_the_api_begins_without_what_it_may_never_use() -> None:
    heavy = "alembic", "icalendar", "numba", "pandas", "pyarrow", "pywebpush", "requests", "scipy"
    code = f"import sys, api.app; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "[]"


def test_hrv_of_a_small_file_begins_without_scipy_and_pandas(tmp_path: Path) -> None:
    file = tmp_path / "small.txt"
    file.write_text("".join(f"{800 + 30 * math.sin(0.8 * k):.0f}\n" for k in range(400)))
    code = (
        "import sys; sys.argv = ['ebbtide', 'hrv', sys.argv[1]]\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print([m for m in ('scipy', 'pandas', 'httpx', 'cli.straps.record') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    lines = done.stdout.splitlines()
    assert any(line.split()[0] == "hf_ms2" and line.split()[1] != "-" for line in lines)
    assert lines[-1] == "[]"
