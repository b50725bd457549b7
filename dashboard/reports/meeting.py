"""What a patient brings to the next meeting: the contents of one page of paper."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import texts
from dashboard.i18n.api_texts import say
from dashboard.i18n.formatting import (
    calmer_parts,
    change_parts,
    format_day,
    format_long_day,
    format_number,
)
from dashboard.i18n.language import N_, _
from dashboard.reports.session_summary import answered_link, describe_apart

_DAYS = 28  # of the picture, and of the summary where there was no meeting
_MAX_NOTES = 5
_REST = "seated rest"  # a reading of the heart, and no practice
CAVEAT = N_(
    "Made with Ebbtide by the person themselves. Not a diagnosis, and no statement of cause. "
    "Ratings are their own, from 0 to 10."
)


@dataclass(frozen=True, slots=True)
class DayMean:
    """The means of a day's ratings; None where there is none."""

    day: date
    pain: float | None
    stress: float | None


@dataclass(frozen=True, slots=True)
class MeetingPage:
    """Headings with their lines, and the days of the picture with the numbers of meetings.

    ``picture_alternative`` is what a screen reader says in place of the picture.
    """

    title: str
    made: str
    parts: dict[str, list[str]]
    days: list[DayMean]
    meetings: dict[date, int]
    picture_text: str
    picture_alternative: str
    own_words: str
    caveat: str


def load_meeting_page(api: Any, account: dict[str, Any], now: datetime) -> MeetingPage:
    """Ask the API for what the page holds, and put it into the reader's language.

    ``api`` is a client of the patient, ``account`` who they are.
    """
    zone = ZoneInfo(account["zone"])
    now = now.astimezone(zone)
    held = [item for item in api.session_list() if _at(item["held"]) <= now]
    last = held[-1] if held else None
    since = _at(last["held"]) if last else now - timedelta(days=_DAYS)
    first_day = (now - timedelta(days=_DAYS - 1)).date()
    ratings = api.rating_list(min(since, now - timedelta(days=_DAYS)), now)
    recent = [item for item in ratings if _at(item["about"]) >= since]
    practices = [
        item for item in api.practices() if item["kind"] != _REST and _at(item["start"]) >= since
    ]
    begin = (
        _("Since meeting {number} on {day}").format(
            number=last["number"], day=format_long_day(since.astimezone(zone))
        )
        if last
        else _("In the last four weeks")
    )
    parts = {begin: _describe_ratings(recent, zone)}
    parts[_("Over the programme")] = _describe_changes(api.therapy())
    parts[_("Pain, stress and the heart")] = _describe_link(api, now)
    parts[_("At home")] = _describe_practice(api.homework(), practices)
    notes = [item for item in api.notes() if _at(item["about"]) >= since]
    if notes:
        parts[_("What I noted")] = [
            f"{_(texts.NOTE_KINDS[note['kind']])}: {note['words']}" for note in notes[-_MAX_NOTES:]
        ]
    days = daily_means(ratings, first_day, now.date(), zone)
    simulated = _(" - simulated data") if account["simulated"] else ""
    return MeetingPage(
        title=_("For my next meeting: {name}").format(name=account["name"]),
        made=format_long_day(now) + simulated,
        parts=parts,
        days=days,
        meetings={
            _at(item["held"]).astimezone(zone).date(): item["number"]
            for item in held
            if _at(item["held"]).astimezone(zone).date() >= first_day
        },
        picture_text=_(
            "Averages of each day of the last four weeks. Filled dots, unbroken line: pain. Open "
            "squares, broken line: stress. A number: a meeting."
        ),
        picture_alternative=_describe_picture(days),
        own_words=_("What I want to say or ask"),
        caveat=_(CAVEAT),
    )


