"""The five changes of CONTRIBUTING.md: each takes few files, and registering is enough.

Each change is a patch in ``newcomer/``. It is applied to a copy of the project, where its check and
the tests that must see it are run: all five in one run, or each by itself
with EBBTIDE_NEWCOMER=each.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.newcomer_patches import PATCHES, apply_patch, copy_project
from tests.conftest import ROOT

_REMAKE = (
    "{name}.patch does not apply to the project any more. Remake it:\n"
    "  uv run python scripts/newcomer_patches.py unpack {name} /tmp/change\n"
    "  (mend what the .rej files in /tmp/change list, delete them, run the tests there)\n"
    "  uv run python scripts/newcomer_patches.py pack {name} /tmp/change\n"
)
# Not counted as a place to know: documentation, generated catalogues of texts, and tests with their
# examples. Of the tests one counts: without its line there, no contract runs on an engine.
_NOT_COUNTED = re.compile(r"^(docs|tests)/|\.pot?$")
_COUNTED = {"tests/contracts/conftest.py"}


@dataclass(frozen=True, slots=True)
class Change:
    """A patch: the number of files that it may take, and the tests that must see it: files, and
    what names those of them that are run (pytest's ``-k``).
    """

    name: str
    files: int
    tests: tuple[str, ...]
    chosen: str


CHANGES = (
    Change("file_format", 2, ("tests/ingest/files/test_formats.py",), "test_formats and Beat"),
    Change("hrv_metric", 1, ("tests/analytics/hrv/test_metrics.py",), "hrv and test_metrics"),
    Change(
        "api_route",
        3,
        (
            "tests/api/routes/analysis/test_metrics.py",
            "tests/project/test_every_route.py",
            "tests/project/test_docs.py",
        ),
        "(analysis and test_metrics) or (test_docs and reference)"
        " or (test_every_route and (told or document or tess))",
    ),
    Change(
        "dashboard_page",
        2,
        ("tests/dashboard/test_navigation.py", "tests/dashboard/test_language.py"),
        "test_navigation or test_language",
    ),
    Change(
        "storage_backend",
        4,
        ("tests/contracts/test_beat_store.py", "tests/project/test_docs.py"),
        "(test_beat_store and memory) or (test_docs and reference)",
    ),
)
# A run of pytest costs more than most of what it tests here.
TOGETHER = [(change,) for change in CHANGES]
if os.environ.get("EBBTIDE_NEWCOMER") != "each":
    TOGETHER = [CHANGES]
every_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with this environment's libraries and the copy's code."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    environment["PYTHONPATH"] = str(project)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )


def run_tests(project: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    return run(project, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)


@contextmanager
def applied(project: Path, *changes: Change) -> Iterator[None]:
    """Apply the patches, and take them back at the end."""
    with ExitStack() as stack:
        for change in changes:
            # One line of context on either side must be as it was; more would break too often.
            done = apply_patch(change.name, project, "-C1")
            assert done.returncode == 0, _REMAKE.format(name=change.name) + done.stderr
            stack.callback(take_back, change, project)
        yield


def take_back(change: Change, project: Path) -> None:
    done = apply_patch(change.name, project, "-C1", "--reverse")
    assert done.returncode == 0, done.stderr


def check_of(change: Change) -> str:
    return f"tests/project/newcomer/check_{change.name}.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project; one for all tests, so that Python compiles it once."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("newcomer") / "project"
    copy_project(folder)
    return folder


@every_change
def test_change_takes_as_many_files_as_promised(change: Change) -> None:
    patch = (PATCHES / f"{change.name}.patch").read_text()
    names = set(re.findall(r"^\+\+\+ b/(.+)$", patch, re.MULTILINE))
    counted = {name for name in names if not _NOT_COUNTED.search(name)} | (names & _COUNTED)
    assert len(counted) == change.files, sorted(counted)


def test_every_patch_has_its_check() -> None:
    names = {change.name for change in CHANGES}
    assert {path.stem for path in PATCHES.glob("*.patch")} == names
    assert {path.stem.removeprefix("check_") for path in PATCHES.glob("check_*.py")} == names


def test_each_check_fails_without_its_patch(project: Path) -> None:
    done = run_tests(project, *(check_of(change) for change in CHANGES))
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^\d+ failed in", done.stdout, re.MULTILINE), done.stdout[-3000:]


@pytest.mark.parametrize("changes", TOGETHER, ids=lambda found: "+".join(c.name for c in found))
def test_registering_is_enough(changes: tuple[Change, ...], project: Path) -> None:
    checks = [check_of(change) for change in changes]
    tests = dict.fromkeys(test for change in changes for test in change.tests)
    chosen = " or ".join(["check_", *(f"({change.chosen})" for change in changes)])
    with applied(project, *changes):
        done = run_tests(project, "-rA", *checks, *tests, "-k", chosen)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    for file in (*checks, *tests):
        assert f"PASSED {file}::" in done.stdout, f"nothing was run of {file}"


def test_all_five_follow_the_rules_of_the_project(project: Path) -> None:
    with applied(project, *CHANGES):
        for command in (
            ("-m", "ruff", "check", "--no-cache", "."),
            ("-m", "ruff", "format", "--no-cache", "--check", "."),
            ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
        ):
            done = run(project, *command)
            assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def test_a_patch_that_does_not_apply_says_how_to_remake_it(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match=r"newcomer_patches\.py unpack hrv_metric"),
        applied(tmp_path, CHANGES[1]),
    ):
        pass
