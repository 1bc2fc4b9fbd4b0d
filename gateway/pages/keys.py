"""Administration of hospital systems' keys."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.keys import KeyId, KeyRequest, list_keys, make_key, revoke_key, rotate_key
from gateway.pages.deps import House, Visit, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import Page, page
from gateway.platform.identity.scopes import SCOPES

router = APIRouter(include_in_schema=False, route_class=Page)


@router.get("/administration/keys")
async def keys_page(request: Request, visitor: Visit, house: House) -> Response:
    """The organisation's keys."""
    return await _keys(request, visitor, house)


@router.post("/administration/keys")
async def make_here(request: Request, form: Posted, visitor: Visit, house: House) -> Response:
    """Make a key; its secret is shown this once."""
    who = await allowed(visitor, "admin", house)
    wanted = {"name": text(form, "name"), "scopes": form.getlist("scopes"), "days": text(form, "days") or None}
    made = await make_key(KeyRequest.model_validate(wanted), who, house)
    return await _keys(request, visitor, house, made=made)


@router.post("/administration/keys/{key_id}/rotate")
async def rotate_here(key_id: KeyId, request: Request, form: Posted, visitor: Visit, house: House) -> Response:
    """A new secret; the old one works for another day."""
    who = await allowed(visitor, "admin", house)
    return await _keys(request, visitor, house, made=await rotate_key(key_id, who, house))


@router.post("/administration/keys/{key_id}/revoke")
async def revoke_here(key_id: KeyId, form: Posted, visitor: Visit, house: House) -> Response:
    """End a key at once."""
    await revoke_key(key_id, await allowed(visitor, "admin", house), house)
    return RedirectResponse("/administration/keys", HTTPStatus.SEE_OTHER)


async def _keys(request: Request, visitor: Visit, house: House, **more: Any) -> Response:
    who = await allowed(visitor, "admin", house)
    found = await list_keys(who, house)
    return page(request, "keys.html", rows=found.items, scopes=SCOPES, **{"made": None, **more})
