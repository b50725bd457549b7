"""Practice by lot: agree, stop, see what was drawn, and what it showed."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    model_validator,
)

from api.http.compute import COMPUTING, ComputationsDep
from api.http.deps import (
    AnalysedPatient,
    CallerDep,
    KeepingPatient,
    KeepingPatientInScope,
    KeepingStoresDep,
    Patient,
    PatientInScope,
    StoresDep,
    Therapist,
)
from api.http.problems import ProblemError, describe_problems
from api.schemas.common import RecordOut
from api.schemas.offers import OfferReport
from api.services.compute import compute
from api.services.offers import plans
from api.services.offers.actions import act_on_offer, load_current_offer
from api.services.offers.log import load_log
from api.services.offers.moment_rows import MomentRow
from api.services.offers.plans import WORDING, OfferPlanError, OfferWish
from api.services.offers.results import OfferInputs, compute_offer_report, load_offer_inputs
from ebbtide.timestamps import to_datetime
from store import Stores
from store.models import OFFERED_KINDS, OfferPlan, Person, PracticeKind

router = APIRouter(tags=["offers"])
shared = APIRouter(tags=["offers"])
of_patient = APIRouter(tags=["offers"])

_DEFAULTS = OfferWish()
_MAX_LOG = 2000
OfferedKind = Literal[PracticeKind.BREATHING, PracticeKind.TRACKING, PracticeKind.SAVOURING]
Minute = Annotated[int, Field(ge=0, le=1440, strict=True)]


class OfferWishIn(BaseModel):
    """How offers by lot are to be made; what is left out is as usual."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"arms": ["paced breathing"], "base_probability": 0.5}]},
    )

    arms: list[OfferedKind] = Field(
        default=[PracticeKind.BREATHING],
        min_length=1,
        max_length=len(OFFERED_KINDS),
        description="Practices, each offered as often as the others",
    )
    base_probability: StrictFloat = Field(
        default=_DEFAULTS.base_probability, ge=0.2, le=0.8, description="Of an offer"
    )
    delay_min: StrictInt = Field(
        default=_DEFAULTS.delay_min, ge=30, le=60, description="Until the rating after"
    )
    first_days: StrictInt = Field(
        default=_DEFAULTS.first_days, ge=1, le=14, description="Days without offers"
    )
    start_min: Minute = Field(default=_DEFAULTS.start_min, description="Minutes after midnight")
    end_min: Minute = _DEFAULTS.end_min
    times_min: list[Minute] = Field(
        default=[],
        max_length=plans.MAX_TIMES,
        description="Times at which it asks besides the reminders, minutes after midnight",
    )

    def to_wish(self) -> OfferWish:
        """Make the wish of it."""
        values = self.model_dump(include=set(OfferWishIn.model_fields))
        tuples = {"arms": tuple(map(str, self.arms)), "times_min": tuple(self.times_min)}
        return OfferWish(**{**values, **tuples})


class OffersIn(OfferWishIn):
    """Agreeing to offers by lot, as ``wording`` describes them; or to a therapist's proposal."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"wording": WORDING, "arms": ["paced breathing"]}]},
    )

    wording: str = Field(
        max_length=40, description=f"The version of the text that was displayed: {WORDING}"
    )
    proposal: StrictInt | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="The number of the proposal that is agreed to, as it is",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> OffersIn:
        wished = self.model_fields_set & set(OfferWishIn.model_fields)
        if self.proposal is not None and wished:
            raise ValueError(
                f"a proposal is agreed to as it is: leave out {', '.join(sorted(wished))}, or "
                "leave out proposal"
            )
        return self


class OfferPlanOut(RecordOut):
    """What was agreed to, or is proposed."""

    number: int
    arms: list[str]
    base_probability: float
    delay_min: int
    first_days: int
    start_min: int
    end_min: int
    times_min: list[int]
    wording: str
    is_active: bool
    by_therapist: bool
    created: datetime
    agreed: datetime | None
    quiet_until: datetime | None
    ended: datetime | None
    ended_why: str | None

    @classmethod
    def from_plan(cls, plan: OfferPlan, zone: str) -> OfferPlanOut:
        """A stored plan without its seed, which would tell what is drawn."""
        return cls.from_record(
            plan,
            arms=list(plan.arm_list),
            times_min=list(plan.times_min),
            by_therapist=plan.proposed_by is not None,
            created=to_datetime(plan.created_ns, zone),
            agreed=_moment(plan.agreed_ns, zone),
            quiet_until=_moment(plan.quiet_until_ns or None, zone),
            ended=_moment(plan.ended_ns, zone),
        )


class OffersOut(BaseModel):
    """The state of offers by lot."""

    wording: str = Field(description="The version of the text that one would agree to")
    active: OfferPlanOut | None
    proposal: OfferPlanOut | None = Field(description="What a therapist proposes")
    earlier: list[OfferPlanOut]


class OfferOut(BaseModel):
    """An offer that can be taken now: a practice of a few minutes."""

    decision_point: str
    arm: str
    until: datetime


class CurrentOfferOut(BaseModel):
    """The offer that can be taken now; null without one. A practice can always be begun freely."""

    offer: OfferOut | None


class OfferActionIn(BaseModel):
    """What the person does with an offer, short of taking it."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["shown", "not now"]


