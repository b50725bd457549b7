"""``ebbtide link``: the within-person link of an analyst's own table."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import typer

from analytics.association import group, within_person
from analytics.association.group import GroupLink, group_link
from analytics.association.within_person import Association, within_person_link
from cli.analysis.csv_table import read_table
from ebbtide.errors import EbbtideError

_DAY_NS = 86_400e9
_LONGEST_DAYS = 36_500
_RISE = "{estimate:+.3g} of {y} for one more of {x} (95% interval {low:+.3g} to {high:+.3g})"


def run_link(path: Path, subject: str, time: str | None, x: str, y: str, as_json: bool) -> None:
    """Print the link, in words or as JSON."""
    table = read_table(path)
    who, names = table.subjects(subject)
    xs, ys = table.numbers(x), table.numbers(y)
    hours = None
    if time is None:
        days = np.arange(len(who), dtype=np.float64)
    else:
        days, hours = table.times(time)
    found = group_link(who, days, xs, ys, hours)
    own: Association | None = None
    if len(names) == 1:
        # Without a time, rows as if there were three a day.
        passed = days - np.min(days) if time is not None else days / 3
        if np.max(passed) > _LONGEST_DAYS:
            raise EbbtideError(
                f"{path}, column {time!r}: {np.max(passed):g} days from first to last.",
                "Numbers are taken for days. Write moments: 2026-11-24T08:30.",
            )
        ns = (passed * _DAY_NS).astype(np.int64)
        own = within_person_link(ns, xs, ys, hours, x_name=x, y_name=y)
    within = _within(found, own)
    caveats = _caveats(found, time)
    said = {
        "n_subjects": found.n_subjects,
        "n_pairs": found.n_pairs,
        "within": within,
        "rmcorr": asdict(found.rmcorr),
        "detrended_rmcorr": {
            **asdict(found.detrended_rmcorr),
            "method": "each one's course taken out; p by turning x in a circle, 10,000 times",
        },
        "spread_between_subjects": found.spread,
        "subjects": [{**asdict(one), "subject": names[one.subject]} for one in found.people],
        "verdict": _verdict(within, found, x, y),
        "caveats": caveats,
    }
    if as_json:
        typer.echo(json.dumps(said, allow_nan=False))
        return
    typer.echo(said["verdict"])
    typer.echo(f"  {found.n_pairs} pairs of {found.n_subjects} subjects")
    if within["estimate"] is not None:
        typer.echo("  " + _RISE.format(x=x, y=y, **within))
    for title, row in (
        ("repeated-measures correlation, each one's course taken out", found.detrended_rmcorr),
        ("repeated-measures correlation, plain: a shared fall looks like a link", found.rmcorr),
    ):
        if row.r is None:
            typer.echo(f"  {title}: {row.missing_reason}")
        else:
            typer.echo(
                f"  {title}: r = {row.r:.4f} (95% interval {row.low:.2f} to {row.high:.2f}), "
                f"dof {row.dof}, p = {row.p_value:.3g}"
            )
    for caveat in caveats:
        typer.echo(f"  {caveat}")


def _within(found: GroupLink, own: Association | None) -> dict[str, Any]:
    if own is not None:
        return {
            "estimate": own.estimate,
            "low": own.low,
            "high": own.high,
            "p_value": own.p_value,
            "method": within_person.METHOD,
            "missing": own.missing_reason,
        }
    return {
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "method": group.METHOD,
        "missing": found.missing_reason,
    }


def _verdict(within: dict[str, Any], found: GroupLink, x: str, y: str) -> str:
    if within["estimate"] is None:
        return f"not enough yet to say whether {y} moved with {x}: {within['missing']}"
    turned = found.detrended_rmcorr.p_value
    # Two looks at one question: both must agree before anything is said.
    clear = within["p_value"] < 0.05 and (found.n_subjects == 1 or (turned or 1.0) < 0.05)
    if not clear:
        return f"cannot tell whether {y} moved with {x}"
    way = "moved together" if within["estimate"] > 0 else "moved opposite ways"
    return f"{y} and {x} {way}"


def _caveats(found: GroupLink, time: str | None) -> list[str]:
    caveats = ["Moving together does not show that one brings the other."]
    if time is None:
        caveats.append(
            "Without --time the order of rows counts as time, evenly spaced: what is said of "
            "courses and of autocorrelation is only as good as that."
        )
    if found.only_lines:
        caveats.append(
            f"{found.only_lines} subjects have fewer than {group.MIN_FOR_CURVE} rows: no more "
            "than a straight line could be taken out of theirs."
        )
    return caveats
