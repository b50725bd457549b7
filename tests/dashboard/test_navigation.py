"""The navigation of each role, and what a page may import."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from threading import Event

import pytest

from dashboard.page_shell import FIRST_RUN, SECOND_FACTOR, SIGNED_OUT, Page
from dashboard.pages import PAGES, pages_of
from tests.conftest import ROOT

BEFORE = ("before", "Before you begin", ":material/info:")
SIGNING_IN = ("signing_in", "Signing in", ":material/key:")
NAVIGATION = {
    SECOND_FACTOR: [SIGNING_IN],
    FIRST_RUN: [("welcome", "Welcome", ":material/waving_hand:"), BEFORE],
    SIGNED_OUT: [("sign_in_page", "Sign in", ":material/login:"), BEFORE],
    "patient": [
        ("today", "Today", ":material/edit:"),
        ("programme", "Programme", ":material/spa:"),
        ("questions", "Questions", ":material/checklist:"),
        ("trend", "My trend", ":material/show_chart:"),
        ("link", "My link", ":material/hub:"),
        ("course", "My course", ":material/route:"),
        ("nights", "Nights", ":material/bedtime:"),
        ("devices", "My devices", ":material/monitor_heart:"),
        ("reminders", "Reminders", ":material/notifications:"),
        ("offers", "Practice by lot", ":material/casino:"),
        ("files", "Bring in a file", ":material/upload_file:"),
        ("data", "My data", ":material/lock:"),
        ("consents", "Consents", ":material/handshake:"),
        BEFORE,
        SIGNING_IN,
    ],
    "therapist": [
        ("caseload", "Caseload", ":material/groups:"),
        ("patient", "Patient", ":material/person:"),
        BEFORE,
        SIGNING_IN,
    ],
    "analyst": [("research", "Research", ":material/query_stats:"), SIGNING_IN],
    "administrator": [
        ("people", "People", ":material/manage_accounts:"),
        ("operation", "Running it", ":material/monitor_heart:"),
        SIGNING_IN,
    ],
}


@pytest.mark.parametrize("role", NAVIGATION)
def test_each_role_has_its_pages_in_order(role: str) -> None:
    assert [(page.slug, page.title, page.icon) for page in pages_of(role)] == NAVIGATION[role]


def test_this_computer_is_a_page_of_whoever_started_ebbtide_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (page,) = [page for page in PAGES if page.slug == "computer"]
    assert page not in pages_of("patient")  # of `ebbtide dashboard`
    monkeypatch.setattr("dashboard.pages.computer.STARTED", Event())
    import dashboard.pages.computer as module

    module.STARTED.set()
    state = {"token": "t", "owns_computer": True}
    monkeypatch.setattr(module.st, "session_state", state)
    assert page in pages_of("patient")
    state["owns_computer"] = False
    assert page not in pages_of("patient")


def test_every_module_of_a_page_is_registered() -> None:
    modules = {path.stem for path in (ROOT / "dashboard" / "pages").glob("*.py")} - {"__init__"}
    assert modules == {_module(page).rpartition(".")[2] for page in PAGES}
    assert len({page.slug for page in PAGES}) == len(PAGES)


def test_no_page_imports_a_page_of_another_role() -> None:
    by_module = {_module(page): page for page in PAGES}
    found = [
        (name, imported)
        for name, page in by_module.items()
        for imported in _imports(Path(str(sys.modules[name].__file__)))
        if imported in by_module and not page.roles <= by_module[imported].roles
    ]
    assert found == []


def test_imports_of_pages_are_found() -> None:
    """Show that the test above can fail."""
    assert "dashboard.pages.trend" in _imports(ROOT / "dashboard" / "pages" / "course.py")


def _module(page: Page) -> str:
    return page.run.__module__


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return found | {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }


def test_no_form_has_the_name_of_a_value_of_the_session() -> None:
    """Streamlit refuses to draw a form whose key is set in the session state."""
    code = "\n".join(path.read_text() for path in sorted((ROOT / "dashboard").rglob("*.py")))
    forms = set(re.findall(r'st\.form\("([\w-]+)"', code))
    kept = set(re.findall(r'session_state(?:\.get\(|\[)"([\w-]+)"', code))
    kept |= set(re.findall(r"session_state\.(\w+) = ", code))
    assert "token" in kept and "script-token" in forms
    assert forms & kept == set()
