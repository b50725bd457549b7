"""The link report of a person: the stored one, where nothing has changed since, or a new one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analytics.association import within_person as link_method
from analytics.association.hrv_before_rating import Span
from analytics.hrv import relative_stress, windows
from analytics.report import Statement, apart_statement, person_report
from api.schemas.link import (
    BeatsBeforeRatings,
    ChangeOut,
    ComparisonOut,
    LinkReport,
    PromptsPattern,
    RatingsPattern,
)
from api.services.cache.analysis import AnalysisCache
from api.services.compute import compute
from api.services.inputs import day_fingerprints
from api.services.prompted import (
    PROMPT_S,
    PromptedRatings,
    compute_let_go,
    read_prompt_beats,
    split_ratings,
)
from api.services.rating_windows import (
    RatingWindows,
    group_windows,
    index_before,
    local_times,
    report_inputs,
)
from api.services.single_flight import single_flight
from ebbtide.beats import Origin
from ebbtide.timestamps import DAY, EARLIEST, HOUR, LATEST, MINUTE, to_datetime
from store import Stores
from store.models import Person, Rating, StoredReport

# Seconds, as measured (docs/evidence/cost.md): of the statistics, of reading a rating, and of the
# beats of a window before one.
_STATISTICS_S, _STATISTICS_RATING_S = 0.1, 5e-4
_SLOPES_S, _MIN_FOR_SLOPES = 1.0, 30
_RATING_S, _WINDOW_BEFORE_S = 5e-5, 1.5e-3

REPORT_METHODS = (link_method.METHOD, windows.METHOD, relative_stress.METHOD, "report 6")


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """What a report would be made from, and the seconds that would take. ``stored``: the report as
    JSON, where nothing has changed since it was made; then it costs nothing.
    """

    person: Person
    span: Span
    prompted: PromptedRatings
    days: dict[int, str]
    fingerprint: str
    covers_all: bool
    stored: str | None
    price_s: float

    @property
    def ratings(self) -> list[Rating]:
        """The ratings that the report is made of."""
        return self.prompted.ratings


def plan_report(
    stores: Stores, person: Person, start_ns: int, end_ns: int, span: Span
) -> ReportPlan:
    """Read the ratings about [start_ns, end_ns), and price their report."""
    ratings = stores.records.ratings(person.id, start_ns, end_ns)
    covers_all = start_ns <= EARLIEST and end_ns >= stores.now()
    return plan_report_of(stores, person, ratings, span, covers_all=covers_all)


def plan_report_of(
    stores: Stores,
    person: Person,
    ratings: list[Rating],
    span: Span,
    *,
    covers_all: bool = False,
) -> ReportPlan:
    """Price the report of these of a person's ratings. With ``covers_all`` it will be stored."""
    prompted = split_ratings(stores, person, ratings)
    inputs = _inputs(person, prompted, span)
    days = days_of_report(stores, person, prompted.ratings)
    fingerprint = _hash(inputs, days)
    stored = _find_stored(stores, person, span, fingerprint)
    return ReportPlan(
        person,
        span,
        prompted,
        days,
        fingerprint,
        covers_all,
        stored,
        0.0 if stored is not None else _price_s(prompted, days, span),
    )


def load_report_json(
    stores: Stores, cache: AnalysisCache, person: Person, start_ns: int, end_ns: int, span: Span
) -> str:
    """Load or make the same report as JSON, the form in which it is stored."""
    return load_planned_json(stores, cache, plan_report(stores, person, start_ns, end_ns, span))


