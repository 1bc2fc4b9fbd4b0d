"""Administration: people and invitations, the models and their cards, the audit trail."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gateway.assessing.accounts import InvitationWanted
from gateway.assessing.model_cards import models_in_use
from gateway.assessing.preflight import preflight
from gateway.pages.deps import Context, User, allowed
from gateway.pages.forms import Posted, email_address, one_of, text
from gateway.pages.once import sent_on, told_once
from gateway.pages.page import PageRoute, older, page
from gateway.platform.audit import Selection
from gateway.platform.clock import now
from gateway.platform.identity.scopes import ROLES
from gateway.platform.qr_code import qr_svg

router = APIRouter(include_in_schema=False, route_class=PageRoute)
ACCOUNTS_A_PAGE, LINES_A_PAGE = 50, 100


@router.get("/administration")
async def people_page(request: Request, user: User, ctx: Context, before: UUID | None = None) -> Response:
    """Accounts, and invitations that are still open."""
    return await _people(request, user, ctx, before)


@router.post("/administration/invitations")
async def invite_staff(request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Invite a colleague; the code is shown this once."""
    who = await allowed(user, "admin", ctx)
    wanted = InvitationWanted(email_address(form, "email"), one_of(form, "role", ROLES))
    new, _ = await ctx.accounts.invite(wanted, who)
    link = f"{request.base_url}invitation#{new.token}"
    return sent_on(request, user, "/administration?done=invitation", email=new.of.email, link=link)


@router.post("/administration/accounts/{account_id}/password")
async def reset_password(account_id: UUID, request: Request, form: Posted, user: User, ctx: Context) -> Response:
    """Give somebody who forgot the password a temporary one, which is shown this once."""
    who = await allowed(user, "admin", ctx)
    account, password = await ctx.accounts.reset_password(account_id, who)
    return sent_on(request, user, "/administration", email=account.email, password=password)


@router.post("/administration/invitations/{invitation_id}/revoke")
async def revoke_invitation(invitation_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Take an invitation back."""
    await ctx.accounts.revoke_invitation(invitation_id, await allowed(user, "admin", ctx))
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.post("/administration/accounts/{account_id}")
async def change_account(account_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Disable an account, or enable it again."""
    who = await allowed(user, "admin", ctx)
    await ctx.accounts.set_disabled(account_id, text(form, "disabled") == "1", who)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.post("/administration/accounts/{account_id}/link")
async def link_account(account_id: UUID, form: Posted, user: User, ctx: Context) -> Response:
    """Let the hospital's provider take an account over, or take the word back."""
    who = await allowed(user, "admin", ctx)
    await ctx.accounts.allow_link(account_id, text(form, "link") == "1", who)
    return RedirectResponse("/administration", HTTPStatus.SEE_OTHER)


@router.get("/administration/models")
async def models_page(request: Request, user: User, ctx: Context) -> Response:
    """Every model's card: data, figures, limits."""
    await allowed(user, "models:read", ctx)
    return page(request, "models.html", cards=await models_in_use(ctx.services, ctx.use))


@router.get("/administration/preflight")
async def preflight_page(request: Request, user: User, ctx: Context) -> Response:
    """What a hospital still has to do before it begins."""
    await allowed(user, "admin", ctx)
    return page(request, "preflight.html", steps=await preflight(ctx.settings, ctx.database, ctx.services))


@router.get("/administration/audit")
async def audit_page(
    request: Request,
    user: User,
    ctx: Context,
    actor: Annotated[str, Query(max_length=254)] = "",
    subject: Annotated[str, Query(max_length=254)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The organisation's lines of the audit trail."""
    who = await allowed(user, "audit:read", ctx)
    actor, subject = ("".join(filter(str.isprintable, wanted)).strip() for wanted in (actor, subject))
    of_actor = await ctx.accounts.named(who, actor)
    of_subject = await ctx.patients.named(who, await ctx.accounts.named(who, subject))
    lines = await ctx.audit_trail.page(who, LINES_A_PAGE, Selection(before, of_actor or None, of_subject or None))
    emails = await ctx.accounts.emails(who, [name for line in lines.items for name in (line.actor, line.subject or "")])
    following = older(request, "/administration/audit", lines.next)
    return page(
        request, "audit.html", rows=lines.items, actor=actor, subject=subject, emails=emails, following=following
    )


async def _people(request: Request, user: User, ctx: Context, before: UUID | None) -> Response:
    who = await allowed(user, "admin", ctx)
    accounts = await ctx.accounts.page(who, ACCOUNTS_A_PAGE, before)
    code = ctx.settings.registration_secret() if ctx.settings.is_registration_open() else None
    register_link = f"{request.base_url}register#{code}" if code else None
    context: dict[str, Any] = {
        "accounts": accounts.items,
        "invitations": await ctx.accounts.open_invitations(who),
        "following": older(request, "/administration", accounts.next),
        "told": told_once(request, user),
        "provider": ctx.settings.oidc_label if ctx.authentication.provider else None,
        "moment": now(),
        "registration_code": code,
        "register_link": register_link,
        "register_qr": qr_svg(register_link) if register_link else None,
    }
    return page(request, "people.html", **context)
