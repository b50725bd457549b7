"""The link of pain with stress over everybody who agreed to research, with its assumptions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from analytics.association import group
from analytics.association.group_wording import group_sentence, group_warnings
from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import Analyst, StoresDep
from api.http.problems import describe_problems
from api.http.research import CohortDep, require_logged
from api.schemas.common import RecordOut
from api.services.cohort import (
    CohortLink,
    CohortRatings,
    compute_cohort_link,
    read_cohort,
)
from api.services.export_scope import ExportSubject

router = APIRouter(prefix="/research", tags=["research"])


class Assumption(BaseModel):
    """Something that the estimate rests on, and what it means where it does not hold."""

    what: str
    otherwise: str


class PersonLink(RecordOut):
    """One person's slope, and what the others lend it (partial pooling)."""

    person: str
    n: int
    own: float | None = Field(description="From their ratings alone")
    estimate: float | None = Field(description="Drawn towards the others")
    low: float | None
    high: float | None


class ClinicLink(RecordOut):
    """Over all people. Null where ``missing`` says why."""

    people: int
    ratings: int
    estimate: float | None = Field(description="Points of pain for a point of stress, mean slope")
    low: float | None = Field(description="95% interval")
    high: float | None
    p_value: float | None
    spread: float | None = Field(description="Standard deviation of true slopes between people")
    changes_estimate: float | None = Field(
        description="The same from the changes from rating to rating, beyond shared moments"
    )
    changes_p_value: float | None = Field(description="Of lying beyond 0.08 SD per SD")
    missing_when_bad_p: float | None = Field(
        description="Of ratings not being missing when both were bad; one-sided"
    )
    warnings: list[str]
    by_person: list[PersonLink]
    verdict: str
    missing: str | None
    simulated: bool
    assumptions: list[Assumption]
    method: str


ASSUMPTIONS = [
    Assumption(
        what="Each one's course over weeks is taken out: a smooth curve, the time of day, a step, "
        "the two days after each session; and the hours and weekdays that all have in common",
        otherwise="A course of another shape, shared by pain and stress, would look like a link",
    ),
    Assumption(
        what="A link shows in the changes from rating to rating, not in slow ups and downs alone",
        otherwise="It is called a link that shared moments could make",
    ),
    Assumption(
        what="No way of filling in forms moves both ratings of a moment",
        otherwise="It would look like a link; ratings at different moments would tell",
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


@router.get(
    "/clinic-link",
    response_model=ClinicLink,
    responses={**COMPUTING, **describe_problems(401, 403, 503)},
)
async def clinic_link(
    request: Request,
    analyst: Analyst,
    cohort: CohortDep,
    stores: StoresDep,
    computations: ComputationsDep,
) -> Response:
    """Whether pain moved with stress, within people, over everybody who agreed to research."""

    def plan() -> tuple[list[ExportSubject], CohortRatings]:
        subjects = require_logged(cohort, stores, analyst, request)
        return subjects, read_cohort(stores, subjects)

    def work() -> Response:
        out = _to_out(subjects, compute_cohort_link(ratings))
        return Response(out.model_dump_json(), media_type="application/json")

    subjects, ratings = await computations.run(request, analyst.id, plan)
    return await computations.respond(request, analyst.id, ratings.price_s, "clinic-link", work)


def _to_out(subjects: list[ExportSubject], cohort: CohortLink) -> ClinicLink:
    link = cohort.link
    second = link.second_look
    return ClinicLink.from_record(
        link,
        people=link.n_subjects,
        ratings=link.n_pairs,
        by_person=[
            PersonLink.from_record(
                one, person=subjects[one.subject].name, own=one.slope, estimate=one.shrunk
            )
            for one in link.people
        ],
        verdict=group_sentence(link),
        missing=link.missing_reason,
        changes_estimate=None if second is None else second.estimate,
        changes_p_value=None if second is None else second.p_value,
        warnings=group_warnings(link, cohort.asked_apart),
        simulated=cohort.simulated,
        assumptions=ASSUMPTIONS,
        method=group.METHOD,
    )
