"""What is said of known vulnerabilities, also where nobody could look."""

from __future__ import annotations

import json

from scripts.audit import summarize


def _packages(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(packages), "fixes": []})


SOUND = {"name": "attrs", "version": "26.1", "vulns": []}
BAD = {"name": "h11", "version": "0.1", "vulns": [{"id": "CVE-1", "fix_versions": ["0.2"]}]}
SKIPPED = {"name": "zxcvbn", "skip_reason": "not found on PyPI"}


def test_a_vulnerability_is_an_error_also_beside_what_was_not_audited() -> None:
    lines, status = summarize(_packages(SOUND, BAD, SKIPPED))
    assert lines[0] == "VULNERABLE: h11 0.1: CVE-1, mended in 0.2"
    assert lines[-1].startswith("NOT AUDITED: 1 of 3 packages")
    assert status == 1


def test_what_could_not_be_audited_is_said() -> None:
    assert summarize(_packages(SOUND)) == (["AUDITED: 1 packages, no known vulnerability."], 0)
    lines, status = summarize(_packages(SOUND, SKIPPED))
    assert lines == [
        "NOT AUDITED: 1 of 2 packages, of which no advisories can be had here (zxcvbn, ...)."
        " Run scripts/audit.py where PyPI can be reached."
    ]
    assert status == 0
    for output in ("", "null", "{}", '{"dependencies": 3}'):
        lines, status = summarize(output, "Traceback\nConnectionError: no route\n")
        assert (lines, status) == (["NOT AUDITED: ConnectionError: no route"], 0)
