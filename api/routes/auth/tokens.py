"""Access tokens: list them, create them for scripts, revoke them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Security
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from api.http.deps import CurrentAccount, StoresDep, get_caller
from api.http.problems import ProblemError, describe_problems
from api.schemas.common import RecordOut
from api.services.access_tokens import Caller, issue_token
from ebbtide.timestamps import DAY, to_datetime
from store.models import AccessToken, Scope, TokenKind

router = APIRouter(tags=["sign in"])

AccountCaller = Annotated[Caller, Security(get_caller, scopes=[Scope.ACCOUNT])]


class TokenIn(BaseModel):
    """A token for a script."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, examples=["nightly export"])
    scopes: set[Scope] = Field(
        min_length=1,
        description="read, write, upload; not account: a script cannot make tokens",
        examples=[["read"]],
    )
    days: StrictInt = Field(ge=1, le=366, description="How long it lasts", examples=[90])


class TokenOut(RecordOut):
    """Something that is signed in. The token itself is shown only once, when it is made."""

    id: str
    kind: TokenKind
    name: str
    scopes: list[Scope]
    created: datetime
    used: datetime = Field(description="To the minute")
    expires: datetime
    this: bool = Field(description="The one that this request came with")

    @classmethod
    def from_token(cls, token: AccessToken, this_id: str) -> TokenOut:
        """A stored token. ``this_id``: that of the caller's own."""
        return cls.from_record(
            token,
            scopes=sorted(token.scopes),
            created=to_datetime(token.created_ns),
            used=to_datetime(token.used_ns),
            expires=to_datetime(token.expires_ns),
            this=token.id == this_id,
        )


class CreatedTokenOut(TokenOut):
    """A new token."""

    token: str = Field(description="Shown only now", examples=["kq3v0bX..."])


@router.get("/tokens", responses=describe_problems(401, 403))
def tokens(caller: AccountCaller, stores: StoresDep) -> list[TokenOut]:
    """Everything that is signed in as the person signed in."""
    return [
        TokenOut.from_token(token, caller.access_token.id)
        for token in stores.access.tokens(caller.person.id)
    ]


@router.post("/tokens", status_code=201, responses=describe_problems(401, 403, 422))
def create_token(body: TokenIn, caller: AccountCaller, stores: StoresDep) -> CreatedTokenOut:
    """A token for a script, with what it may do and until when."""
    if Scope.ACCOUNT in body.scopes:
        raise ProblemError(422, "a script cannot have the scope account.", field="body.scopes")
    token, access_token = issue_token(
        stores,
        caller.person,
        TokenKind.SCRIPT,
        body.name,
        frozenset(body.scopes),
        body.days * DAY,
        second_factor=caller.access_token.second_factor,
    )
    created = TokenOut.from_token(access_token, caller.access_token.id)
    return CreatedTokenOut(**created.model_dump(), token=token)


@router.delete(
    "/tokens/{token_id}", status_code=204, responses=describe_problems(401, 403, 404, 422)
)
def revoke_token(
    token_id: Annotated[str, Path(max_length=36)], person: CurrentAccount, stores: StoresDep
) -> None:
    """End a session, a device or a script."""
    if not stores.access.revoke_token(person.id, token_id):
        raise ProblemError(404, "There is no such token of yours.")


@router.delete("/tokens", status_code=204, responses=describe_problems(401, 403))
def revoke_all(caller: AccountCaller, stores: StoresDep) -> None:
    """End everything that is signed in as me, but for this session."""
    stores.access.end_tokens(caller.person.id, but=caller.access_token.token_hash)
