"""docs/operating/security.md names what exists; Bandit finds nothing; XML is defused."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ingest.files.registry import open_recording
from tests.conftest import ROOT

CHECKLIST = (ROOT / "docs" / "operating" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:\.?[\w.-]+/)*[\w.-]+\.\w+(?:::\w+)?|\.ci/\w+)`", CHECKLIST)))


@pytest.mark.parametrize("named", NAMED)
def test_what_the_checklist_names_exists(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).is_file(), f"docs/operating/security.md names {path}"
    if test:
        tree = ast.parse((ROOT / path).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_line_of_the_checklist_says_where() -> None:
    lines = [line for line in CHECKLIST.splitlines() if re.match(r"\| \d+\.", line)]
    assert len(lines) > 50
    for line in lines:
        where = line.strip("| ").split(" | ")[-1]
        assert re.search(r"`|this page|left to|by a proxy|by the clinic|not built|ids only", where)


def test_bandit_finds_nothing() -> None:
    packages = ["api", "store", "ingest", "analytics", "dashboard", "ebbtide"]
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-ll", "-r", *packages],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_an_export_with_entities_is_refused(tmp_path: Path) -> None:
    """The billion laughs, and a file of the machine's."""
    bombs = {
        "laughs": "<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>",
        "file": "<!ENTITY b SYSTEM 'file:///etc/passwd'>",
    }
    for name, entities in bombs.items():
        path = tmp_path / f"{name}.xml"
        path.write_text(
            f"<?xml version='1.0'?><!DOCTYPE HealthData [{entities}]>"
            "<HealthData><Record type='HKQuantityTypeIdentifierHeartRateVariabilitySDNN'>&b;"
            "</Record></HealthData>"
        )
        with pytest.raises(EbbtideError, match="declares entities"):
            open_recording(path, zone="UTC")