class LogRowOut(BaseModel):
    """A moment that has come. What was drawn is null while its question can still be answered, and
    where nothing was drawn.
    """

    decision_point: str
    planned: datetime
    block: str
    base_probability: float
    arms: list[str]
    commitment: str = Field(description="SHA-256, stored before")
    committed: datetime
    available: bool
    why_not: str | None
    nonce: str | None = Field(description="With it the draw can be done again")
    probability: float | None
    offered: bool | None
    arm: str | None
    drawn: datetime | None
    taken: bool | None = Field(description="Whether what was offered was done")
    free: int = Field(description="Practices around it that were not offered")
    stress_before: int | None
    stress_after: int | None
    pain_before: int | None
    pain_after: int | None

    @classmethod
    def from_row(cls, row: MomentRow) -> LogRowOut:
        """A moment, with its draw where that is no secret any more."""
        point = row.point
        is_known = point.drawn_ns is not None and not row.is_open
        return cls(
            decision_point=point.id,
            planned=to_datetime(point.planned_ns, point.zone),
            block=point.block,
            base_probability=point.base_probability,
            arms=point.arms.split(","),
            commitment=point.commitment,
            committed=to_datetime(point.committed_ns, point.zone),
            available=bool(point.available),
            why_not=point.why_not,
            nonce=point.nonce if is_known else None,
            probability=point.probability if is_known else None,
            offered=point.offered if is_known else None,
            arm=point.arm if is_known else None,
            drawn=_moment(point.drawn_ns, point.zone) if is_known else None,
            taken=row.taken is not None if is_known and point.offered else None,
            free=len(row.free),
            stress_before=row.stress[0],
            stress_after=row.stress[1],
            pain_before=row.pain[0],
            pain_after=row.pain[1],
        )


class LogOut(BaseModel):
    """The log of draws, each done again from its nonce; ``problem`` says what is wrong."""

    coming: list[str] = Field(
        description="Hashes of moments that have not come, sorted: their order tells no times"
    )
    moments: list[LogRowOut] = Field(description="The newest 2,000, oldest first")
    problem: str | None


@shared.get("/offers", responses=describe_problems(401, 403, 404))
def offers(person: PatientInScope, stores: StoresDep) -> OffersOut:
    """Whether practices are offered by lot, how, and what is proposed."""
    return _to_out(stores, person)


@router.post("/offers", responses=describe_problems(401, 403, 409, 422))
def agree(body: OffersIn, person: KeepingPatient, stores: KeepingStoresDep) -> OffersOut:
    """Agree to offers by lot. They come with reminders, from some days later on, and end whenever
    the person says so.
    """
    if body.wording != WORDING:
        raise ProblemError(409, "The text has changed since: read it again, and then agree.")
    wish = None if body.proposal is not None else body.to_wish()
    try:
        plans.agree(stores, person, wish, body.proposal)
    except OfferPlanError as error:
        raise ProblemError(422, str(error), field="body") from error
    return _to_out(stores, person)


