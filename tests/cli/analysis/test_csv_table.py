"""Tables of analysts: errors, and forms of time."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.analysis.csv_table import read_table
from tests.support.command_line import run_ebbtide

LINK = ["--subject", "who", "--x", "stress", "--y", "pain"]
OUTCOMES = ["--subject", "who", "--time", "t", "--pain", "pain"]

BAD = [
    ("who,stress,pain\nA,1,2\nA,x,3\n", ["link", *LINK], "line 3, column 'stress': 'x'"),
    ("who,stress,pain\nA,1,2\n,2,3\n", ["link", *LINK], "line 3: no subject"),
    ("who,stress\nA,1\n", ["link", *LINK], "no column 'pain'"),
    ("who,stress,pain,t\nA,1,2,noon\n", ["link", *LINK, "--time", "t"], "'noon' is no time"),
    ("who,stress,pain,t\nA,1,2,\n", ["link", *LINK, "--time", "t"], "no time in column"),
    ("who,stress,pain\n", ["link", *LINK], "a header and no rows"),
    ("who,pain,pain\nA,1,2\n", ["link", *LINK], "two columns 'pain'"),
    ("", ["link", *LINK], "is empty"),
    ("who,stress,pain\nA,1,2,3\n", ["link", *LINK], "no table"),
    ("who,t,pain\nA,1,2\nA,1,3\nA,2,2\n", ["outcomes", *OUTCOMES], "several rows"),
    ("who,t,pain\nA,1,2\n", ["outcomes", *OUTCOMES], "one time only"),
    (
        "who,t,pain,g\nA,1,2,x\nA,2,3,y\n",
        ["outcomes", *OUTCOMES, "--group", "g"],
        "belongs to one group",
    ),
]


@pytest.mark.parametrize(("text", "command", "words"), BAD)
def test_bad_tables_are_named(tmp_path: Path, text: str, command: list[str], words: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    done = run_ebbtide(command[0], str(path), *command[1:])
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())


def test_moments_in_any_form_of_iso_8601(tmp_path: Path) -> None:
    """With and without seconds, zone and T: the clock of the place is what counts for the hour."""
    path = tmp_path / "t.csv"
    path.write_text(
        "t\n2026-03-01T23:30:00-07:00\n2026-03-02 08:15\n2026-03-02T20:00Z\n"
        "2026-03-03T07:00:30.5+0100\n"
    )
    times = read_table(path).times("t")
    days, hours = times.days, times.hours
    assert hours is not None
    assert hours.tolist() == pytest.approx([23.5, 8.25, 20, 7])
    assert days[0] - days[1] == pytest.approx(-(8.25 - 6.5) / 24)
    path.write_text("t\n2026-03-01\n2026-03-04\n")
    times = read_table(path).times("t")
    assert (times.days.tolist(), times.hours) == ([0, 3], None)
