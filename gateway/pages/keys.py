"""Administration of hospital systems' keys."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.keys import KeyId, KeyRequest, list_keys, make_key, revoke_key, rotate_key
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import Page, page
from gateway.platform.identity.scopes import SCOPES

router = APIRouter(include_in_schema=False, route_class=Page)


@router.get("/administration/keys")
async def keys_page(request: Request, user: User, ctx: Context) -> Response:
    """The organisation's keys."""
    return await _keys(request, user, ctx)


@router.post("/administration/keys")
async def make_here(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Make a key; its secret is shown this once."""
    who = await allowed(user, "admin", ctx)
    wanted = {"name": text(form, "name"), "scopes": form.getlist("scopes"), "days": text(form, "days") or None}
    made = await make_key(KeyRequest.model_validate(wanted), who, ctx)
    return await _keys(request, user, ctx, made=made)


@router.post("/administration/keys/{key_id}/rotate")
async def rotate_here(key_id: KeyId, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """A new secret; the old one works for another day."""
    who = await allowed(user, "admin", ctx)
    return await _keys(request, user, ctx, made=await rotate_key(key_id, who, ctx))


@router.post("/administration/keys/{key_id}/revoke")
async def revoke_here(key_id: KeyId, form: Posted, user: User, ctx: Context) -> Response:
    """End a key at once."""
    await revoke_key(key_id, await allowed(user, "admin", ctx), ctx)
    return RedirectResponse("/administration/keys", HTTPStatus.SEE_OTHER)


async def _keys(request: Request, user: User, ctx: Context, **more: Any) -> Response:
    who = await allowed(user, "admin", ctx)
    found = await list_keys(who, ctx)
    return page(request, "keys.html", rows=found.items, scopes=SCOPES, **{"made": None, **more})
