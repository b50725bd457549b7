"""Which column of a text file is read, and which files are refused because it cannot be said."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebbtide.errors import EbbtideError
from ingest.files.interval_table import read_interval_table
from ingest.files.recording import ReadContext

UNITS = {"ms": 1.0, "s": 0.001, "1/1024 s": 1.024, "1/256 s": 0.256}


def intervals(seed: int, count: int = 80) -> list[int]:
    rng = np.random.default_rng(seed)
    return (
        (830 + 40 * np.sin(np.arange(count)) + rng.normal(0, 12, count))
        .round()
        .astype(int)
        .tolist()
    )


def rr_of(text: str, **options: str) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.txt"
        path.write_text(text, encoding="utf-8")
        return read_interval_table(path, ReadContext(**options)).rr_ms.tolist()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    first=st.sampled_from(["time", "index0", "index1", "epoch s", "epoch ms", "epoch us", "none"]),
    unit=st.sampled_from(sorted(UNITS)),
    separator=st.sampled_from([",", ";", "\t", " "]),
    comment=st.sampled_from(["", "# from a logger\n", "% from a logger\n"]),
)
def test_any_layout_with_named_columns_gives_its_intervals(
    seed: int, first: str, unit: str, separator: str, comment: str
) -> None:
    rr = intervals(seed)
    at = [400 + t / 1000 for t in itertools.accumulate(rr)]
    scale = {"epoch s": 1, "epoch ms": 1000, "epoch us": 1_000_000}
    lead = {
        "time": [f"{t:.3f}" for t in at],
        "index0": [str(i) for i in range(len(rr))],
        "index1": [str(i + 1) for i in range(len(rr))],
        "none": None,
    }.get(first, [f"{(1_790_000_000 + t) * scale.get(first, 1):.3f}" for t in at])
    name = f"rr({unit.replace(' ', '')})"
    values = [f"{ms * UNITS[unit]:.4f}" for ms in rr]
    if lead is None:
        text = comment + "\n".join([name, *values])
    else:
        head = separator.join(["index" if first.startswith("index") else "time", name])
        text = comment + "\n".join(
            [head, *(separator.join(pair) for pair in zip(lead, values, strict=True))]
        )
    assert rr_of(text) == pytest.approx(rr, abs=0.5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), rate=st.sampled_from([4, 5, 10]))
def test_rows_of_a_fixed_rate_are_not_beats(seed: int, rate: int) -> None:
    rr = intervals(seed)
    at = np.cumsum(rr) / 1000
    rows = np.arange(np.ceil(at[0] * rate), np.floor(at[-1] * rate)) / rate
    latest = np.searchsorted(at, rows, side="right") - 1
    text = "time_s,rr_ms\n" + "\n".join(
        f"{t:.2f},{rr[i]}" for t, i in zip(rows, latest, strict=True)
    )
    found = rr_of(text)
    assert abs(len(found) - (latest[-1] + 1)) <= 1
    assert sum(found) == pytest.approx(sum(rr[: latest[-1] + 1]), abs=900)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a_rr,b_rr\n" + "\n".join(f"{x},{x + 40}" for x in intervals(1)), "Both a_rr and b_rr"),
        ("hr\n" + "\n".join(str(60_000 // x) for x in intervals(1)), "heart rates"),
        ("\n".join(str(round(x * 0.256)) for x in intervals(1)), "1/256"),
        ("rr_ms\n" + "\n".join(str(x / 1000) for x in intervals(1)), "cannot be RR"),
        ("\n".join(str(i) for i in range(400, 480)), "fixed rate or an index"),
    ],
)
def test_two_readings_are_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(EbbtideError, match=why) as caught:
        rr_of(text)
    assert caught.value.remedy


def test_the_option_settles_it() -> None:
    text = "a_rr,b_rr\n" + "\n".join(f"{x},{x + 40}" for x in intervals(1))
    assert rr_of(text, column="b_rr") == [x + 40 for x in intervals(1)]
