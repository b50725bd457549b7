"""Choosing one of several things that the API told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def select_row(
    label: str, rows: list[dict[str, Any]], told: Callable[[dict[str, Any]], str], index: int = 0
) -> dict[str, Any]:
    """A select box over rows with an ``id``. Streamlit remembers what was chosen: the id, and not
    the row, which may say something else by now.
    """
    by_id = {row["id"]: row for row in rows}
    found = st.selectbox(label, list(by_id), index=index, format_func=lambda one: told(by_id[one]))
    return by_id.get(found, rows[0])