def daily_means(
    ratings: list[dict[str, Any]], first: date, last: date, zone: ZoneInfo
) -> list[DayMean]:
    """Average the ratings of each local day from ``first`` to ``last``."""
    by_day: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for item in ratings:
        by_day[_at(item["about"]).astimezone(zone).date()].append(item)
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    return [
        DayMean(
            day,
            *(_mean_of(by_day.get(day, []), name) for name in ("pain", "stress")),
        )
        for day in days
    ]


def _mean_of(ratings: list[dict[str, Any]], name: str) -> float | None:
    there = [item[name] for item in ratings if item[name] is not None]
    return mean(there) if there else None


def _describe_picture(days: list[DayMean]) -> str:
    sentences = [_("Pain and stress, day by day, in the last four weeks.")]
    for title, values in (
        (_("Pain"), [day.pain for day in days if day.pain is not None]),
        (_("Stress"), [day.stress for day in days if day.stress is not None]),
    ):
        if values:
            sentences.append(
                _("{name}: from {first} on the first day to {last} on the last.").format(
                    name=title,
                    first=format_number(values[0], 1),
                    last=format_number(values[-1], 1),
                )
            )
    return " ".join(sentences)


def _describe_ratings(ratings: list[dict[str, Any]], zone: ZoneInfo) -> list[str]:
    if not ratings:
        return [_("No ratings in this time.")]
    days = len({_at(item["about"]).astimezone(zone).date() for item in ratings})
    lines = [_("Ratings: {count}, on {days} days.").format(count=len(ratings), days=days)]
    for name, title in (("pain", _("Pain")), ("stress", _("Stress"))):
        values = [item[name] for item in ratings if item[name] is not None]
        if not values:
            continue
        lines.append(
            _("{name}: {mean} on average, between {low} and {high}.").format(
                name=title, mean=format_number(mean(values), 1), low=min(values), high=max(values)
            )
        )
    return lines


def _describe_changes(report: dict[str, Any]) -> list[str]:
    lines = []
    for name, change in ((_("Pain"), report["pain"]), (_("Stress"), report["stress"])):
        if change["missing"] is not None:
            words = _("{name}: not enough yet to say how it changed: {missing}.")
            lines.append(words.format(name=name, missing=say(change["missing"])))
            continue
        sure = (
            _("The change is clear.")
            if change["reliable"]
            else _("From these ratings we cannot tell whether it changed.")
        )
        words = _(
            "{name} was {before} on average in the first week and {after} in "
            "the last: a change of {change} (95% interval {low} to {high}). {sure}"
        )
        lines.append(words.format(name=name, sure=sure, **change_parts(change)))
    return lines


def _describe_link(api: Any, now: datetime) -> list[str]:
    report = api.link_report()
    rows = {row["key"]: row for row in [report["stress"], *report["others"]]}
    row = answered_link(report)
    lines = [describe_apart(row) if row is report["apart"] else say(row["sentence"])]
    heart = rows["stress_index"]
    if heart["missing"] is None:
        lines.append(say(heart["sentence"]))
    trend = api.trend(now - timedelta(days=7), now, 86_400)
    known = [item for item in trend["days"] if item["stress_index"]["value"] is not None]
    if known:
        words = _(
            "On {day} your heart was calmer than at {share} of 100 of your usual moments at these "
            "hours ({low} to {high})."
        )
        day = format_day(f"{known[-1]['day']}T12:00:00+00:00")
        lines.append(words.format(day=day, **calmer_parts(known[-1]["stress_index"])))
    return lines


def _describe_practice(
    homework: list[dict[str, Any]], practices: list[dict[str, Any]]
) -> list[str]:
    lines = []
    if homework:
        lines.append(_("Agreed on: {homework}").format(homework=homework[-1]["homework"]))
    kinds = Counter(item["kind"] for item in practices)
    done = ", ".join(
        _("{kind}: {count} times").format(kind=say(kind), count=count)
        for kind, count in kinds.most_common()
    )
    lines.append(_("Practised: {done}.").format(done=done) if done else _("No practice noted."))
    return lines


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC)
