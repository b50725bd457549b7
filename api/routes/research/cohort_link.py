"""For analysts: the link of pain with stress over everybody who agreed, with what it assumes."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from analytics.association import group
from analytics.association.group import group_link
from api.http.deps import Analyst, StoresDep
from api.http.problems import describe_problems
from api.routes.research.tables import consenting_patients, log_access
from api.services.stress_index_input import local_day_and_hour
from ebbtide.timestamps import DAY

router = APIRouter(prefix="/research", tags=["research"])


class Assumption(BaseModel):
    """Something that the estimate rests on, and what it means where it does not hold."""

    what: str
    otherwise: str


class PersonLink(BaseModel):
    """One person's slope, and what the others lend it (partial pooling)."""

    person: str
    n: int
    own: float | None = Field(description="From their ratings alone")
    estimate: float | None = Field(description="Drawn towards the others")
    low: float | None
    high: float | None


class ClinicLink(BaseModel):
    """Over all people. Null where ``missing`` says why."""

    people: int
    ratings: int
    estimate: float | None = Field(description="Points of pain for a point of stress, mean slope")
    low: float | None = Field(description="95% interval")
    high: float | None
    p_value: float | None
    spread: float | None = Field(description="Standard deviation of true slopes between people")
    by_person: list[PersonLink]
    verdict: str
    missing: str | None
    simulated: bool
    assumptions: list[Assumption]
    method: str


ASSUMPTIONS = [
    Assumption(
        what="Each one's course over weeks is taken out: a smooth curve, the time of day, a step",
        otherwise="A course of another shape, shared by pain and stress, would look like a link",
    ),
    Assumption(
        what="Errors close in time resemble each other, and less so further apart",
        otherwise="Intervals would be too narrow",
    ),
    Assumption(
        what="People differ in their slopes as draws from one bell curve do",
        otherwise="The mean may be nobody's slope; look at the people",
    ),
    Assumption(
        what="Whether a rating is given does not hang on pain and stress at that moment",
        otherwise="Ratings that are left out when both are bad make the link look weaker",
    ),
    Assumption(
        what="Those who agreed to research are like those who did not",
        otherwise="It holds for those who agreed, and says nothing of the others",
    ),
    Assumption(
        what="None that stress brings pain, or pain stress",
        otherwise="Moving together does not show that one brings the other",
    ),
]


@router.get("/clinic-link", responses=describe_problems(401, 403))
def clinic_link(request: Request, analyst: Analyst, stores: StoresDep) -> ClinicLink:
    """Whether pain moved with stress, within people, over everybody who agreed to research."""
    found = consenting_patients(stores, None)
    log_access(request, stores, analyst, found)
    who: list[int] = []
    days: list[float] = []
    pain: list[float] = []
    stress: list[float] = []
    hours: list[float] = []
    simulated = False
    for number, whom in enumerate(found):
        ratings = stores.records.ratings(whom.person.id, 0, 2**62)
        times = np.array([rating.about_ns for rating in ratings], dtype=np.int64)
        who += [number] * len(ratings)
        days += ((times - whom.shift_ns) / DAY).tolist()
        hours += local_day_and_hour(times, whom.person.zone)[1].tolist()
        pain += [rating.pain for rating in ratings]
        stress += [rating.stress for rating in ratings]
        simulated |= whom.person.simulated or any(rating.simulated for rating in ratings)
    link = group_link(
        np.array(who, dtype=np.int64),
        np.array(days, dtype=np.float64),
        np.array(stress, dtype=np.float64),
        np.array(pain, dtype=np.float64),
        np.array(hours, dtype=np.float64),
    )
    return ClinicLink(
        people=link.n_subjects,
        ratings=link.n_pairs,
        estimate=link.estimate,
        low=link.low,
        high=link.high,
        p_value=link.p_value,
        spread=link.spread,
        by_person=[
            PersonLink(
                person=found[one.subject].pseudonym.pseudonym,  # type: ignore[union-attr]
                n=one.n,
                own=one.slope,
                estimate=one.shrunk,
                low=one.low,
                high=one.high,
            )
            for one in link.people
        ],
        verdict=_verdict(link),
        missing=link.missing_reason,
        simulated=simulated,
        assumptions=ASSUMPTIONS,
        method=group.METHOD,
    )


def _verdict(link: group.GroupLink) -> str:
    if link.estimate is None or link.p_value is None:
        return f"Not enough yet to say whether pain moved with stress: {link.missing_reason}."
    # Two looks at one question: both must agree before anything is said.
    if link.p_value >= 0.05 or (link.detrended_rmcorr.p_value or 1.0) >= 0.05:
        return "We cannot tell whether pain moved with stress."
    together = "together" if link.estimate > 0 else "opposite ways"
    return f"Pain and stress moved {together} within people."
