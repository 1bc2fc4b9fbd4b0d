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
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, text
from gateway.pages.page import Page, older, page

router = APIRouter(include_in_schema=False, route_class=Page)


@router.get("/administration")
async def people_page(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """Accounts, and invitations that are still open."""
    return await _people(request, user, ctx, before)


@router.post("/administration/invitations")
async def invite_staff(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Invite a colleague; the code is shown this once."""
    who = await allowed(user, "admin", ctx)
    wanted = InvitationRequest.model_validate({"email": text(form, "email"), "role": text(form, "role")})
    made = await invite(wanted, who, ctx)
    return await _people(request, user, ctx, None, invitation=made, link=f"{request.base_url}invitation#{made.token}")


@router.post("/administration/invitations/{invitation_id}/revoke")
async def revoke_here(invitation_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Take an invitation back."""
    await revoke_invitation(invitation_id, await allowed(user, "admin", ctx), ctx)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.post("/administration/accounts/{account_id}")
async def change_here(account_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Disable an account, or enable it again."""
    change = AccountChange(disabled=text(form, "disabled") == "1")
    await change_account(account_id, change, await allowed(user, "admin", ctx), ctx)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.get("/administration/models")
async def models_page(request: Request, user: User, ctx: Context) -> Response:
    """Every model's card: data, figures, limits."""
    cards = await list_models(await allowed(user, "models:read", ctx), ctx)
    return page(request, "models.html", cards=cards)


@router.get("/administration/audit")
async def audit_page(
    request: Request,
    user: User,
    ctx: Context,
    actor: Annotated[str, Query(max_length=100)] = "",
    subject: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The organisation's lines of the audit trail."""
    who = await allowed(user, "audit:read", ctx)
    actor, subject = ("".join(filter(str.isprintable, one)).strip() for one in (actor, subject))
    found = await list_audit_trail(who, ctx, 100, before, actor or None, subject or None)
    following = older(request, "/administration/audit", found.next)
    return page(request, "audit.html", rows=found.items, actor=actor, subject=subject, following=following)


async def _people(request: Request, user: User, ctx: Context, before: UUID | None, **more: Any) -> Response:
    who = await allowed(user, "admin", ctx)
    accounts = await list_accounts(who, ctx, 50, before)
    invitations = await list_invitations(who, ctx)
    following = older(request, "/administration", accounts.next)
    return page(
        request, "people.html", accounts=accounts.items, invitations=invitations.items, following=following,
        **{"invitation": None, "link": "", **more},
    )  # fmt: skip
