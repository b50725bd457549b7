"""The pages on security name what exists; Bandit finds nothing; XML is defused."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ebbtide.errors import EbbtideError
from ingest.files.registry import open_recording
from tests.conftest import ROOT

OPERATING = ROOT / "docs" / "operating"
CHECKLIST = (OPERATING / "security.md").read_text()
ASVS = (OPERATING / "asvs.md").read_text()
TEXT = "\n".join((CHECKLIST, ASVS, (OPERATING / "threat-model.md").read_text()))
NAMED = sorted(set(re.findall(r"`((?:\.?[\w.-]+/)*[\w.-]+\.\w+(?:::\w+)?|\.ci/\w+)`", TEXT)))
# Requirements of levels 1 and 2 in each chapter of ASVS 5.0.0: 70 and 183.
REQUIREMENTS = (27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7)


@pytest.mark.parametrize("named", NAMED)
def test_what_the_checklist_names_exists(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).is_file(), f"a page of docs/operating names {path}"
    if test:
        tree = ast.parse((ROOT / path).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_line_of_the_checklist_says_where() -> None:
    lines = [line for line in CHECKLIST.splitlines() if re.match(r"\| \d+\.", line)]
    assert len(lines) > 50
    for line in lines:
        where = line.strip("| ").split(" | ")[-1]
        assert re.search(r"`|this page|left to|by a proxy|by the clinic|not built|ids only", where)


def expand_ids(text: str) -> list[str]:
    """Expand "1.2.6–1.2.8, 1.3.1" into single numbers."""
    found = []
    for part in text.split(", "):
        first, _, last = part.partition("–")
        section, _, begin = first.rpartition(".")
        end = (last or first).rpartition(".")[2]
        found += [f"{section}.{number}" for number in range(int(begin), int(end) + 1)]
    return found


def test_every_requirement_of_asvs_is_answered_once() -> None:
    rows = [
        line.strip("| ").split(" | ") for line in ASVS.splitlines() if re.match(r"\| \d+\.", line)
    ]
    ids = [one for row in rows for one in expand_ids(row[0])]
    assert len(ids) == len(set(ids)) == 253
    states = Counter(row[3] for row in rows for _ in expand_ids(row[0]))
    said = "Of them {met} are met, {not met} are not, {n/a} do not apply.".format_map(states)
    assert said in ASVS.replace("\n", " ")
    chapters = [int(one.partition(".")[0]) for one in ids]
    assert tuple(chapters.count(number) for number in range(1, 18)) == REQUIREMENTS
    for row in rows:
        _, _, _, state, where = row
        wanted = {
            "met": r"`|this page|as ",
            "not met": r"Operator|[Nn]ot done yet|as [\d.]+",
            "n/a": r"\w",
        }
        assert re.search(wanted[state], where), row


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
