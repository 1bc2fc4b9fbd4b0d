"""`/v1/keys`: administrators make, rotate and revoke the keys of hospital systems."""

import datetime as dt
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AliasChoices, BaseModel, Field

from gateway.api.deps import Administrator, Idempotent, note_repeat
from gateway.context import Context
from gateway.platform.identity.api_key import ApiKey, NewApiKey
from gateway.platform.identity.scopes import SCOPES, Scope
from gateway.platform.validators import Printable
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=problem_responses(NotAuthenticated, NotAuthorised))
KeyId = Annotated[str, Path(min_length=1, max_length=16, pattern="^[0-9a-f]+$", examples=["5f0c1f5e8c9a4b21"])]

KEY = {
    "id": "5f0c1f5e8c9a4b21",
    "name": "radiology",
    "scopes": ["assessments:write", "assessments:read"],
    "created_at": "2026-11-24T09:30:00Z",
    "expires_at": "2027-11-24T09:30:00Z",
    "last_used_at": None,
    "revoked_at": None,
    "previous_valid_until": None,
    "test": False,
    "parent": "account:0199f7a1-7b1c-7c3e-8f00-3a5d9b1e2c4d",
}
NEW_KEY = {**KEY, "key": "trab_5f0c1f5e8c9a4b21_4Yx0..."}


class KeyRequest(BaseModel):
    """A key for one hospital system; it can do no more than whoever makes it, and ends no later."""

    name: Printable = Field(min_length=1, max_length=100, description="What the key is for", examples=["radiology"])
    scopes: list[Scope] = Field(
        min_length=1, max_length=len(SCOPES), examples=[["assessments:write", "assessments:read"]]
    )
    test: bool = Field(
        False, description="Its assessments carry `test: true`, stay apart from patients and are deleted after 7 days"
    )
    days: int | None = Field(None, ge=1, le=3650, description="Days until it expires; as long as its maker if left out")


class Rotation(BaseModel):
    """How long the old secret goes on working beside the new one."""

    overlap_hours: int = Field(24, ge=0, le=24 * 30, description="0 ends the old secret at once")


class KeyView(BaseModel):
    """A key without its secret."""

    id: str = Field(description="Also the client_id for OAuth2")
    name: str
    scopes: list[Scope]
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    previous_valid_until: dt.datetime | None = Field(description="After a rotation: until when the old secret works")
    test: bool = Field(validation_alias=AliasChoices("is_test", "test"), description="What it makes stays apart")
    parent: str | None = Field(description="Who was shown its secret: the key is revoked when that account or key is")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        """As it travels."""
        return cls.model_validate(key, from_attributes=True)


class NewKeyView(KeyView):
    """A key with its secret, which is shown this once."""

    key: str

    @classmethod
    def with_secret(cls, new: NewApiKey) -> "NewKeyView":
        """As it travels this once."""
        return cls(**KeyView.of(new.of).model_dump(), key=new.key)


class KeyListView(BaseModel):
    """The organisation's keys, newest first."""

    items: list[KeyView]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses={**example_response(NEW_KEY, HTTPStatus.CREATED), **problem_responses(InvalidInput, Conflict)},
)
async def make_key(
    request: KeyRequest, who: Administrator, ctx: Context, response: Response, once: Idempotent
) -> NewKeyView:
    """Make a key for a hospital system of your organisation. Its secret is shown in this answer and never again.

    The same request with the same `Idempotency-Key` is shown it again within a day.
    """
    new, is_repeated = await ctx.keys.create(who, request.name, request.scopes, request.days, once, request.test)
    note_repeat(response, is_repeated)
    return NewKeyView.with_secret(new)


@router.get("", responses=example_response({"items": [KEY]}))
async def list_keys(who: Administrator, ctx: Context) -> KeyListView:
    """The organisation's keys, revoked ones too, newest first."""
    return KeyListView(items=[KeyView.of(key) for key in await ctx.keys.all(who)])


@router.post("/{key_id}/rotate", responses={**example_response(NEW_KEY), **problem_responses(NotFound)})
async def rotate_key(key_id: KeyId, who: Administrator, ctx: Context, rotation: Rotation | None = None) -> NewKeyView:
    """Give a key a new secret. It stays the same client; the old secret works until the overlap is over.

    Only who can do as much as the key, and for as long, is given its secret; the key hangs on them from then on.
    """
    overlap = dt.timedelta(hours=(rotation or Rotation()).overlap_hours)
    return NewKeyView.with_secret(await ctx.keys.rotate(key_id, overlap, who))


@router.delete("/{key_id}", status_code=HTTPStatus.NO_CONTENT, responses=problem_responses(NotFound))
async def revoke_key(key_id: KeyId, who: Administrator, ctx: Context) -> None:
    """Revoke a key at once, with both its secrets, every access token that came of it and all that was made with it."""
    await ctx.keys.revoke(key_id, who)
