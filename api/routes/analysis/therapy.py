"""The course of the programme: change, onset, and what was around each session, with the trial."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from analytics.programme.change import (
    Trend,
    around_sessions,
    change_between,
    first_to_last_week,
    onset,
)
from analytics.programme.trial import PAPER, TRIAL
from api.http.compute import ComputationsDep
from api.http.deps import AnalysedPatient, CallerDep, StoresDep
from api.http.problems import describe_problems
from api.http.time_range import OptionalTimeRange, TimeRange
from api.schemas.common import RecordOut
from api.schemas.link import ChangeOut
from api.services.programme_plan import FOLLOW_UP_MONTHS, MONTH_DAYS
from ebbtide.timestamps import DAY, to_datetime
from store import Stores
from store.models import Person

shared = APIRouter(tags=["therapy"])

CAUTION = (
    "One person is not an arm of a trial: in the trial too some got better without treatment, and "
    "some did not get better with it. Pain also eases by itself, above all after a bad time."
)


class TrialGroup(RecordOut):
    """A group of the trial of Pain Reprocessing Therapy, before and after a month."""

    name: str
    mean_before: float
    mean_after: float
    at_least_30_percent_less: float = Field(description="Percent of those measured twice")
    at_least_50_percent_less: float
    pain_free_or_nearly: float = Field(description="Percent of all who began")


class TrendOut(RecordOut):
    """Level and slope of three days."""

    n: int
    level: float
    slope_a_day: float
    low: float = Field(description="95% interval of the slope")
    high: float


class SessionAround(BaseModel):
    """The three days before and after a session. Not what the session did: what happened then."""

    number: int
    held: datetime
    pain: ChangeOut
    stress: ChangeOut
    pain_before: TrendOut | None
    pain_after: TrendOut | None


class OnsetOut(BaseModel):
    """Since when pain has been changing for good. Null where ``missing`` says why."""

    day: datetime | None
    earliest: datetime | None = Field(description="95% interval")
    latest: datetime | None
    slope_a_day: float | None = Field(description="Points a day from then on")
    missing: str | None


class FollowUpChange(BaseModel):
    """From the first week to three weeks around a follow-up, months after the last session."""

    months: int
    pain: ChangeOut
    stress: ChangeOut


class TherapyReport(BaseModel):
    """One person's course. Nothing here says what brought a change."""

    pain: ChangeOut
    stress: ChangeOut
    at_least_30_percent_less: bool | None
    at_least_50_percent_less: bool | None
    nearly_free: bool | None = Field(description="The last week's mean is 1 or less")
    onset: OnsetOut
    sessions: list[SessionAround]
    follow_ups: list[FollowUpChange]
    trial: list[TrialGroup]
    paper: str
    caution: str


@shared.get("/therapy", responses=describe_problems(401, 403, 404, 422, 503))
async def therapy(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    query: OptionalTimeRange,
    stores: StoresDep,
    computations: ComputationsDep,
) -> TherapyReport:
    """Change from the first week to the last, when it began, and what was around each session."""
    work = partial(_report, stores, person, query)
    return await computations.run(request, caller.person.id, work)


def _report(stores: Stores, person: Person, query: TimeRange) -> TherapyReport:
    ratings = stores.records.ratings(person.id, query.start_ns, query.end_ns)
    times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
    origin = int(times[0]) if len(times) else 0
    days = (times - origin) / DAY
    pain = np.array([rating.pain for rating in ratings], dtype=np.float64)
    stress = np.array([rating.stress for rating in ratings], dtype=np.float64)
    # Where only one of the two was asked for, the other is NaN.
    pain_days, stress_days = days[~np.isnan(pain)], days[~np.isnan(stress)]
    pain, stress = pain[~np.isnan(pain)], stress[~np.isnan(stress)]
    of_pain = first_to_last_week(pain_days, pain)
    of_stress = first_to_last_week(stress_days, stress)
    began = onset(pain_days, pain)

    def moment(day: float | None) -> datetime | None:
        if day is None:
            return None
        return to_datetime(origin, person.zone) + timedelta(days=day)

    held = [
        session
        for session in stores.records.sessions(person.id)
        if query.start_ns <= session.held_ns < query.end_ns
    ]
    at = [(session.held_ns - origin) / DAY for session in held]
    rows = zip(
        held,
        around_sessions(pain_days, pain, at),
        around_sessions(stress_days, stress, at),
        strict=True,
    )
    follow_ups = []
    for months in FOLLOW_UP_MONTHS if at else ():
        due = at[-1] + months * MONTH_DAYS
        around = (due - 7, due + 14)
        if around[0] + origin / DAY <= stores.now() / DAY:
            changes = (change_between(days, of, (0.0, 7.0), around) for of in (pain, stress))
            outs = [ChangeOut.from_change(change) for change in changes]
            follow_ups.append(FollowUpChange(months=months, pain=outs[0], stress=outs[1]))
    percent = of_pain.percent
    return TherapyReport(
        pain=ChangeOut.from_change(of_pain),
        stress=ChangeOut.from_change(of_stress),
        at_least_30_percent_less=None if percent is None else percent <= -30,
        at_least_50_percent_less=None if percent is None else percent <= -50,
        nearly_free=None if of_pain.missing_reason else of_pain.nearly_free,
        onset=OnsetOut(
            day=moment(began.day),
            earliest=moment(began.low),
            latest=moment(began.high),
            slope_a_day=began.slope,
            missing=began.missing_reason,
        ),
        sessions=[
            SessionAround(
                number=session.number,
                held=to_datetime(session.held_ns, person.zone),
                pain=ChangeOut.from_change(by_pain.change),
                stress=ChangeOut.from_change(by_stress.change),
                pain_before=_trend(by_pain.trend_before),
                pain_after=_trend(by_pain.trend_after),
            )
            for session, by_pain, by_stress in rows
        ],
        follow_ups=follow_ups,
        trial=[TrialGroup.from_record(group) for group in TRIAL],
        paper=PAPER,
        caution=CAUTION,
    )


def _trend(trend: Trend | None) -> TrendOut | None:
    if trend is None:
        return None
    return TrendOut.from_record(
        trend, slope_a_day=trend.slope, low=trend.slope_low, high=trend.slope_high
    )
