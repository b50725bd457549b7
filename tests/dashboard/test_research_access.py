"""The page Research: whose rows a choice of people gives."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard.components.research_access import shorten_pseudonyms

PEOPLE = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(7)]


class Research:
    """What is asked of the API."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def preview(self, table: str, rows: int, **more: Any) -> list[dict[str, Any]]:
        self.asked.append(more)
        return [{"person": "x", "pain": rows}]

    def file(self, table: str, form: str, **more: Any) -> bytes:
        raise AssertionError("nobody downloads here")


def script(research, found) -> None:  # type: ignore[no-untyped-def]  # run as text
    from dashboard.components.research_access import render_tables

    render_tables(research, found, 5)


def test_the_first_rows_are_of_the_people_who_were_chosen() -> None:
    research = Research()
    found = [{"person": name} for name in PEOPLE]
    test = AppTest.from_function(script, args=(research, found), default_timeout=30).run()
    assert not test.exception
    test.button[0].click().run()
    test.multiselect[0].set_value([name[:8] for name in PEOPLE[:5]]).run()
    test.button[0].click().run()
    test.multiselect[0].set_value([name[:8] for name in PEOPLE]).run()
    test.button[0].click().run()
    assert research.asked == [{}, {"person": PEOPLE[:5]}, {"person": PEOPLE}]
    test.multiselect[0].set_value([name[:8] for name in PEOPLE[:4]]).run()
    assert "Choose 5 to 1000 people" in test.warning[0].value
    assert not test.button


def test_pseudonyms_that_begin_alike_are_told_apart() -> None:
    alike = ["12345678-1111", "12345678-2222", "99999999-3333"]
    assert shorten_pseudonyms(alike) == {name[:10]: name for name in alike}
    assert shorten_pseudonyms(["12345678-1111"]) == {"12345678": "12345678-1111"}