@router.delete("/offers", responses=describe_problems(401, 403))
def stop(person: Patient, stores: StoresDep) -> OffersOut:
    """Stop offers by lot. What was drawn and rated stays."""
    plans.stop(stores, person.id)
    return _to_out(stores, person)


@router.post("/offers/not-now", responses=describe_problems(401, 403))
def not_now(person: Patient, stores: StoresDep) -> OffersOut:
    """Have nothing offered for three hours."""
    plans.not_now(stores, person.id)
    return _to_out(stores, person)


@router.get("/offers/now", responses=describe_problems(401, 403))
def current(person: Patient, stores: StoresDep) -> CurrentOfferOut:
    """The offer that can be taken now, once the question of its moment was answered."""
    row = load_current_offer(stores, person)
    if row is None or row.point.arm is None or row.measured_ns is None:
        return CurrentOfferOut(offer=None)
    until = to_datetime(row.measured_ns, row.point.zone)
    return CurrentOfferOut(
        offer=OfferOut(decision_point=row.point.id, arm=row.point.arm, until=until)
    )


@router.put("/offers/points/{point_id:uuid}", responses=describe_problems(401, 403, 404, 422))
def act(point_id: uuid.UUID, body: OfferActionIn, person: Patient, stores: StoresDep) -> LogRowOut:
    """Say that an offer was displayed, or not now: then nothing is offered for three hours."""
    declined = body.action == "not now"
    found = act_on_offer(stores, person, str(point_id), declined=declined)
    if found is None:
        raise ProblemError(404, f"There is no offer {point_id}.")
    return LogRowOut.from_row(found)


@shared.get("/offers/log", responses=describe_problems(401, 403, 404))
def log(person: PatientInScope, stores: StoresDep) -> LogOut:
    """Every moment: the hash that was stored before, and after it the draw, with which anybody can
    do it again (docs/guides/practice-by-lot.md).
    """
    found = load_log(stores, person)
    return LogOut(
        coming=list(found.coming),
        moments=[LogRowOut.from_row(row) for row in found.rows[-_MAX_LOG:]],
        problem=found.problem,
    )


@shared.get(
    "/offers/results",
    response_model=OfferReport,
    responses={**COMPUTING, **describe_problems(401, 403, 404, 503)},
)
async def results(
    request: Request,
    person: AnalysedPatient,
    caller: CallerDep,
    stores: StoresDep,
    computations: ComputationsDep,
) -> Response:
    """What offers did to stress, pain, heart rate and RMSSD, valid however often one looks."""

    is_own = caller.person.id == person.id

    def read() -> OfferInputs:
        return load_offer_inputs(stores, person)

    def work() -> Response:
        report = compute(inputs.price_s, compute_offer_report, inputs, is_own)
        return Response(report.model_dump_json(), media_type="application/json")

    inputs = await computations.run(request, caller.person.id, read)
    key = ("offers", person.id, len(inputs.rows), is_own)
    return await computations.respond(request, caller.person.id, inputs.price_s, key, work)


@of_patient.put("/offers/proposal", responses=describe_problems(401, 403, 404, 422))
def propose(
    body: OfferWishIn,
    therapist: Therapist,
    person: KeepingPatientInScope,
    stores: KeepingStoresDep,
) -> OffersOut:
    """Propose offers by lot, chosen with the patient. They come once the patient has agreed."""
    try:
        plans.propose(stores, person, therapist.id, body.to_wish())
    except OfferPlanError as error:
        raise ProblemError(422, str(error), field="body") from error
    return _to_out(stores, person)


def _to_out(stores: Stores, person: Person) -> OffersOut:
    found = stores.offers.plans(person.id)
    active = next((plan for plan in found if plan.is_active), None)
    proposal = found[-1] if found and found[-1].agreed_ns is None else None
    return OffersOut(
        wording=WORDING,
        active=None if active is None else OfferPlanOut.from_plan(active, person.zone),
        proposal=None if proposal is None else OfferPlanOut.from_plan(proposal, person.zone),
        earlier=[
            OfferPlanOut.from_plan(plan, person.zone) for plan in found if plan.ended_ns is not None
        ],
    )


def _moment(at_ns: int | None, zone: str) -> datetime | None:
    return None if at_ns is None else to_datetime(at_ns, zone)
