"""The phone's decoder, duplicate filter and clock give what the native recorder gives."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.node import play
from tests.support.replay import write_vectors

_HERE = Path(__file__).parent
_VECTORS = _HERE / "vectors.json"


def test_vectors_are_what_the_native_recorder_writes() -> None:
    assert write_vectors() == _VECTORS.read_text(encoding="utf-8"), (
        "make them anew: python -m tests.support.replay vectors tests/phone/vectors.json"
    )


def test_phone_writes_the_same_beats_gaps_and_numbers() -> None:
    found = play(_HERE / "replay_vectors.mjs", _VECTORS)
    vectors = json.loads(_VECTORS.read_text(encoding="utf-8"))
    assert len(found) == len(vectors)
    for vector, result in zip(vectors, found, strict=True):
        assert result == vector["expected"], vector["name"]
    # They are worth comparing: every kind of thing happens in one of them.
    expected = [vector["expected"] for vector in vectors]
    assert any(len(one["streams"]) > 1 for one in expected)
    assert any(one["malformed"] for one in expected)
    assert any(one["repeated"] for one in expected)
    reasons = {gap[3] for one in expected for stream in one["streams"] for gap in stream["gaps"]}
    assert reasons >= {
        "link lost",
        "contact lost",
        "no RR sent",
        "clock stepped",
        "intervals off the clock",
    }
