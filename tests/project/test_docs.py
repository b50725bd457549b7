"""docs/ as a site: it builds, without a broken link or picture."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in (
        "index",
        "guides/patient",
        "guides/therapist",
        "guides/analyst",
        "reference/http-api",
        "reference/client",
        "reference/analytics",
        "operating/security",
    ):
        page = tmp_path / ("index.html" if name == "index" else f"{name}/index.html")
        assert page.is_file()
        # Nothing is loaded from elsewhere.
        loaded = re.findall(r'(?:src|href)="(https?://[^"]+\.(?:css|js|woff2?))"', page.read_text())
        assert loaded == []


def test_every_picture_is_there() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        for name in re.findall(r"\]\(((?:\.\./)?images/[^)]+)\)", page.read_text()):
            assert (page.parent / name).is_file(), f"{page.name} shows {name}"


def test_generated_reference_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
