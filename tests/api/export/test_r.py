"""What base R reads from a CSV export: types, times, and text with quotes and line ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Stores
from tests.conftest import skip_or_fail
from tests.support.clinic import Clinic, fill, opened_clinic

WORDS = 'a "good" day, really;\nthe 2nd line = 1'
SCRIPT = r"""
d <- read.csv(commandArgs(TRUE)[1], na.strings = "", stringsAsFactors = FALSE)
at <- as.POSIXct(d$about, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
writeLines(c(class(d$simulated), class(d$pain), nrow(d), sum(is.na(at)), sum(d$simulated),
             format(as.numeric(at[nrow(d)]), digits = 15)))
cat(d$note[nrow(d)])
"""


@pytest.fixture
def clinic(stores: Stores) -> Iterator[Clinic]:
    with opened_clinic(stores) as opened:
        fill(stores, opened.people["ada"], days=1)
        yield opened


def test_base_r_reads_types_times_and_words(clinic: Clinic, tmp_path: Path) -> None:
    program = shutil.which("Rscript")
    if program is None:
        skip_or_fail("no R on this machine (Debian: apt install r-base-core)")
    body = {"pain": 3, "stress": 4, "note": WORDS}
    clinic["ada"].post("/v1/ratings", json=body).raise_for_status()
    rows = clinic["ada"].get("/v1/export/ratings").raise_for_status().json()["rows"]
    file = tmp_path / "ratings.csv"
    file.write_bytes(clinic["ada"].get("/v1/export/ratings.csv").raise_for_status().content)
    done = subprocess.run(
        [program, "--vanilla", "-e", SCRIPT, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    logical, number, count, unread, simulated, last, *note = done.stdout.split("\n")
    assert (logical, number) == ("logical", "integer")
    assert (int(count), int(unread)) == (len(rows), 0), json.dumps(rows[-1])
    assert int(simulated) == sum(row["simulated"] for row in rows)
    assert float(last) == pytest.approx(rows[-1]["about_ns"] / 1e9, abs=1e-3)
    assert "\n".join(note) == WORDS
