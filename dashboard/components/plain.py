"""Show what people wrote as they wrote it, not as Markdown."""

from __future__ import annotations

import re

# Any ASCII punctuation may be escaped (CommonMark 0.31, 2.4); Streamlit's colours and icons begin
# with a colon, its formulas with a dollar sign.
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


def escape_markdown(text: str) -> str:
    """Escape a text for ``st.markdown`` and the like: an image in it would be fetched by whoever
    reads it, from wherever its writer said.
    """
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
