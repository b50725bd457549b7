"""Rules of the project: imports, types, style, dependencies, documentation."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from ebbtide.settings import Settings
from tests.conftest import LONGEST, ROOT

PACKAGES = ("ebbtide", "ingest", "store", "analytics", "phone", "api", "dashboard", "cli")


def run(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_arrows_go_one_way() -> None:
    run("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


def test_types_are_strict() -> None:
    run("-m", "mypy")


def test_style() -> None:
    run("-m", "ruff", "check", ".")
    run("-m", "ruff", "format", "--check", ".")


def test_the_command_line_imports_packages_lazily() -> None:
    code = (
        "import sys, cli.main; "
        "loaded = {name.split('.')[0] for name in sys.modules}; "
        f"print(sorted(loaded & set({PACKAGES[1:-1]!r}) | loaded & {{'numpy', 'streamlit'}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_dependency_has_an_upper_bound() -> None:
    found = project()
    for requirement in [*found["project"]["dependencies"], *found["dependency-groups"]["dev"]]:
        # tzdata is a calendar, and only the newest one is right.
        assert "<" in requirement or requirement.startswith("tzdata"), requirement


def test_every_package_has_a_docstring() -> None:
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == sorted(PACKAGES)
    for package in PACKAGES:
        assert '"""' in (ROOT / package / "__init__.py").read_text()


def test_every_module_has_a_docstring() -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            assert path.read_text().startswith('"""'), path


def test_no_file_of_the_project_names_a_registry() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    names = tracked.stdout.split()
    assert "uv.lock" not in names
    host = re.compile(rb"(pypi|pythonhosted|npmjs)\.(org|com)")
    for name in names:
        assert not host.search((ROOT / name).read_bytes()), name


def test_the_image_copies_every_package() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for package in PACKAGES:
        assert f"COPY {package} {package}\n" in text


def test_the_readme_names_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    for command in re.findall(r"ebbtide ([a-z-]+)", re.sub(r"`[^`\n]*`", "", text)):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command
    for setting in re.findall(r"EBBTIDE_([A-Z_]+)", text):
        assert setting.lower() in Settings.model_fields


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text()):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_what_begins_first_is_there() -> None:
    for name in LONGEST:
        assert (ROOT / "tests" / name).is_file(), f"{name}: take it from LONGEST, or name its parts"


def test_ci_calls_the_readme_command() -> None:
    command = "pip install uv && uv run --group dev pytest"
    assert f"\n{command}\n" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().endswith(f"\n{command}\n")
    assert Path(ROOT / ".ci" / "run").stat().st_mode & 0o100
