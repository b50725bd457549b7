"""Tokens: what is signed in as me, more of them for scripts, and ending them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Security
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from api.http.deps import AskingAccount, Caller, InHouse, caller_of, new_sign_in
from api.http.problems import ProblemError, described
from ebbtide.timestamps import DAY, to_datetime
from store.protocols.access import Scope, SignIn, SignInKind

router = APIRouter(tags=["sign in"])

AccountCaller = Annotated[Caller, Security(caller_of, scopes=[Scope.ACCOUNT])]


class TokenAsk(BaseModel):
    """A token for a script."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, examples=["nightly export"])
    scopes: set[Scope] = Field(
        min_length=1,
        description="read, write, upload; not account: a script cannot make tokens",
        examples=[["read"]],
    )
    days: StrictInt = Field(ge=1, le=366, description="How long it lasts", examples=[90])


class TokenShown(BaseModel):
    """Something that is signed in. The token itself is told only once, when it is made."""

    id: str
    kind: SignInKind
    name: str
    scopes: list[Scope]
    created: datetime
    used: datetime = Field(description="To the minute")
    expires: datetime
    this: bool = Field(description="The one that this request came with")


class TokenMade(TokenShown):
    """A new token."""

    token: str = Field(description="Told only now", examples=["kq3v0bX..."])


@router.get("/tokens", responses=described(401, 403))
def tokens(caller: AccountCaller, house: InHouse) -> list[TokenShown]:
    """Everything that is signed in as the person signed in."""
    return [_shown(kept, caller.sign_in.id) for kept in house.rights.sign_ins(caller.person.id)]


@router.post("/tokens", status_code=201, responses=described(401, 403, 422))
def make_token(asked: TokenAsk, caller: AccountCaller, house: InHouse) -> TokenMade:
    """A token for a script, with what it may do and until when."""
    if Scope.ACCOUNT in asked.scopes:
        raise ProblemError(422, "a script cannot have the scope account.", field="body.scopes")
    token, kept = new_sign_in(
        house,
        caller.person,
        SignInKind.SCRIPT,
        asked.name,
        frozenset(asked.scopes),
        asked.days * DAY,
    )
    return TokenMade(**_shown(kept, caller.sign_in.id).model_dump(), token=token)


@router.delete("/tokens/{token_id}", status_code=204, responses=described(401, 403, 404, 422))
def revoke_token(
    token_id: Annotated[str, Path(max_length=36)], person: AskingAccount, house: InHouse
) -> None:
    """End a session, a device or a script."""
    if not house.rights.revoke(person.id, token_id):
        raise ProblemError(404, "There is no such token of yours.")


@router.delete("/tokens", status_code=204, responses=described(401, 403))
def revoke_all(caller: AccountCaller, house: InHouse) -> None:
    """End everything that is signed in as me, but for this session."""
    house.rights.end_sign_ins(caller.person.id, but=caller.sign_in.token_hash)


def _shown(kept: SignIn, this: str) -> TokenShown:
    return TokenShown(
        id=kept.id,
        kind=kept.kind,
        name=kept.name,
        scopes=sorted(kept.scopes),
        created=to_datetime(kept.created_ns),
        used=to_datetime(kept.used_ns),
        expires=to_datetime(kept.expires_ns),
        this=kept.id == this,
    )
