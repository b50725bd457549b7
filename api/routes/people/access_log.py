"""The access log: who used one's data."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.http.deps import CurrentUser, StoresDep
from api.http.problems import describe_problems
from api.services.account_log import OPERATOR_ID
from ebbtide.timestamps import to_datetime
from store.models import Role

router = APIRouter(tags=["people"])


class AccessLogEntryOut(BaseModel):
    """Somebody else read, or changed, something of yours, or your account."""

    at: datetime
    who: str = Field(examples=["Dr. Berg"])
    role: Role
    what: str = Field(
        description="A route; of an administrator's acts on the account, what it was",
        examples=["GET /v1/patients/{patient}/ratings"],
    )


class AccessLogPage(BaseModel):
    """Newest first. ``next`` is the ``before`` of the next page, null at the end."""

    looks: list[AccessLogEntryOut]
    next: int | None


@router.get("/me/looks", responses=describe_problems(401, 403, 422))
def list_access_log(
    person: CurrentUser,
    stores: StoresDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> AccessLogPage:
    """The access log of the person signed in. An analyst saw their data under a pseudonym."""
    entries = stores.access.access_log(person.id, limit + 1, before)
    names = {OPERATOR_ID: "the operator of this server"}
    for _, entry in entries:
        if entry.actor_id not in names:
            actor = stores.records.person(entry.actor_id)
            names[entry.actor_id] = "an account that is no more" if actor is None else actor.name
    return AccessLogPage(
        looks=[
            AccessLogEntryOut(
                at=to_datetime(entry.at_ns, person.zone),
                who=names[entry.actor_id],
                role=Role(entry.actor_role),
                what=entry.what,
            )
            for _, entry in entries[:limit]
        ],
        next=entries[limit - 1][0] if len(entries) > limit else None,
    )