def load_planned_json(stores: Stores, cache: AnalysisCache, plan: ReportPlan) -> str:
    """Load or make the report of a plan as JSON."""
    if plan.stored is not None:
        return plan.stored
    person, span, ratings = plan.person, plan.span, plan.ratings
    with single_flight(f"link {person.id} {span}"):
        stored = _find_stored(stores, person, span, plan.fingerprint)
        if stored is not None:
            return stored
        # While a strap uploads, today's fingerprint changes with every upload, and the beats before
        # the ratings hardly ever: the cache is keyed by those.
        rating_windows, beats = cache.windows.load(
            stores, person, cache.baselines, ratings, span, plan.days
        )
        # Of the beats before prompts the cache of windows knows nothing: their days stand for them.
        of_prompts = {(item.sent_ns or 0) // DAY for item in plan.prompted.prompts}
        days = repr([(day, plan.days.get(day)) for day in sorted(of_prompts)])
        inputs = _inputs(person, plan.prompted, span)
        key = ("link", person.subject_id, beats, days, inputs)
        cached = cache.responses.get(key)
        if cached is not None:
            return cached.decode()
        prompts = read_prompt_beats(stores, person, plan.prompted)
        price_s = _statistics_price_s(len(ratings)) + PROMPT_S * len(prompts.prompts)
        body = compute(price_s, link_report_json, replace(rating_windows, prompts=prompts))
        cache.responses.put(key, body.encode())
        if plan.covers_all:  # as most requests want
            stores.records.put_report(StoredReport(person.id, span, plan.fingerprint, body))
        return body


def link_report_json(rating_windows: RatingWindows) -> str:
    """Make the report as JSON. Pure: it reads no store."""
    return link_report(rating_windows).model_dump_json()


def report_fingerprint(
    person: Person, found: PromptedRatings, span: Span, days: dict[int, str]
) -> str:
    """Name all that a report is made from: a stored one with another fingerprint is outdated."""
    return _hash(_inputs(person, found, span), days)


def link_report(rating_windows: RatingWindows) -> LinkReport:
    """Make the report. Pure: it reads no store."""
    ratings = rating_windows.ratings
    arrays, windows = report_inputs(rating_windows)
    let_go = compute_let_go(rating_windows.prompts, ratings)
    index = index_before(rating_windows, windows)
    report = person_report(arrays, windows, let_go=let_go, index=index)
    apart = _apart(rating_windows, report.statements[0])
    first, *others = [ComparisonOut.from_statement(statement) for statement in report.statements]
    pattern, what_if = report.missing, report.what_if
    origins = rating_windows.origins
    return LinkReport(
        stress=first,
        apart=apart,
        others=others,
        pain_change=ChangeOut.from_change(report.pain),
        stress_change=ChangeOut.from_change(report.stress),
        ratings=RatingsPattern(
            given=pattern.given,
            days=pattern.days,
            days_with_ratings=pattern.with_ratings,
            a_day=pattern.a_day,
            expected=pattern.expected,
            longest_pause_days=pattern.longest_pause,
            back_dated=sum(rating.entered_ns - rating.about_ns > 2 * HOUR for rating in ratings),
            close_together=sum(
                after.about_ns - before.about_ns < 10 * MINUTE
                for before, after in pairwise(ratings)
            ),
            zones=sorted({rating.zone for rating in ratings}),
            filled=what_if.filled,
            estimate_if_both_worse=what_if.both_worse,
            estimate_if_pain_worse=what_if.pain_worse,
            chosen_by_heart=rating_windows.prompts.left_out,
            after_offers=rating_windows.prompts.after_offers,
            prompts=None if let_go is None else PromptsPattern.from_record(let_go),
        ),
        beats_before_ratings=BeatsBeforeRatings(
            ratings=len(ratings), usable=report.before.usable, why_not=report.before.reason_counts
        ),
        span=rating_windows.span,
        simulated=Origin.SIMULATED in origins or any(rating.simulated for rating in ratings),
        origins=sorted(origins),
        method=link_method.METHOD,
    )


def _apart(rating_windows: RatingWindows, beside: Statement) -> ComparisonOut | None:
    """The answer from ratings of pain or stress alone; None where there are none, or, beside
    ratings of both, none that could be paired.
    """
    singles = [item for item in rating_windows.ratings if not item.is_complete]
    if not singles:
        return None
    stress = [item for item in singles if item.stress is not None]
    pain = [item for item in singles if item.pain is not None]
    if not (stress and pain) and len(singles) < len(rating_windows.ratings):
        return None
    stress_ns, _, hour = local_times(stress)
    pain_ns, _, _ = local_times(pain)

    def moment_text(time_ns: int) -> str:
        when = to_datetime(time_ns, rating_windows.zone)
        return f"{when.day} {when:%B %Y}, {when:%H:%M}"

    return ComparisonOut.from_statement(
        apart_statement(
            stress_ns,
            np.array([item.stress for item in stress], dtype=np.float64),
            hour,
            pain_ns,
            np.array([item.pain for item in pain], dtype=np.float64),
            beside,
            moment_text,
        )
    )


def _find_stored(stores: Stores, person: Person, span: Span, fingerprint: str) -> str | None:
    report = stores.records.report(person.id, span)
    return None if report is None or report.fingerprint != fingerprint else report.body


def _price_s(found: PromptedRatings, days: dict[int, str], span: Span) -> float:
    """Seconds for the report of these ratings, with the beats before those on days with beats."""
    ratings = found.ratings
    starts, _ = group_windows(ratings, span)
    with_beats = sum(
        len(group) for group in starts if {int(group[0]) // DAY, int(group[-1]) // DAY} & set(days)
    )
    return (
        _statistics_price_s(len(ratings))
        + len(ratings) * _RATING_S
        + with_beats * _WINDOW_BEFORE_S
        + len(found.prompts) * PROMPT_S
    )


def _statistics_price_s(ratings: int) -> float:
    """Of the statistics alone, all of their slopes together."""
    slopes_s = _SLOPES_S if ratings >= _MIN_FOR_SLOPES else 0.0
    return _STATISTICS_S + slopes_s + ratings * _STATISTICS_RATING_S


def _hash(inputs: str, days: dict[int, str]) -> str:
    return hashlib.sha256(repr((inputs, sorted(days.items()))).encode()).hexdigest()


def days_of_report(stores: Stores, person: Person, ratings: list[Rating]) -> dict[int, str]:
    """The fingerprints of all days with beats; without ratings, no beats are used."""
    return day_fingerprints(stores, person, 0, LATEST) if ratings else {}


def _inputs(person: Person, found: PromptedRatings, span: Span) -> str:
    """What a report is made from, except for beats."""
    versions = [
        (rating.id, rating.version, rating.about_ns, rating.entered_ns, rating.zone)
        for rating in found.ratings
    ]
    return repr((REPORT_METHODS, span, person.zone, versions, found.content))
