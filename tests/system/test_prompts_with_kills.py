"""A sample of ``benchmarks.prompts``: two simulated days, a worker killed on each of them."""

from __future__ import annotations

import pytest

from benchmarks.prompts import run
from tests.support.postgres import postgres_bin


@pytest.mark.skipif(postgres_bin() is None, reason="PostgreSQL is not installed")
def test_no_prompt_is_lost_or_sent_twice_when_workers_are_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EBBTIDE_RECORDS_URL", "")  # set by the run, and put back after it
    found = run(4, days=2, workers=2, step_min=60, seed=26)
    assert found["kills"] == 2
    assert found["planned"] == found["sent"] + found["said_why_not"] > 15
    assert found["mails_twice"] == 0 and found["left_open"] == 0
    assert found["moments_drawn"] > 3 and found["moments_not_drawn"] > 3
    assert found["moments_undecided"] == found["people_with_wrong_draws"] == 0
