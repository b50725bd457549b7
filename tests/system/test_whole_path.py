"""``ebbtide demo --once --json`` with real recordings: every package, real bytes, one answer."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.hrv.artefacts import label_beats
from cli.demo.therapy import LINK
from tests.support.signals import RECORDINGS


def ebbtide(*arguments: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ebbtide", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def answer(*arguments: str) -> dict[str, Any]:
    done = ebbtide("demo", "--once", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def intervals_ms(path: Path) -> list[float]:
    lines = path.read_text().split()
    if path.suffix == ".csv":
        times = [float(line.split(",")[0]) for line in lines[1:]]
        return [(after - before) * 1000 for before, after in pairwise(times)]
    return [float(line) for line in lines]


def last_five_minutes(rr_ms: list[float]) -> dict[str, float]:
    """The definitions, on what a strap makes of the recording (ticks of 1/1024 s)."""
    rr = [round(value * 1.024) / 1.024 for value in rr_ms]
    labelled = label_beats(np.array(rr)).normal.tolist()
    beats_sent, total = [], 0.0
    for value in reversed(rr):
        # A beat belongs to the window when it is less than 300 s before the last.
        if total >= 300_000:
            break
        beats_sent.append(value)
        total += value
    beats_sent.reverse()
    normal = labelled[-len(beats_sent) :]
    nn = [value for value, ok in zip(beats_sent, normal, strict=True) if ok]
    mean = sum(nn) / len(nn)
    squares = [
        (beats_sent[i] - beats_sent[i - 1]) ** 2
        for i in range(1, len(beats_sent))
        if normal[i] and normal[i - 1]
    ]
    return {
        "mean_hr_bpm": 60_000 / mean,
        "rmssd_ms": math.sqrt(sum(squares) / len(squares)),
        "sdnn_ms": math.sqrt(sum((v - mean) ** 2 for v in nn) / (len(nn) - 1)),
    }


# CI plays two; EBBTIDE_RECORDINGS=all plays every one.
PLAYED = RECORDINGS if os.environ.get("EBBTIDE_RECORDINGS") == "all" else RECORDINGS[-2:]


@pytest.mark.parametrize("name", PLAYED)
def test_a_real_recording_goes_the_whole_way(recordings: Path, name: str) -> None:
    path = recordings / name
    result = answer("--rr", str(path))
    rr = intervals_ms(path)
    assert result["beats_sent"] == result["beats_stored"] == len(rr)
    assert result["source"].startswith(name)
    assert result["origin"] == "simulated"
    assert result["hrv"]["missing"] is None
    # The edge of the window may fall one beat to either side: times follow arrivals gently.
    for key, expected in last_five_minutes(rr).items():
        assert result["hrv"][key] == pytest.approx(expected, rel=0.02), key


def test_the_demo_answers_with_the_link_that_was_put_in() -> None:
    result = answer()
    assert result["beats_sent"] == result["beats_stored"] > 800
    sample = result["sample_patient"]
    assert sample["simulated"] is True
    assert sample["beats_sent"] == sample["beats_stored"] > 20_000
    link = result["link"]
    low, high = link["interval"]
    assert low < link["estimate"] < high
    assert low < LINK < high
    assert link["p_value"] < 0.05
    assert link["n"] == result["ratings_stored"] > 60
    assert link["simulated"] is True
    assert "moved together" in link["verdict"]
    assert "cause" not in link["verdict"]


def test_a_file_with_bad_lines_is_played_without_them(tmp_path: Path) -> None:
    path = tmp_path / "rr.txt"
    path.write_text("\n".join(["800"] * 300 + ["oops"] + ["820"] * 300))
    done = ebbtide("demo", "--once", "--json", "--rr", str(path))
    assert done.returncode == 0
    assert "line 301: 'oops' is not a number; left out" in done.stderr
    result = json.loads(done.stdout)
    assert result["beats_sent"] == result["beats_stored"] == 600


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "is empty"), ("no\nnumbers\nhere!\n", "holds no RR interval"), ("5\n6\n", "neither")],
)
def test_a_bad_file_ends_with_words_and_no_traceback(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "rr.txt"
    path.write_text(text)
    done = ebbtide("demo", "--once", "--json", "--rr", str(path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert why in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    done = ebbtide("demo", "--once", "--json", "--rr", str(tmp_path / "nothing.txt"))
    assert done.returncode == 1
    assert "cannot be read" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_very_short_recording_says_why_there_is_no_hrv(tmp_path: Path) -> None:
    path = tmp_path / "rr.txt"
    path.write_text("800\n810\n790\n")
    result = answer("--rr", str(path))
    assert result["beats_sent"] == result["beats_stored"] == 3
    assert result["hrv"]["rmssd_ms"] is None
    assert "at least 60 s" in result["hrv"]["missing"]


def test_json_needs_once() -> None:
    done = ebbtide("demo", "--json")
    assert done.returncode == 1
    assert "--once" in done.stderr
