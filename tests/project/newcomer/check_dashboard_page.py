"""Check that the new page is in the navigation of its role, and runs."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from dashboard.pages import pages_of


def script() -> None:
    """Run the page, as Streamlit runs a script."""
    from dashboard.pages import PAGES

    next(page for page in PAGES if page.slug == "words").run()


def test_page_is_in_the_navigation_and_runs() -> None:
    roles = ("patient", "therapist", "analyst", "administrator")
    with_page = [role for role in roles if "words" in [page.slug for page in pages_of(role)]]
    assert with_page == ["patient"]
    page = AppTest.from_function(script).run(timeout=60)
    assert not page.exception
    assert [title.value for title in page.title] == ["Words"]
