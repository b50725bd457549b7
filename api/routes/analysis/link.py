"""Whether pain moved with stress, and with the heart."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from analytics.association import within_person as link_method
from analytics.association.hrv_before_rating import Span
from analytics.association.wording import Verdict
from analytics.hrv import stress_index, windows
from analytics.programme.change import Change
from analytics.report import Statement, person_report
from api.http.deps import PatientInScope, StoresDep
from api.http.problems import describe_problems
from api.http.time_range import OptionalTimeRange
from api.services.cache.analysis import AnalysisCache, CacheDep
from api.services.rating_windows import RatingWindows, compute_rating_hrv
from api.services.single_flight import single_flight
from ebbtide.beats import Origin
from ebbtide.timestamps import EARLIEST, HOUR, LATEST, MINUTE
from store.protocols.records import Person, Rating, StoredReport
from store.stores import Stores

shared = APIRouter(tags=["link"])

_METHODS = (link_method.METHOD, windows.METHOD, stress_index.METHOD, "report 1")


class ResidualPoint(BaseModel):
    """One rating without the course that both share: how far each was from the usual then."""

    x: float
    y: float


class ComparisonOut(BaseModel):
    """How one thing moved with another. Numbers are null where ``missing`` says why."""

    key: str = Field(examples=["same_moment"])
    title: str
    estimate: float | None = Field(description="Points for one unit", examples=[0.34])
    low: float | None = Field(description="95% interval", examples=[0.12])
    high: float | None = Field(examples=[0.56])
    p_value: float | None = Field(examples=[0.003])
    p_adjusted: float | None = Field(
        description="Corrected for several looks (Holm); that of the first, the question, is not"
    )
    autocorrelation: float | None = Field(description="Of the errors, a typical step apart")
    n: int = Field(examples=[84])
    unit: str = Field(examples=["one point of stress"])
    verdict: Verdict
    sentence: str
    caveats: list[str]
    missing: str | None
    points: list[ResidualPoint]


class BeatsBeforeRatings(BaseModel):
    """How many ratings have usable beats before them, and why the others have none."""

    ratings: int
    usable: int
    why_not: dict[str, int]


class ChangeOut(BaseModel):
    """From the first week to the last. Null where ``missing`` says why."""

    before: float | None
    after: float | None
    change: float | None = Field(examples=[-1.8])
    low: float | None = Field(description="95% interval")
    high: float | None
    percent: float | None
    reliable: bool = Field(description="The interval leaves out no change at all")
    n_before: int
    n_after: int
    missing: str | None


class RatingsPattern(BaseModel):
    """Ratings given and not given; and the link if the missing ones had been worse by 2 points."""

    given: int
    days: int
    days_with_ratings: int
    a_day: float
    expected: int
    longest_pause_days: int
    back_dated: int = Field(description="Entered more than two hours after what they are about")
    close_together: int = Field(description="Within ten minutes of the one before")
    zones: list[str] = Field(description="Where the person was; hours of the day are local")
    filled: int
    estimate_if_both_worse: float | None
    estimate_if_pain_worse: float | None


class LinkReport(BaseModel):
    """The answer, in words and in numbers."""

    stress: ComparisonOut = Field(description="The question: pain and stress at the same moment")
    others: list[ComparisonOut] = Field(description="Further looks")
    pain_change: ChangeOut
    stress_change: ChangeOut
    ratings: RatingsPattern
    beats_before_ratings: BeatsBeforeRatings
    span: Span
    simulated: bool = Field(description="Some of this was made by a simulation")
    origins: list[Origin]
    method: str


@shared.get("/link", response_model=LinkReport, responses=describe_problems(401, 403, 404, 422))
def link(
    person: PatientInScope,
    asked: OptionalTimeRange,
    stores: StoresDep,
    known: CacheDep,
    span: Annotated[
        Span, Query(description="Which heartbeats before each rating count")
    ] = Span.MINUTES_30,
) -> Response:
    """The within-person link of pain with stress, and with the heart."""
    body = load_report_json(stores, known, person, asked.start_ns, asked.end_ns, span)
    return Response(body, media_type="application/json")


def load_report(
    stores: Stores, known: AnalysisCache, person: Person, start_ns: int, end_ns: int, span: Span
) -> LinkReport:
    """The report of a range; the one that is kept, where nothing has changed since."""
    return LinkReport.model_validate_json(
        load_report_json(stores, known, person, start_ns, end_ns, span)
    )


def load_report_json(
    stores: Stores, known: AnalysisCache, person: Person, start_ns: int, end_ns: int, span: Span
) -> str:
    """The same as JSON, as it is kept."""
    ratings = stores.records.ratings(person.id, start_ns, end_ns)
    said, days = _report_inputs(person, ratings, span), _day_fingerprints(stores, person, ratings)
    content = _hash(said, days)

    def kept() -> str | None:
        there = stores.records.report(person.id, span)
        if there is None or there.content != content:
            return None
        return there.body

    there = kept()
    if there is not None:
        return there
    with single_flight(f"link {person.id} {span}"):
        there = kept()
        if there is not None:
            return there
        # While a strap uploads, the content of today changes, and that before the ratings hardly.
        read, beats = known.windows.of(stores, person, known.histories, ratings, span, days)
        key = ("link", person.id, beats, said)
        made = known.answers.get(key)
        if made is not None:
            return made.decode()
        found = link_report(read).model_dump_json()
        known.answers.put(key, found.encode())
        if start_ns <= EARLIEST and end_ns >= stores.now():  # all there is, as most ask
            stores.records.put_report(StoredReport(person.id, span, content, found))
        return found


def report_fingerprint(stores: Stores, person: Person, ratings: list[Rating], span: Span) -> str:
    """What names all that a report is made from: another name, and it is made again."""
    return _hash(_report_inputs(person, ratings, span), _day_fingerprints(stores, person, ratings))


def _hash(said: str, days: dict[int, str]) -> str:
    return hashlib.sha256(repr((said, sorted(days.items()))).encode()).hexdigest()


def _day_fingerprints(stores: Stores, person: Person, ratings: list[Rating]) -> dict[int, str]:
    """The names of the content of all days; without ratings, beats say nothing."""
    return stores.beats.day_fingerprints(person.subject_id, 0, LATEST) if ratings else {}


def _report_inputs(person: Person, ratings: list[Rating], span: Span) -> str:
    """What a report is made from, but for beats."""
    said = [
        (rating.id, rating.version, rating.about_ns, rating.entered_ns, rating.zone)
        for rating in ratings
    ]
    return repr((_METHODS, span, person.zone, said))


def link_report(read: RatingWindows) -> LinkReport:
    """The answer, out of what was read. Nothing else is looked at."""
    ratings = read.ratings
    rated, hearts = compute_rating_hrv(read)
    report = person_report(rated)
    first, *others = [_row(statement) for statement in report.statements]
    pattern, what_if = report.missing, report.what_if
    return LinkReport(
        stress=first,
        others=others,
        pain_change=to_change_out(report.pain),
        stress_change=to_change_out(report.stress),
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
        ),
        beats_before_ratings=BeatsBeforeRatings(
            ratings=len(ratings), usable=hearts.usable, why_not=hearts.reason_counts
        ),
        span=read.span,
        simulated=Origin.SIMULATED in read.origins or any(rating.simulated for rating in ratings),
        origins=sorted(read.origins),
        method=link_method.METHOD,
    )


def to_change_out(change: Change) -> ChangeOut:
    """A change as the API tells it."""
    return ChangeOut(
        before=change.before,
        after=change.after,
        change=change.change,
        low=change.low,
        high=change.high,
        percent=change.percent,
        reliable=change.reliable,
        n_before=change.n_before,
        n_after=change.n_after,
        missing=change.missing_reason,
    )


def _row(statement: Statement) -> ComparisonOut:
    found, words = statement.found, statement.words
    return ComparisonOut(
        key=statement.key,
        title=statement.title,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_adjusted=statement.p_adjusted,
        autocorrelation=found.autocorrelation,
        n=found.n,
        unit=words.unit,
        verdict=words.verdict,
        sentence=words.sentence,
        caveats=list(words.caveats),
        missing=found.missing_reason,
        points=[
            ResidualPoint(x=float(x), y=float(y))
            for x, y in zip(found.x_residual, found.y_residual, strict=True)
        ],
    )
