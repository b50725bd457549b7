"""The summary before a session, for a therapist: on the screen, and as PDF (``session_pdf``)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import texts
from dashboard.i18n.api_texts import ASKED_APART, say
from dashboard.i18n.formatting import (
    change_parts,
    format_day,
    format_long_day,
    format_number,
    format_time,
    format_weekday,
)
from dashboard.i18n.language import N_, _
from dashboard.session_picture import SessionPicture

CAVEAT = N_(
    "Not a diagnosis, and no statement of cause: what moved together, and "
    "what came before. Ratings are the patient's own."
)
PICTURE_WORDS = N_(
    "Each mark is a rating, each line the mean of its days: pain solid, stress dashed. Upright "
    "lines are meetings with their numbers, triangles practices."
)
HEART_WORDS = N_(
    "Stress index of the heart: 50 is their usual at that hour, lower is calmer. The bar is the "
    "95% interval: of 100 made like this, 95 hold the true value."
)
# Why the heart is compared with new values from a day on.
START_REASONS = {
    "illness": N_("illness"),
    "new strap": N_("another strap"),
    "other": N_("something else changed"),
}
_RECENT_NOTES, _RECENT_HOMEWORK = 8, 2


@dataclass
class SessionSummary:
    """Lines of text under headings, the most needed first, and the picture."""

    name: str
    made: datetime
    simulated: bool
    parts: dict[str, list[str]] = field(default_factory=dict)
    picture: SessionPicture | None = None


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What the API gave of a patient. ``since``: the change from the week before the last meeting
    to the last week, or None without a meeting.
    """

    patient: dict[str, Any]
    therapy: dict[str, Any]
    since: dict[str, Any] | None
    link: dict[str, Any]
    sessions: list[dict[str, Any]]
    practices: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    session_notes: list[dict[str, Any]]
    ratings: list[dict[str, Any]]
    starts: list[dict[str, Any]]
    now: datetime

    @property
    def last(self) -> dict[str, Any] | None:
        """The last meeting that was held."""
        held = [s for s in self.sessions if datetime.fromisoformat(s["held"]) <= self.now]
        return held[-1] if held else None

    @property
    def coming(self) -> dict[str, Any] | None:
        """The next meeting."""
        later = [s for s in self.sessions if datetime.fromisoformat(s["held"]) > self.now]
        return later[0] if later else None


def session_summary(facts: SessionFacts, picture: SessionPicture | None = None) -> SessionSummary:
    """Summarise what happened since the last session and over the programme."""
    link, therapy = facts.link, facts.therapy
    page = SessionSummary(
        facts.patient["name"],
        facts.now.astimezone(ZoneInfo(facts.patient["zone"])),
        facts.patient["simulated"] or link["simulated"],
        picture=picture,
    )
    page.parts[_("Since the last meeting")] = _describe_since(facts)
    page.parts[_("Next meeting")] = [_describe_next(facts.coming)]
    page.parts[_("Homework, and what became of it")] = describe_homework(facts)
    apart = link["apart"]
    page.parts[_("Pain and stress")] = [
        *([] if apart and answered_link(link) is apart else _describe_link(link["stress"])),
        *([describe_apart(apart)] if apart else []),
    ]
    page.parts[_("Over the programme")] = [
        _describe_change(_("Pain"), _("in the first week"), _("in the last"), therapy["pain"]),
        _describe_change(_("Stress"), _("in the first week"), _("in the last"), therapy["stress"]),
    ]
    if facts.starts:
        page.parts[_("New usual values of the heart")] = [
            _("From {day} on: {reason}.").format(
                day=format_long_day(f"{row['day']}T12:00:00"),
                reason=_(START_REASONS[row["reason"]]),
            )
            for row in facts.starts
        ]
    since = None if facts.last is None else datetime.fromisoformat(facts.last["held"])
    recent = [
        note
        for note in facts.notes
        if since is None or datetime.fromisoformat(note["about"]) >= since
    ]
    page.parts[_("Their notes")] = [
        f"{_(texts.NOTE_KINDS[n['kind']])}: {n['words']}" for n in recent[-_RECENT_NOTES:]
    ] or [_("None.")]
    written = [row for row in facts.session_notes if row["notes"].strip()]
    if written:
        last_note = written[-1]
        heading = _("Your notes of meeting {number}").format(number=last_note["number"])
        page.parts[heading] = [last_note["notes"]]
    return page


