"""The summary before a session, for a therapist: on the screen, and as PDF (``session_pdf``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dashboard.i18n import texts
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import change_parts, format_long_day, format_number, slope_parts
from dashboard.i18n.language import N_, _

CAVEAT = N_(
    "Not a diagnosis, and no statement of cause: what moved together, and "
    "what came before. Ratings are the patient's own."
)


@dataclass
class SessionSummary:
    """Lines of text under headings."""

    name: str
    made: datetime
    simulated: bool
    parts: dict[str, list[str]] = field(default_factory=dict)


def session_summary(
    patient: dict[str, Any],
    therapy: dict[str, Any],
    link: dict[str, Any],
    sessions: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    notes: list[dict[str, Any]],
    session_notes: list[dict[str, Any]],
    ratings: list[dict[str, Any]],
    now: datetime,
) -> SessionSummary:
    """Summarise what happened since the last session and over the programme."""
    held = [s for s in sessions if datetime.fromisoformat(s["held"]) <= now]
    last = held[-1] if held else None
    since = datetime.fromisoformat(last["held"]) if last else None
    page = SessionSummary(patient["name"], now, patient["simulated"] or link["simulated"])
    page.parts[_("Since the last meeting")] = _since(since, last, ratings, practices, therapy)
    page.parts[_("Over the programme")] = [
        _change(_("Pain"), therapy["pain"]),
        _change(_("Stress"), therapy["stress"]),
        _compare_with_trial(therapy),
    ]
    stress = link["stress"]
    page.parts[_("Pain and stress")] = [say(stress["sentence"])]
    if stress["missing"] is None:
        page.parts[_("Pain and stress")].append(
            _(
                "{estimate} points of pain for {unit}, 95% interval {low} to {high}, {n} "
                "ratings. {caveat}"
            )
            .format(
                **slope_parts(stress),
                unit=say(stress["unit"]),
                n=stress["n"],
                caveat=say(stress["caveats"][0]) if stress["caveats"] else "",
            )
            .strip()
        )
        # What makes the answer less sure: one moment, the weekday, ratings that are missing.
        page.parts[_("Pain and stress")] += [say(words) for words in stress["caveats"][2:]]
    recent = [n for n in notes if since is None or datetime.fromisoformat(n["about"]) >= since]
    page.parts[_("Their notes")] = [
        f"{_(texts.NOTE_KINDS[n['kind']])}: {n['words']}" for n in recent[-8:]
    ] or [_("None.")]
    if session_notes:
        last_note = session_notes[-1]
        page.parts[_("Your notes of meeting {number}").format(number=last_note["number"])] = [
            line
            for line in (
                last_note["notes"],
                _("Homework: {homework}").format(homework=last_note["homework"] or _("none")),
            )
            if line
        ]
    return page


def _since(
    since: datetime | None,
    last: dict[str, Any] | None,
    ratings: list[dict[str, Any]],
    practices: list[dict[str, Any]],
    therapy: dict[str, Any],
) -> list[str]:
    if since is None or last is None:
        return [_("No meeting yet.")]
    many = [p for p in practices if datetime.fromisoformat(p["start"]) >= since]
    rated = [r for r in ratings if datetime.fromisoformat(r["about"]) >= since]
    lines = [
        _(
            "Meeting {number} was on {since}. Since then {rated} ratings and {many} practices."
        ).format(
            number=last["number"], since=format_long_day(since), rated=len(rated), many=len(many)
        )
    ]
    around = [s for s in therapy["sessions"] if s["number"] == last["number"]]
    for name, title in (("pain", _("Pain")), ("stress", _("Stress"))):
        if around:
            change = around[0][name]
            lines.append(
                _("{name}, three days before to three days after: ").format(name=title)
                + (
                    _format_change(change)
                    if change["missing"] is None
                    else f"{say(change['missing'])}."
                )
            )
    return lines


def _change(name: str, change: dict[str, Any]) -> str:
    if change["missing"] is not None:
        return _("{name}: not known yet ({missing}).").format(
            name=name, missing=say(change["missing"])
        )
    return _("{name}, first week to last: {change}").format(
        name=name, change=_format_change(change)
    )


def _format_change(change: dict[str, Any]) -> str:
    sure = "" if change["reliable"] else _(" We cannot tell whether it changed.")
    return _("{before} to {after}, {change} (95% interval {low} to {high}).{sure}").format(
        **change_parts(change), sure=sure
    )


def _compare_with_trial(therapy: dict[str, Any]) -> str:
    groups = "; ".join(
        _("{name} {before} to {after}").format(
            name=say(group["name"]),
            before=format_number(group["mean_before"], 1),
            after=format_number(group["mean_after"], 1),
        )
        for group in therapy["trial"]
    )
    return _("For comparison, the trial's groups over a month: {groups}. {caution}").format(
        groups=groups, caution=say(therapy["caution"])
    )


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
