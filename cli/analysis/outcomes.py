"""``ebbtide outcomes``: the outcomes of an analyst's table, by group."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import CsvFile, Json, SubjectColumn
from ebbtide.errors import EbbtideError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analytics.programme.outcomes import GroupOutcome
    from cli.analysis.csv_table import Table

_ALL = "all"  # name of the one group of a table without groups


def outcomes(
    file: CsvFile,
    subject: SubjectColumn,
    time: Annotated[str, typer.Option(help="Column of when: numbers or moments.")],
    pain: Annotated[str, typer.Option(help="Column of pain, 0 to 10.")],
    group: Annotated[str | None, typer.Option(help="Column of groups.")] = None,
    before: Annotated[
        float | None, typer.Option(help="The time that is before; the first if left out.")
    ] = None,
    after: Annotated[
        float | None, typer.Option(help="The time that is after; the last if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change, responders and effect sizes of a treatment, by group."""
    import numpy as np

    from cli.analysis.csv_table import read_table

    table = read_table(file)
    subjects, names = table.subjects(subject)
    days, _ = table.times(time)
    values = table.numbers(pain)
    first = float(np.min(days)) if before is None else before
    last = float(np.max(days)) if after is None else after
    if first >= last:
        raise EbbtideError(
            f"{file}: column {time!r} holds one time only.", "Outcomes need a before and an after."
        )
    start = table.values_at(first, time, subjects, names, days, values)
    end = table.values_at(last, time, subjects, names, days, values)
    found = _outcomes_by_group(start, end, _groups(table, subjects, names, group))
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
            text = "nobody measured" if mean is None else f"{mean:.3f}"
            typer.echo(f"  {pain} {label}: {text}" + (f" (SD {sd:.3f})" if sd is not None else ""))
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
            text = g["missing"] or f"{g['g']:.2f} ({g['low']:.2f} to {g['high']:.2f})"
            typer.echo(f"  Hedges' g of the change, against {other}: {text}")


def _outcomes_by_group(
    start: NDArray[np.float64], end: NDArray[np.float64], groups: list[str]
) -> dict[str, dict[str, Any]]:
    """Compute the outcome of each group, and the effect size against each other one."""
    import numpy as np

    from analytics.programme.outcomes import group_outcome, hedges_g

    members = {
        name: np.array([group == name for group in groups], dtype=np.bool_)
        for name in sorted(set(groups) - {""})
    }
    found = {name: _to_row(group_outcome(start[mask], end[mask])) for name, mask in members.items()}
    change = end - start
    for name, mask in members.items():
        against = {
            other: hedges_g(change[mask], change[members[other]])
            for other in members
            if other != name
        }
        found[name]["hedges_g"] = {other: g.g for other, g in against.items()}
        found[name]["detail"]["hedges_g"] = {other: asdict(g) for other, g in against.items()}
    return found


def _to_row(outcome: GroupOutcome) -> dict[str, Any]:
    """Give shares as percentages, with their counts and intervals under ``detail``."""
    row = asdict(outcome)
    shares = ("responders_30_percent", "responders_50_percent", "pain_free_or_nearly")
    detail = {key: row[key] for key in shares}
    return {**row, **{key: row[key]["percent"] for key in shares}, "detail": detail}


def _groups(
    table: Table, subjects: NDArray[np.int64], names: list[str], group: str | None
) -> list[str]:
    """Read each subject's group; empty for those without one."""
    if group is None:
        return [_ALL] * len(names)
    words = table.text(group)
    found = [""] * len(names)
    for row, (subject, word) in enumerate(zip(subjects.tolist(), words, strict=True)):
        name = "" if word.lower() in ("", "na", "nan") else word
        if found[subject] and name and found[subject] != name:
            raise EbbtideError(
                f"{table.path}, line {row + 2}, column {group!r}: subject {names[subject]!r} is in "
                f"{name!r} here and in {found[subject]!r} before.",
                "A subject belongs to one group.",
            )
        found[subject] = found[subject] or name
    return found