def _describe_since(facts: SessionFacts) -> list[str]:
    """Three lines: what came in, pain, stress."""
    last = facts.last
    if last is None or facts.since is None:
        return [_("No meeting yet.")]
    at = datetime.fromisoformat(last["held"])
    many = [p for p in facts.practices if datetime.fromisoformat(p["start"]) >= at]
    rated = [r for r in facts.ratings if datetime.fromisoformat(r["about"]) >= at]
    before = _("in the week before it")
    after = _("in the last week") if facts.now - at >= timedelta(days=7) else _("since")
    return [
        _(
            "Meeting {number} was on {since}. Since then {rated} ratings and {many} practices."
        ).format(
            number=last["number"], since=format_long_day(at), rated=len(rated), many=len(many)
        ),
        _describe_change(_("Pain"), before, after, facts.since["pain"]),
        _describe_change(_("Stress"), before, after, facts.since["stress"]),
    ]


def _describe_change(name: str, before: str, after: str, change: dict[str, Any]) -> str:
    if change["missing"] is not None:
        return _("{name}: not known yet ({missing}).").format(
            name=name, missing=say(change["missing"])
        )
    if change["reliable"]:
        verdict = _("fell") if change["change"] < 0 else _("rose")
    else:
        verdict = _("cannot tell whether it changed")
    return _(
        "{name}: {first} {before}, {last} {after} ({verdict}; the change is {change}, with a 95% "
        "interval from {low} to {high})."
    ).format(
        name=name,
        before=before,
        after=after,
        verdict=verdict,
        first=change_parts(change)["before"],
        last=change_parts(change)["after"],
        **{key: change_parts(change)[key] for key in ("change", "low", "high")},
    )


def _describe_next(coming: dict[str, Any] | None) -> str:
    if coming is None:
        return _("None is planned.")
    return _("Meeting {number} on {weekday}, {day}, at {time}.").format(
        number=coming["number"],
        weekday=format_weekday(coming["held"]),
        day=format_long_day(coming["held"]),
        time=format_time(coming["held"]),
    )


def describe_homework(facts: SessionFacts) -> list[str]:
    """Say what was agreed at the last meetings, and which practices followed until the next."""
    agreed = [row for row in facts.session_notes if row["homework"].strip()]
    held = {row["number"]: datetime.fromisoformat(row["held"]) for row in facts.sessions}
    lines = []
    for row in agreed[-_RECENT_HOMEWORK:]:
        words = _("After meeting {number}: {homework}").format(
            number=row["number"], homework=row["homework"].strip()
        )
        begin = held.get(row["number"])
        if begin is not None and begin <= facts.now:
            later = [at for at in held.values() if begin < at]
            words += " " + _describe_practised(facts, begin, min([facts.now, *later]))
        lines.append(words)
    return lines or [_("None was agreed.")]


def _describe_practised(facts: SessionFacts, begin: datetime, end: datetime) -> str:
    found = [
        (item["kind"], datetime.fromisoformat(item["start"]))
        for item in facts.practices
        if begin <= datetime.fromisoformat(item["start"]) < end
    ]
    until = _("Until {day}:").format(day=format_day(end))
    if not found:
        return until + " " + _("no practice was noted; the app notes guided ones alone.")
    zone = ZoneInfo(facts.patient["zone"])
    days = len({at.astimezone(zone).date() for _kind, at in found})
    kinds = ", ".join(
        _("{count} x {practice}").format(count=count, practice=say(kind))
        for kind, count in Counter(kind for kind, _at in found).most_common()
    )
    span = max(1, round((end - begin) / timedelta(days=1)))
    return (
        until
        + " "
        + _("{practices}, on {days} of {span} days.").format(practices=kinds, days=days, span=span)
    )


def _describe_link(stress: dict[str, Any]) -> list[str]:
    """The sentence, which names its interval, and what the interval means."""
    lines = [say(stress["sentence"])]
    if stress["missing"] is None:
        lines.append(
            _("Of 100 intervals made like this, 95 hold the true value. {caveat}")
            .format(caveat=say(stress["caveats"][0]) if stress["caveats"] else "")
            .strip()
        )
    return lines


def describe_apart(row: dict[str, Any]) -> str:
    """The answer from questions that asked for one alone, and what cannot have made it."""
    words = _("Asked at different moments: {sentence}").format(sentence=say(row["sentence"]))
    return words if row["missing"] is not None else f"{words} {_(ASKED_APART)}"


def describe_doubts(link: dict[str, Any]) -> list[str]:
    """List what else makes the link less sure: that of one moment, or without it the one of
    questions that asked for one alone.
    """
    row = answered_link(link)
    return [say(words) for words in row["caveats"][1:] if say(words) != _(ASKED_APART)]


def answered_link(link: dict[str, Any]) -> dict[str, Any]:
    """Choose the answer of one moment; where there is none, the one from questions that asked for
    one alone, if that has a number or nothing was rated at one moment.
    """
    stress: dict[str, Any] = link["stress"]
    apart: dict[str, Any] | None = link["apart"]
    if stress["missing"] is None or apart is None:
        return stress
    return apart if apart["missing"] is None or not stress["n"] else stress


def describe_trial(therapy: dict[str, Any]) -> str:
    """Name the trial's groups, to compare with."""
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
