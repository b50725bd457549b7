"""What people wrote is shown as they wrote it: nothing in it is fetched or set."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dashboard.components.plain import escape_markdown

RENDER = MarkdownIt("commonmark").render


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://192.0.2.1/seen.png)",
        "[here](http://192.0.2.1)",
        "<img src=http://192.0.2.1>",
        "http://192.0.2.1/a_b_c",
        ":material/home: :red[alarm] $x^2$",
        "# 1. *much* `better`",
    ],
)
def test_marks_are_shown_and_do_nothing(text: str) -> None:
    escaped = escape_markdown(text)
    assert RENDER(escaped) == f"<p>{html.escape(text, quote=True).replace('&#x27;', chr(39))}</p>\n"
    assert not re.search(r"(?<!\\)[:$]", escaped)  # Streamlit's own marks


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    rendered = RENDER("x " + escape_markdown(text) + " x")
    assert re.sub(r"</?p>|\n", "", html.unescape(rendered)) == "x " + (
        " ".join(text.split()) + " x"
    )
