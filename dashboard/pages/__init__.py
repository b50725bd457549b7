"""Streamlit pages, each declared by ``PAGE`` at the end of its module.

A new page is a module here and its name in ``_ORDER``.
"""

from __future__ import annotations

from importlib import import_module

from dashboard.page_shell import Page

__all__ = ["PAGES", "pages_of"]

# The order of the navigation. The first page of a role is its default page.
_ORDER = (
    "first_run",
    "sign_in",
    "today",
    "programme",
    "questions",
    "trend",
    "link",
    "course",
    "my_devices",
    "reminders",
    "offers",
    "bring_in",
    "my_data",
    "consents",
    "caseload",
    "patient",
    "research",
    "people",
    "operation",
    "screening",
    "computer",
    "signing_in",
)
PAGES: tuple[Page, ...] = tuple(import_module(f"{__name__}.{name}").PAGE for name in _ORDER)


def pages_of(role: str) -> tuple[Page, ...]:
    """Return the pages that a role (or ``SIGNED_OUT``) has now, in the order of the navigation."""
    return tuple(page for page in PAGES if role in page.roles and page.is_available())
