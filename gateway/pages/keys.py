"""Administration of hospital systems' keys."""

import datetime as dt
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text, whole_number
from gateway.pages.once import sent_on, told_once
from gateway.pages.page import PageRoute, page
from gateway.platform.identity.api_key import DEFAULT_OVERLAP_HOURS, checked_key_name
from gateway.platform.identity.scopes import SCOPES, read_scopes

router = APIRouter(include_in_schema=False, route_class=PageRoute)
KeyId = Annotated[str, Path(min_length=1, max_length=16, pattern="^[0-9a-f]+$")]
LONGEST_DAYS = 3650


@router.get("/administration/keys")
async def keys_page(request: Request, user: User, ctx: Context) -> Response:
    """The organisation's keys."""
    who = await allowed(user, "admin", ctx)
    scopes, new = [scope for scope in SCOPES if scope in who.scopes], told_once(request, user)
    return page(request, "keys.html", rows=await ctx.keys.all(who), scopes=scopes, new=new if "key" in new else None)


@router.post("/administration/keys")
async def make_key(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Make a key; its secret is shown this once."""
    who = await allowed(user, "admin", ctx)
    scopes = read_scopes(" ".join(scope for scope in form.getlist("scopes") if isinstance(scope, str)))
    days = whole_number(form, "days", 1, LONGEST_DAYS)
    new, _ = await ctx.keys.create(who, checked_key_name(text(form, "name"), "name"), scopes, days)
    return sent_on(request, user, "/administration/keys?done=key", name=new.of.name, key=new.key or "")


@router.post("/administration/keys/{key_id}/rotate")
async def rotate_key(key_id: KeyId, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """A new secret; the old one works for another day."""
    who = await allowed(user, "admin", ctx)
    new = await ctx.keys.rotate(key_id, dt.timedelta(hours=DEFAULT_OVERLAP_HOURS), who)
    return sent_on(request, user, "/administration/keys", name=new.of.name, key=new.key or "")


@router.post("/administration/keys/{key_id}/revoke")
async def revoke_key(key_id: KeyId, form: Posted, user: User, ctx: Context) -> Response:
    """End a key at once."""
    await ctx.keys.revoke(key_id, await allowed(user, "admin", ctx))
    return RedirectResponse("/administration/keys", HTTPStatus.SEE_OTHER)
