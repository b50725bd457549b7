"""``ebbtide outcomes``: the outcomes of an analyst's own table, by group."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray

from analytics.programme.outcomes import GroupOutcome, group_outcome, hedges_g
from cli.analysis.csv_table import Table, read_table
from ebbtide.errors import EbbtideError

_EVERYBODY = "all"


def run_outcomes(
    path: Path,
    subject: str,
    time: str,
    pain: str,
    group: str | None,
    before: float | None,
    after: float | None,
    as_json: bool,
) -> None:
    """Print outcomes by group. ``before`` and ``after``: which times; the first and the last of
    the table if left out.
    """
    table = read_table(path)
    who, names = table.subjects(subject)
    days, _ = table.times(time)
    values = table.numbers(pain)
    first = float(np.min(days)) if before is None else before
    last = float(np.max(days)) if after is None else after
    if first >= last:
        raise EbbtideError(
            f"{path}: column {time!r} holds one time only.", "Outcomes need a before and an after."
        )
    start = _at(table, who, names, days, values, first, time)
    end = _at(table, who, names, days, values, last, time)
    of = _groups(table, who, names, group)
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(set(of) - {""}):
        mask = np.array([one == name for one in of], dtype=np.bool_)
        found[name] = _numbers(group_outcome(start[mask], end[mask]))
    for name in found:
        mine = np.array([one == name for one in of], dtype=np.bool_)
        change = end - start
        against = {
            other: hedges_g(change[mine], change[np.array([one == other for one in of])])
            for other in found
            if other != name
        }
        found[name]["hedges_g"] = {other: g.g for other, g in against.items()}
        found[name]["detail"]["hedges_g"] = {other: asdict(g) for other, g in against.items()}
    if as_json:
        typer.echo(json.dumps({"before": first, "after": last, "groups": found}, allow_nan=False))
        return
    for name, row in found.items():
        typer.echo(
            f"{group or 'group'} {name}: {row['n_baseline']} with a baseline, {row['n_after']} "
            "measured after"
        )
        for label, key in (("before", "before"), ("after", "after")):
            mean, sd = row[f"mean_{key}"], row[f"sd_{key}"]
            told = "nobody measured" if mean is None else f"{mean:.3f}"
            typer.echo(f"  {pain} {label}: {told}" + (f" (SD {sd:.3f})" if sd is not None else ""))
        for label, key in (
            ("at least 30% less", "responders_30_percent"),
            ("at least 50% less", "responders_50_percent"),
            ("0 or 1 after, of all who began", "pain_free_or_nearly"),
        ):
            part = row["detail"][key]
            if part["percent"] is None:
                typer.echo(f"  {label}: nobody to count")
                continue
            typer.echo(
                f"  {label}: {part['count']} of {part['of']}, {part['percent']:.1f}% "
                f"(95% interval {part['low']:.0f} to {part['high']:.0f}%)"
            )
        for other, g in row["detail"]["hedges_g"].items():
            told = g["missing"] or f"{g['g']:.2f} ({g['low']:.2f} to {g['high']:.2f})"
            typer.echo(f"  Hedges' g of the change, against {other}: {told}")


def _numbers(outcome: GroupOutcome) -> dict[str, Any]:
    """Shares as plain percentages; their counts and intervals under ``detail``."""
    row = asdict(outcome)
    shares = ("responders_30_percent", "responders_50_percent", "pain_free_or_nearly")
    detail = {key: row[key] for key in shares}
    return {**row, **{key: row[key]["percent"] for key in shares}, "detail": detail}


def _at(
    table: Table,
    who: NDArray[np.int64],
    names: list[str],
    days: NDArray[np.float64],
    values: NDArray[np.float64],
    moment: float,
    time: str,
) -> NDArray[np.float64]:
    """Each subject's value at one time, shape (subjects,). Two in one place is an error."""
    rows = np.flatnonzero(days == moment)
    if not len(rows):
        raise EbbtideError(
            f"{table.path}: no row has {time} {moment:g}.", "Check --before, --after."
        )
    which, first, many = np.unique(who[rows], return_index=True, return_counts=True)
    if np.any(many > 1):
        twice = int(which[np.argmax(many > 1)])
        at = int(rows[first[np.argmax(many > 1)]]) + 2
        raise EbbtideError(
            f"{table.path}, line {at}: subject {names[twice]!r} has several rows at {time} "
            f"{moment:g}.",
            "Keep one row for each subject and time.",
        )
    found = np.full(len(names), np.nan)
    found[who[rows]] = values[rows]
    return found


def _groups(table: Table, who: NDArray[np.int64], names: list[str], group: str | None) -> list[str]:
    """Each subject's group; empty for those without one."""
    if group is None:
        return [_EVERYBODY] * len(names)
    words = table.text(group)
    found = [""] * len(names)
    for row, (subject, word) in enumerate(zip(who.tolist(), words, strict=True)):
        name = "" if word.lower() in ("", "na", "nan") else word
        if found[subject] and name and found[subject] != name:
            raise EbbtideError(
                f"{table.path}, line {row + 2}, column {group!r}: subject {names[subject]!r} is in "
                f"{name!r} here and in {found[subject]!r} before.",
                "A subject belongs to one group.",
            )
        found[subject] = found[subject] or name
    return found
