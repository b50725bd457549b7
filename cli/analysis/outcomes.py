"""``ebbtide outcomes``: the outcomes of an analyst's table, by group."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _, fill, say_result
from cli.options import CsvFile, Dates, DecimalOption, Json, Missing, SubjectColumn
from ebbtide.errors import EbbtideError
from ebbtide.i18n import N_

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
    pain: Annotated[str, typer.Option(help="Column of pain.")],
    group: Annotated[str | None, typer.Option(help="Column of groups.")] = None,
    before: Annotated[
        float | None, typer.Option(help="The time that is before; the first if left out.")
    ] = None,
    after: Annotated[
        float | None, typer.Option(help="The time that is after; the last if left out.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="Ends of the scale of pain: 0-10, 0-100.", metavar="LOW-HIGH")
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="Column of another measure, such as a questionnaire's score; repeat it."),
    ] = None,
    missing: Missing = None,
    dates: Dates = None,
    decimal: DecimalOption = None,
    as_json: Json = False,
) -> None:
    """Change, responders and effect sizes of a treatment, by group."""
    import numpy as np
    import pandas as pd

    from cli.analysis.csv_table import own_ends, read_table
    from cli.analysis.doubts import doubt_names, doubt_values, refuse_coded_groups
    from cli.analysis.missing_codes import (
        describe,
        doubtful_times,
        parse_missing,
        parse_scale,
        question,
        remove_scale_codes,
    )

    table = read_table(file, decimal)
    subjects, names = table.subjects(subject)
    times = table.times(time, dates.value if dates else None)
    raw, words = table.numbers(pain)
    option = parse_missing(missing)
    if not times.is_calendar and not option.no_others:
        doubtful = doubtful_times(times.days) - {before, after} - option.codes_of(time)
        if doubtful:
            raise question(times.days, time, doubtful)
    values, codes, sure = remove_scale_codes(raw, pain, option, parse_scale(scale))
    untimed = np.isin(times.days, sorted(option.codes_of(time))) & (not times.is_calendar)
    missing_codes = {pain: {**words, **codes}}
    if untimed.any():
        missing_codes[time] = {
            f"{code:g}": int(np.sum(times.days == code)) for code in np.unique(times.days[untimed])
        }
    by_subject = _groups(table, subjects, names, group)
    if group is not None:
        refuse_coded_groups(by_subject, group)
    rows = pd.DataFrame({"subject": subjects, "time": times.days, "pain": raw})
    copies = rows.duplicated().to_numpy()
    used = ~copies & ~untimed
    days, who, values = times.days[used], subjects[used], values[used]
    lines = np.flatnonzero(used) + 2
    first: float | None = float(np.min(days)) if before is None else before
    last: float | None = float(np.max(days)) if after is None else after
    own = before is None and after is None and times.is_calendar and _differ(who, days, len(names))
    if own:
        if not any(np.ptp(days[who == k]) > 0 for k in range(len(names))):
            raise EbbtideError(
                f"{file}: column {time!r} holds one time only of each subject.",
                "Outcomes need a before and an after.",
            )
        start, end = own_ends(table.path, who, days, values, names, lines)
        first = last = None
    else:
        if first is None or last is None or first >= last:
            raise EbbtideError(
                f"{file}: column {time!r} holds one time only.",
                "Outcomes need a before and an after.",
            )
        start = table.values_at(first, time, who, names, days, values, lines)
        end = table.values_at(last, time, who, names, days, values, lines)
    found = _outcomes_by_group(start, end, by_subject, sure)
    measures: dict[str, dict[str, dict[str, Any]]] = {}
    for column in also or []:
        scores, score_words = table.numbers(column)
        scores = np.where(np.isin(scores, sorted(option.codes_of(column))), np.nan, scores)[used]
        if score_words:
            missing_codes[column] = score_words
        if own:
            ends = own_ends(table.path, who, days, scores, names, lines)
        else:
            assert first is not None and last is not None
            ends = (
                table.values_at(first, time, who, names, days, scores, lines),
                table.values_at(last, time, who, names, days, scores, lines),
            )
        measures[column] = _measure_by_group(*ends, by_subject)
    notes = [*describe(missing_codes), *doubt_values(values, pain), *doubt_names(names, subject)]
    for label, moment, measured in (("before", first, start), ("after", last, end)):
        absent = int(np.sum(~np.isfinite(measured)))
        if moment is not None and absent:
            notes.append(
                f"{absent} of {len(names)} subjects have no {pain} {label} ({time} {moment:g})."
            )
    if group is not None:
        notes += doubt_names(set(by_subject), group)
    if copies.any():
        notes.append(f"{int(np.sum(copies))} rows repeat another one and were dropped.")
    if own:
        notes.append("Before and after are each subject's own first and last date.")
    if sure is not None and sure[0] != 0:
        notes.append(f"Shares of less pain count from {sure[0]:g}, the scale's end for no pain.")
    if "since 1970" in times.read_as:
        notes.append(f"{time} is read as {times.read_as}.")
    if as_json:
        report = {
            "before": first,
            "after": last,
            "groups": found,
            "measures": measures,
            "times": "each subject's own first and last" if own else "the same for all",
            "time_read_as": times.read_as,
            "scale": sure,
            "missing_codes": missing_codes,
            "duplicate_rows": int(np.sum(copies)),
            "notes": notes,
        }
        typer.echo(json.dumps(report, allow_nan=False))
        return
    for name, row in found.items():
        typer.echo(
            _("{group} {name}: {baseline} with a baseline, {after} measured after").format(
                group=group or _("group"),
                name=_("all") if name == _ALL else name,
                baseline=row["n_baseline"],
                after=row["n_after"],
            )
        )
        for label, key in ((_("before"), "before"), (_("after"), "after")):
            mean, sd = row[f"mean_{key}"], row[f"sd_{key}"]
            text = _("nobody measured") if mean is None else fill("{mean:.3f}", mean=mean)
            typer.echo(
                f"  {pain} {label}: {text}" + ("" if sd is None else fill(" (SD {sd:.3f})", sd=sd))
            )
        for label, key in (
            (_("at least 30% less"), "responders_30_percent"),
            (_("at least 50% less"), "responders_50_percent"),
            (_nearly_free(sure), "pain_free_or_nearly"),
        ):
            part = row["detail"][key]
            if part.get("missing_reason"):
                typer.echo(f"  {label}: {say_result(str(part['missing_reason']))}")
                continue
            if part["percent"] is None:
                typer.echo(_("  {label}: nobody to count").format(label=label))
                continue
            typer.echo(
                fill(
                    _(
                        "  {label}: {count} of {of}, {percent:.1f}% (95% interval {low:.0f} to "
                        "{high:.0f}%)"
                    ),
                    label=label,
                    **part,
                )
            )
        for other, g in row["detail"]["hedges_g"].items():
            line = _("  Hedges' g of the change, against {other}: {text}")
            typer.echo(line.format(other=other, text=_effect(g)))
        for column, rows_of in measures.items():
            _print_measure(column, rows_of[name])
    for note in notes:
        typer.echo(f"  {say_result(note)}")


def _outcomes_by_group(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    groups: list[str],
    scale: tuple[float, float] | None,
) -> dict[str, dict[str, Any]]:
    """Compute the outcome of each group, and the effect size against each other one."""
    import numpy as np

    from analytics.programme.outcomes import group_outcome, hedges_g
    from cli.analysis.csv_table import with_missing

    members = {
        name: np.array([group == name for group in groups], dtype=np.bool_)
        for name in sorted(set(groups) - {""})
    }
    found = {
        name: _to_row(group_outcome(start[mask], end[mask], scale or (0.0, 10.0)), scale)
        for name, mask in members.items()
    }
    change = end - start
    for name, mask in members.items():
        against = {
            other: hedges_g(change[mask], change[members[other]])
            for other in members
            if other != name
        }
        found[name]["hedges_g"] = {other: g.g for other, g in against.items()}
        found[name]["detail"]["hedges_g"] = {other: with_missing(g) for other, g in against.items()}
    return found


def _measure_by_group(
    start: NDArray[np.float64], end: NDArray[np.float64], groups: list[str]
) -> dict[str, dict[str, Any]]:
    """Means of another measure by group and time, of those measured at that time; its change, of
    those measured twice. Which way is better is not known here, so no share of responders.
    """
    import numpy as np

    from analytics.programme.outcomes import hedges_g
    from cli.analysis.csv_table import with_missing

    members = {
        name: np.array([group == name for group in groups], dtype=np.bool_)
        for name in sorted(set(groups) - {""})
    }
    change = end - start
    found: dict[str, dict[str, Any]] = {}
    for name, mask in members.items():
        row: dict[str, Any] = {}
        for label, values in (("before", start), ("after", end), ("change", change)):
            measured = values[mask][np.isfinite(values[mask])]
            row[f"n_{label}"] = len(measured)
            row[f"mean_{label}"] = float(np.mean(measured)) if len(measured) else None
            row[f"sd_{label}"] = float(np.std(measured, ddof=1)) if len(measured) > 1 else None
        row["hedges_g"] = {
            other: with_missing(hedges_g(change[mask], change[others]))
            for other, others in members.items()
            if other != name
        }
        found[name] = row
    return found


def _print_measure(column: str, row: dict[str, Any]) -> None:
    parts = []
    names = {"before": N_("before"), "after": N_("after"), "change": N_("change")}
    for label in names:
        mean, sd = row[f"mean_{label}"], row[f"sd_{label}"]
        if mean is None:
            parts.append(_("{label} nobody measured").format(label=_(names[label])))
            continue
        sign = "+" if label == "change" else ""
        spread = "" if sd is None else fill(" (SD {sd:.3f})", sd=sd)
        parts.append(
            fill(
                "{name} {mean:" + sign + ".3f}{spread}, n {n}",
                name=_(names[label]),
                mean=mean,
                spread=spread,
                n=row[f"n_{label}"],
            )
        )
    typer.echo(f"  {column}: {'; '.join(parts)}")
    for other, g in row["hedges_g"].items():
        words = _("    Hedges' g of its change, against {other}: {text}")
        typer.echo(words.format(other=other, text=_effect(g)))


def _effect(g: dict[str, Any]) -> str:
    if g["missing"]:
        return say_result(str(g["missing"]))
    return fill(
        _("{value:.2f} ({low:.2f} to {high:.2f})"), value=g["g"], low=g["low"], high=g["high"]
    )


def _to_row(outcome: GroupOutcome, scale: tuple[float, float] | None) -> dict[str, Any]:
    """Give shares as percentages, with their counts and intervals under ``detail``."""
    row = asdict(outcome)
    shares = ("responders_30_percent", "responders_50_percent", "pain_free_or_nearly")
    if scale is None:
        row["pain_free_or_nearly"] = {
            **dict.fromkeys(("count", "percent", "low", "high")),
            "of": outcome.n_baseline,
            "missing_reason": "the scale is not certain; give --scale 0-10 or --scale 0-100",
        }
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


def _differ(subjects: NDArray[np.int64], days: NDArray[np.float64], n: int) -> bool:
    """Whether subjects have dates of their own: fewer than half share the first or the last."""
    import numpy as np

    ends = (float(np.min(days)), float(np.max(days)))
    return any(2 * len(np.unique(subjects[days == end])) < n for end in ends)


def _nearly_free(scale: tuple[float, float] | None) -> str:
    if scale is None or scale == (0.0, 10.0):
        return _("0 or 1 after, of all who began")
    low, high = scale
    return fill(
        _("{low:g} to {high:g} after, of all who began"), low=low, high=low + (high - low) / 10
    )
