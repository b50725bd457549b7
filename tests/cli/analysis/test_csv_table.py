"""Tables of analysts: errors, and forms of time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.analysis.csv_table import read_table
from ebbtide.errors import EbbtideError
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


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.integers(0, 100), min_size=3, max_size=30),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    separator=st.sampled_from([";", "\t"]),
    decimal=st.sampled_from([".", ","]),
    top=st.sampled_from(["", "sep"]),
)
def test_tables_in_any_encoding_with_either_decimal_mark(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[int],
    encoding: str,
    separator: str,
    decimal: str,
    top: str,
) -> None:
    rows = [f"Jürgen{separator}{f'{v / 10:.1f}'.replace('.', decimal)}" for v in values]
    text = "\n".join([f"wer{separator}stress", *rows, f"Jürgen{separator}k.A.", ""])
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(((f"sep={separator}\n" if top else "") + text).encode(encoding))
    table = read_table(path)
    found, words = table.numbers("stress")
    assert found[:-1].tolist() == pytest.approx([v / 10 for v in values])
    assert words == {"k.A.": 1}
    assert table.subjects("wer")[1] == ["Jürgen"]


def test_a_mark_of_thousands_or_decimals_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x;y;z\n1,234;1,5;1,5\n5,678;2,5;2.5\n", encoding="utf-8")
    assert read_table(path).numbers("x")[0].tolist() == [1.234, 5.678]  # as in y
    with pytest.raises(EbbtideError, match="and with a decimal point"):
        read_table(path).numbers("z")
    path.write_text("x\ty\n1,234\t1\n5,678\t2\n", encoding="utf-8")
    with pytest.raises(EbbtideError, match=r"may be 1\.234 or 1234") as caught:
        read_table(path).numbers("x")
    assert "--decimal" in caught.value.remedy
    assert read_table(path, ",").numbers("x")[0].tolist() == [1.234, 5.678]
    assert read_table(path, ".").numbers("x")[0].tolist() == [1234, 5678]


@pytest.mark.parametrize(
    ("words", "days"),
    [
        (["01 Sep 2026 09:00", "02 Sep 2026 21:00"], [0, 1.5]),
        (["1. September 2026", "3. Oktober 2026"], [0, 32]),
        (["Sep 1, 2026 9:00 PM", "Sep 2, 2026 9:00 AM"], [0, 0.5]),
        (["Di 01 März 2026", "1 avr. 2026"], [0, 31]),
        (["pre", "post", "Follow-up", "pre"], [0, 1, 2, 0]),
        (["baseline", "after"], [0, 1]),
        (["week 0", "week 12"], [0, 12]),
        (["T1", "T3"], [1, 3]),
        (["0,5", "2"], [0.5, 2]),
    ],
)
def test_named_months_and_visits_are_times(
    tmp_path: Path, words: list[str], days: list[float]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;t\n" + "".join(f"1;{word}\n" for word in words), encoding="utf-8")
    assert read_table(path).times("t").days.tolist() == pytest.approx(days)
