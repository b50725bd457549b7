"""Words about an import."""

from __future__ import annotations

import pytest

from ebbtide.timestamps import DAY, HOUR, MINUTE, SECOND
from ingest.files.import_steps import _describe_shift


@pytest.mark.parametrize(
    ("shift_ns", "words"),
    [
        (0, "0 s"),
        (MINUTE, "1 min"),
        (-DAY, "1 day"),
        (2 * DAY + HOUR + MINUTE + SECOND, "2 days 1 h 1 min 1 s"),
    ],
)
def test_a_shift_is_said_in_words(shift_ns: int, words: str) -> None:
    assert _describe_shift(shift_ns) == words
