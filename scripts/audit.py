"""Say which installed packages have known vulnerabilities: ``uv run python scripts/audit.py``.

The last lines say AUDITED, VULNERABLE (and the status is 1), or NOT AUDITED with the reason: where
PyPI's advisories cannot be had, pip-audit itself ends well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

PATIENCE_S = 240


def summarize(output: str, reason: str = "") -> tuple[list[str], int]:
    """Return the lines to print and the status for pip-audit's JSON; ``reason``: what it said of
    an error, where there is no JSON.
    """
    try:
        packages = list(json.loads(output)["dependencies"])
    except (ValueError, KeyError, TypeError):
        last = reason.strip().splitlines()[-1:] or ["pip-audit gave no answer"]
        return [f"NOT AUDITED: {last[0]}"], 0
    lines = [
        f"VULNERABLE: {package['name']} {package['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for package in packages
        for found in package.get("vulns", ())
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        lines.append(
            f"NOT AUDITED: {len(skipped)} of {len(packages)} packages, of which no advisories can "
            f"be had here ({', '.join(skipped[:3])}, ...). Run scripts/audit.py where PyPI can be "
            "reached."
        )
    elif not lines:
        lines.append(f"AUDITED: {len(packages)} packages, no known vulnerability.")
    return lines, 1 if any(line.startswith("VULNERABLE") for line in lines) else 0


def main() -> int:
    """Run pip-audit and print what it found."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--format", "json"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        lines, status = summarize(done.stdout, done.stderr)
    except subprocess.TimeoutExpired:
        lines, status = [f"NOT AUDITED: no answer within {PATIENCE_S} s"], 0
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
