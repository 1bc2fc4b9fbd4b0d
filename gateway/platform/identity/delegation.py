"""What somebody hands on: a key, a new secret for one, an invitation, a token. One rule for all of them.

Nobody hands on more than they have: no scope that they lack, nothing that outlives them. What was handed on hangs on
its maker: whoever is out takes along what they made, and what was made with that. Accounts stay: they are a person's.
"""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.tables import AccountRow, ApiKeyRow, InvitationRow
from gateway.platform.identity.scopes import ACCOUNT, API_KEY, SCOPES_OF_ROLE, Principal, Role, key_actor
from shared.problems import NotAuthenticated, NotAuthorised


def require_scopes(who: Principal, scopes: Iterable[str]) -> None:
    """Refuse to hand on what the maker lacks.

    Raises:
        NotAuthorised: with the first scope that is missing.
    """
    for scope in sorted(set(scopes) - who.scopes):
        raise NotAuthorised(f"This credential lacks the scope '{scope}', so it cannot hand it on.", scope=scope)


def require_role(who: Principal, role: Role) -> None:
    """Refuse an account that could do more than whoever makes it, and a member of staff who is made by a system.

    Raises:
        NotAuthorised: with the scope that is missing, or because people are invited by people.
    """
    if role != "patient":
        if who.role == "system":
            raise NotAuthorised("A hospital system does not invite staff: an administrator does.")
        require_scopes(who, ["admin"])
    require_scopes(who, SCOPES_OF_ROLE[role])


def end_within(who: Principal, wanted: dt.datetime | None) -> dt.datetime | None:
    """The end of what the maker hands on: as wanted, and never after the maker's own; null for never."""
    ends = [end for end in (wanted, who.ends_at) if end is not None]
    return min(ends, default=None)


def require_end(who: Principal, end: dt.datetime | None) -> None:
    """Refuse to hand on something whose end is set already and later than the maker's own.

    Raises:
        NotAuthorised: it would outlive the maker.
    """
    if who.ends_at is not None and (end is None or end > who.ends_at):
        raise NotAuthorised("This credential ends before the one that it would hand on.")


async def require_maker(session: AsyncSession, maker: str) -> None:
    """See, in the transaction that stores what is handed on, that the maker was not shut out a moment ago.

    Raises:
        NotAuthenticated: the account was disabled or the key revoked meanwhile.
    """
    if maker.startswith(API_KEY):
        query = select(ApiKeyRow.revoked_at).where(ApiKeyRow.id == maker.removeprefix(API_KEY))
    elif maker.startswith(ACCOUNT):
        query = select(AccountRow.disabled_at).where(AccountRow.id == UUID(maker.removeprefix(ACCOUNT)))
    else:
        return  # the operator, on the installation's own machine
    if (await session.scalars(query.with_for_update(key_share=True))).one_or_none() is not None:
        raise NotAuthenticated("This credential was withdrawn meanwhile.")


async def hangs_on(session: AsyncSession, actor: str | None, maker: str) -> bool:
    """Whether an actor is a key that was made by a maker, or with a key that was, and so on."""
    while actor is not None and actor.startswith(API_KEY):
        actor = await session.scalar(select(ApiKeyRow.parent).where(ApiKeyRow.id == actor.removeprefix(API_KEY)))
        if actor == maker:
            return True
    return False


async def withdraw_handed_on(session: AsyncSession, maker: str, by: str) -> None:
    """Take back whatever hangs on a maker who is out: keys with all that was made with them, and open invitations.

    A key that somebody else gave a new secret hangs on that one; the secret that the maker knows of it ends.

    Args:
        maker: the actor who is out.
        by: who shuts them out, for the trail.
    """
    moment, makers = now(), [maker]
    while makers:
        await session.execute(
            update(ApiKeyRow).where(ApiKeyRow.previous_parent.in_(makers)).values(previous_valid_until=moment)
        )
        theirs = InvitationRow.created_by.in_(makers) & InvitationRow.used_at.is_(None)
        still_open = theirs & InvitationRow.revoked_at.is_(None)
        for invitation in (await session.scalars(select(InvitationRow).where(still_open))).all():
            invitation.revoked_at = moment
            action, subject = AuditAction.INVITATION_REVOKED, f"invitation:{invitation.id}"
            session.add(audit_row(invitation.organisation_id, by, action, subject))
        keys = (await session.scalars(select(ApiKeyRow).where(ApiKeyRow.parent.in_(makers)))).all()
        for key in keys:
            if key.revoked_at is None:
                key.revoked_at = moment
                session.add(audit_row(key.organisation_id, by, AuditAction.KEY_REVOKED, key_actor(key.id)))
        makers = [key_actor(key.id) for key in keys]
