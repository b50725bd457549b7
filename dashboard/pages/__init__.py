"""Streamlit pages, each declared by ``PAGE`` at the end of its module.

A new page is a module here and its name in ``_ORDER``.
"""

from __future__ import annotations

from importlib import import_module

from dashboard.i18n.language import N_
from dashboard.page_shell import Page

__all__ = ["PAGES", "pages_of", "patient_sections"]

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
    "nights",
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


# What a tired person looks for stands alone; the rest is in two groups, in the order of _ORDER.
_ALONE = ("today", "programme")
_LOOKING_BACK = ("course", "trend", "link")


def patient_sections() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the groups of a patient's navigation: a title ("" for none) and the slugs in it."""
    slugs = [page.slug for page in pages_of("patient")]
    others = tuple(slug for slug in slugs if slug not in (*_ALONE, *_LOOKING_BACK))
    return (("", _ALONE), (N_("Looking back"), _LOOKING_BACK), (N_("More"), others))
