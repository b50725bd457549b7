"""What practice by lot did over everybody who agreed to research, with what it rests on."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from analytics.practice.clinic import METHOD, ClinicEffects
from analytics.practice.clinic_wording import clinic_sentences
from analytics.practice.excursion_effects import Coefficient
from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import Analyst, StoresDep
from api.http.problems import describe_problems
from api.http.research import CohortDep, require_logged
from api.schemas.common import RecordOut
from api.services.offers.cohort import (
    CohortMoments,
    compute_cohort_offers,
    read_cohort_moments,
)

router = APIRouter(prefix="/research", tags=["research"])


class OfferAssumption(BaseModel):
    """Something that the estimates rest on, and what it means where it does not hold."""

    what: str
    otherwise: str
    of: str = Field(examples=["all", "the split"], description="What rests on it")


class ExcursionEffect(RecordOut):
    """An effect of offers in points, with its 95% interval."""

    estimate: float
    low: float
    high: float
    p_value: float


class ClinicOffers(RecordOut):
    """Over all people. Effects are null where ``missing`` says why."""

    people: int
    moments: int
    people_left_out: int = Field(description="With too few moments that have all ratings")
    moments_left_out: int = Field(description="Of the people used, without all four ratings")
    left_out_offered: float | None = Field(
        description="These as a share of the moments with an offer, 0 to 1"
    )
    left_out_not: float | None = Field(description="And of those without one")
    stress: ExcursionEffect | None = Field(description="Of an offer on stress at the delay")
    pain: ExcursionEffect | None
    indirect: ExcursionEffect | None = Field(
        description="Of the effect on pain, what goes with the change of stress"
    )
    direct: ExcursionEffect | None = Field(description="The rest of it")
    sentences: list[str]
    missing: str | None
    split_missing: str | None = Field(description="Why there is no split, where there is none")
    simulated: bool
    assumptions: list[OfferAssumption]
    method: str


ASSUMPTIONS = [
    OfferAssumption(
        of="all",
        what="Chance alone decided what was offered, with the probabilities that are stored",
        otherwise="What differs could be due to something else; each draw can be done again",
    ),
    OfferAssumption(
        of="all",
        what="Whether a rating is missing does not depend on the offer and on how one feels",
        otherwise="Those who answer after an offer would be others: compare the shares left out",
    ),
    OfferAssumption(
        of="all",
        what="What hope and politeness add to a rating is part of what an offer does",
        otherwise="Nobody who rates can be kept from knowing what was offered",
    ),
    OfferAssumption(
        of="all",
        what="Those who agreed to research are like those who did not",
        otherwise="It holds for those who agreed, and says nothing of the others",
    ),
    OfferAssumption(
        of="the split",
        what="After the draw nothing else moves both stress and pain, given the ratings before, "
        "the hour and the day. Such would be news in that half hour, or the mood of filling in",
        otherwise="It would look as if stress carried the effect; chance decided the offer, not "
        "the stress that followed",
    ),
    OfferAssumption(
        of="the split",
        what="Stress changed first, and pain with it: both are rated at the same moment",
        otherwise="Less pain could have lowered stress, and the split would look the same",
    ),
]


@router.get(
    "/clinic-offers",
    response_model=ClinicOffers,
    responses={**COMPUTING, **describe_problems(401, 403, 503)},
)
async def clinic_offers(
    request: Request,
    analyst: Analyst,
    cohort: CohortDep,
    stores: StoresDep,
    computations: ComputationsDep,
) -> Response:
    """What offers by lot did to stress and pain, and how much of that on pain goes with stress."""

    def read() -> CohortMoments:
        return read_cohort_moments(stores, require_logged(cohort, stores, analyst, request))

    def work() -> Response:
        out = _to_out(compute_cohort_offers(found), found.simulated)
        return Response(out.model_dump_json(), media_type="application/json")

    found = await computations.run(request, analyst.id, read)
    return await computations.respond(request, analyst.id, found.price_s, "clinic-offers", work)


def _to_out(effects: ClinicEffects, simulated: bool) -> ClinicOffers:
    def effect(found: Coefficient | None) -> ExcursionEffect | None:
        return None if found is None else ExcursionEffect.from_record(found)

    return ClinicOffers.from_record(
        effects,
        stress=effect(effects.stress),
        pain=effect(effects.pain),
        indirect=effect(effects.indirect),
        direct=effect(effects.direct),
        sentences=clinic_sentences(effects),
        missing=effects.missing_reason,
        split_missing=effects.split_missing_reason,
        simulated=simulated,
        assumptions=ASSUMPTIONS,
        method=METHOD,
    )
