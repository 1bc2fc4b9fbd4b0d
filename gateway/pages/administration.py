"""Administration: people and invitations, the models and their cards, the audit trail."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.api.accounts import AccountChange, change_account, list_accounts
from gateway.api.audit import list_audit_trail
from gateway.api.invitations import InvitationRequest, invite, list_invitations, revoke_invitation
from gateway.api.model_cards import list_models
from gateway.pages.deps import House, Visit, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import Page, older, page

router = APIRouter(include_in_schema=False, route_class=Page)


@router.get("/administration")
async def people_page(request: Request, visitor: Visit, house: House, before: UUID | None = None) -> Response:
    """Accounts, and invitations that are still open."""
    return await _people(request, visitor, house, before)


@router.post("/administration/invitations")
async def invite_staff(request: Request, form: Posted, visitor: Visit, house: House) -> Response:
    """Invite a colleague; the code is shown this once."""
    who = await allowed(visitor, "admin", house)
    wanted = InvitationRequest.model_validate({"email": text(form, "email"), "role": text(form, "role")})
    made = await invite(wanted, who, house)
    return await _people(
        request, visitor, house, None, invitation=made, link=f"{request.base_url}invitation#{made.token}"
    )


@router.post("/administration/invitations/{invitation_id}/revoke")
async def revoke_here(invitation_id: UUID, form: Posted, visitor: Visit, house: House) -> Response:
    """Take an invitation back."""
    await revoke_invitation(invitation_id, await allowed(visitor, "admin", house), house)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.post("/administration/accounts/{account_id}")
async def change_here(account_id: UUID, form: Posted, visitor: Visit, house: House) -> Response:
    """Disable an account, or enable it again."""
    change = AccountChange(disabled=text(form, "disabled") == "1")
    await change_account(account_id, change, await allowed(visitor, "admin", house), house)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.get("/administration/models")
async def models_page(request: Request, visitor: Visit, house: House) -> Response:
    """Every model's card: data, figures, limits."""
    cards = await list_models(await allowed(visitor, "models:read", house), house)
    return page(request, "models.html", cards=cards)


@router.get("/administration/audit")
async def audit_page(
    request: Request,
    visitor: Visit,
    house: House,
    actor: Annotated[str, Query(max_length=100)] = "",
    subject: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The organisation's lines of the audit trail."""
    who = await allowed(visitor, "audit:read", house)
    actor, subject = ("".join(filter(str.isprintable, one)).strip() for one in (actor, subject))
    found = await list_audit_trail(who, house, 100, before, actor or None, subject or None)
    following = older(request, "/administration/audit", found.next)
    return page(request, "audit.html", rows=found.items, actor=actor, subject=subject, following=following)


async def _people(request: Request, visitor: Visit, house: House, before: UUID | None, **more: Any) -> Response:
    who = await allowed(visitor, "admin", house)
    accounts = await list_accounts(who, house, 50, before)
    invitations = await list_invitations(who, house)
    following = older(request, "/administration", accounts.next)
    return page(
        request, "people.html", accounts=accounts.items, invitations=invitations.items, following=following,
        **{"invitation": None, "link": "", **more},
    )  # fmt: skip
