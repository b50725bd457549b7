"""``ebbtide link``: the within-person link of an analyst's table."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import _, fill, say_finding, say_result
from cli.options import CsvFile, Dates, DecimalOption, Json, Missing, SubjectColumn
from ebbtide.i18n import N_

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from analytics.association.group import GroupLink
    from analytics.association.within_person import Association

_DAY_NS = 86_400e9
_FIRST_MONDAY = 4.0  # days from 1970-01-01
_PER_UNIT = N_(
    "{estimate:+.3g} of {y} for one more of {x} (95% interval {low:+.3g} to {high:+.3g})"
)


class RepeatedRows(StrEnum):
    """What equal rows are."""

    DROP = "drop"
    KEEP = "keep"


def link(
    file: CsvFile,
    subject: SubjectColumn,
    x: Annotated[str, typer.Option(help="Column of numbers, such as stress.")],
    y: Annotated[str, typer.Option(help="Column of numbers, such as pain.")],
    time: Annotated[
        str | None,
        typer.Option(help="Column of days or moments; the order of rows if left out."),
    ] = None,
    missing: Missing = None,
    dates: Dates = None,
    repeated: Annotated[
        RepeatedRows | None,
        typer.Option(help="Whether equal rows are copies (drop) or ratings of their own (keep)."),
    ] = None,
    decimal: DecimalOption = None,
    as_json: Json = False,
) -> None:
    """Whether y moved with x within people, beyond the course that both share."""
    import numpy as np

    from analytics.association.group import group_link
    from analytics.association.within_person import within_person_link
    from analytics.association.wording import Comparison, association_text
    from cli.analysis.csv_table import read_table, with_missing
    from cli.analysis.doubts import doubt_names, doubt_values
    from cli.analysis.missing_codes import describe, parse_missing, remove_link_codes
    from cli.analysis.repeated_rows import find_copies, order_rows

    table = read_table(file, decimal)
    subjects, names = table.subjects(subject)
    option = parse_missing(missing)
    x_raw, x_words = table.numbers(x)
    y_raw, y_words = table.numbers(y)
    times = None if time is None else table.times(time, dates.value if dates else None)
    copies = find_copies(
        table, subjects, times, [x_raw, y_raw], repeated.value if repeated else None
    )
    xs, x_codes = remove_link_codes(x_raw, x, option)
    ys, y_codes = remove_link_codes(y_raw, y, option)
    missing_codes = {x: {**x_words, **x_codes}, y: {**y_words, **y_codes}}
    order, shared_times = order_rows(subjects, times, xs, ys, copies)
    subjects, xs, ys = subjects[order], xs[order], ys[order]
    hours = None if times is None or times.hours is None else times.hours[order]
    if times is None:
        # Evenly spaced within each subject, however the rows of several are mixed.
        starts = np.searchsorted(subjects, subjects)
        days = (np.arange(len(subjects)) - starts).astype(np.float64)
    else:
        days = times.days[order] + times.first_in_week
    # Copies are out already, by the rule of the table.
    found = group_link(subjects, days, xs, ys, hours, drop_copies=False)
    own: Association | None = None
    if len(names) == 1:
        # Without a time, rows as if there were three a day.
        passed = days if time is not None else days / 3
        weeks = np.floor(np.min(passed) / 7) if len(passed) else 0.0
        passed = passed - 7 * weeks + _FIRST_MONDAY
        ns = np.round(passed * _DAY_NS).astype(np.int64)
        own = within_person_link(
            ns, xs, ys, hours, x_name=x, y_name=y, drop_copies=False, calendar=time is not None
        )
    within = _within(found, own)
    caveats = _caveats(found, time)
    if own is not None and own.missing_reason is None:
        compared = Comparison(x, f"one more of {x}", f"one more of {x}", y_name=y, both_rated=True)
        caveats = [*association_text(own, compared).caveats, *caveats[1:]]
    gap_p = found.missing_when_bad_p if own is None else own.missing_when_bad_p
    if own is None and gap_p is not None and gap_p < 0.05:
        caveats.append(
            "Rows seem to be missing when both were high: those beside a gap are higher than the "
            "others. That makes a link look weaker, or opposite, than it is."
        )
    caveats += _describe_one_sided(xs, ys, x, y)
    caveats += describe(missing_codes)
    caveats += [*doubt_values(xs, x), *doubt_values(ys, y), *doubt_names(names, subject)]
    if copies.any():
        caveats.append(
            f"{int(np.sum(copies))} rows repeat another one (subject, time and values are the "
            "same) and were dropped."
        )
    if shared_times > 0:
        caveats.append(
            f"{shared_times} rows share their time with another one of their subject: in which "
            "order they came is not known."
        )
    if times is not None and "since 1970" in times.read_as:
        caveats.append(f"{time} is read as {times.read_as}; its hours are those of UTC.")
    report = {
        "n_subjects": found.n_subjects,
        "n_pairs": found.n_pairs,
        "within": within,
        "rmcorr": with_missing(found.rmcorr),
        "detrended_rmcorr": {
            **with_missing(found.detrended_rmcorr),
            "method": "each one's course taken out; error from turning x in a circle, 10,000 "
            "times, or from the differences between subjects, if larger",
        },
        "spread_between_subjects": found.spread,
        "subjects": [{**asdict(one), "subject": names[one.subject]} for one in found.people],
        "changes": None if found.second_look is None else asdict(found.second_look),
        "missing_when_bad_p": gap_p,
        "verdict": _verdict(within, found, x, y),
        "caveats": caveats,
        "missing_codes": missing_codes,
        "duplicate_rows": int(np.sum(copies)),
        "time_read_as": "order of rows" if times is None else times.read_as,
    }
    if as_json:
        typer.echo(json.dumps(report, allow_nan=False))
        return
    typer.echo(say_result(_verdict(within, found, x, y)))
    words = _("  {pairs} pairs of {subjects} subjects")
    typer.echo(words.format(pairs=found.n_pairs, subjects=found.n_subjects))
    if within["estimate"] is not None:
        typer.echo("  " + fill(_(_PER_UNIT), x=x, y=y, **within))
    if own is None and found.second_look is not None:
        typer.echo(
            fill(
                _(
                    "  {estimate:+.3g} of {y} for one more of {x} in the changes from row to "
                    "row alone, where single large moments count little (p = {p:.3g} of more than "
                    "next to nothing)"
                ),
                x=x,
                y=y,
                estimate=found.second_look.estimate,
                p=found.second_look.p_value,
            )
        )
    for title, row in (
        (_("repeated-measures correlation, each one's course taken out"), found.detrended_rmcorr),
        (
            _("repeated-measures correlation, plain: a shared fall looks like a link"),
            found.rmcorr,
        ),
    ):
        if row.r is None:
            typer.echo(f"  {title}: {say_result(str(row.missing_reason))}")
        else:
            typer.echo(
                fill(
                    _(
                        "  {title}: r = {r:.4f} (95% interval {low:.2f} to {high:.2f}), dof {dof}, "
                        "p = {p:.3g}"
                    ),
                    title=title,
                    r=row.r,
                    low=row.low,
                    high=row.high,
                    dof=row.dof,
                    p=row.p_value,
                )
            )
    for caveat in caveats:
        typer.echo(f"  {say_finding(caveat)}")


def _within(found: GroupLink, own: Association | None) -> dict[str, Any]:
    from analytics.association import group, within_person

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
    from analytics.association.group import GroupVerdict

    if within["estimate"] is None:
        return f"not enough yet to say whether {y} moved with {x}: {within['missing']}"
    together = within["estimate"] > 0
    if found.n_subjects == 1:
        clear, shared = within["p_value"] < 0.05, False
    else:
        clear = found.verdict not in (GroupVerdict.UNCLEAR, GroupVerdict.NOT_ENOUGH)
        shared = found.verdict is GroupVerdict.SHARED_MOMENTS
    if not clear:
        return f"cannot tell whether {y} moved with {x}"
    if shared:
        return (
            f"{y} and {x} moved together, but moments that they share could make it"
            if together
            else f"{y} and {x} moved opposite ways, but moments that they share could make it"
        )
    return f"{y} and {x} moved together" if together else f"{y} and {x} moved opposite ways"


def _describe_one_sided(
    xs: NDArray[np.float64], ys: NDArray[np.float64], x: str, y: str
) -> list[str]:
    """Say how many rows have one of the two alone: they are no pairs, and never count as 0."""
    import numpy as np

    one_sided = int(np.sum(np.isfinite(xs) != np.isfinite(ys)))
    if not one_sided:
        return []
    rows = "row has" if one_sided == 1 else "rows have"
    return [f"{one_sided} {rows} {x} or {y} alone, and could not be used."]


def _caveats(found: GroupLink, time: str | None) -> list[str]:
    from analytics.association import group

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
