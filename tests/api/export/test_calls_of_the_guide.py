"""The calls that the page Research and the guide for analysts show, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dashboard.components.research_access import make_calls
from tests.conftest import skip_or_fail
from tests.support.clinic import Clinic, fill
from tests.support.cohort_clinic import RELEASED_WEEKS, agree_together

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "analyst.md"


def cohort(clinic: Clinic) -> dict[str, str]:
    """A cohort with ratings; the environment of an analyst with a token."""
    agree_together(clinic, "ada")
    fill(clinic.stores, clinic.people["ada"], days=2, weeks_ago=RELEASED_WEEKS)
    body = {"name": "a script", "scopes": ["read"], "days": 9}
    token = clinic["ann"].post("/v1/tokens", json=body).json()["token"]
    return {**os.environ, "EBBTIDE_TOKEN": token}


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_and_r_of_the_page_read_a_table(clinic: Clinic) -> None:
    environment = cohort(clinic)
    calls = make_calls(clinic.url, "ratings", [])
    python = calls["python"] + '\nprint(len(ratings), "rows")'
    assert run([sys.executable, "-c", python], environment).rstrip().endswith("4 rows")
    program = shutil.which("Rscript")
    if program is None:
        skip_or_fail("there is no R")
    assert run([program, "-e", calls["r"] + "\ncat(nrow(ratings))"], environment).endswith("4")


def test_arrow_and_duckdb_of_the_guide_read_a_table(clinic: Clinic) -> None:
    environment = cohort(clinic)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (block,) = [code for code in blocks if "duckdb" in code]
    code = block.replace("http://127.0.0.1:8420", clinic.url)
    assert run([sys.executable, "-c", code], environment).split()[-1] == "4"
