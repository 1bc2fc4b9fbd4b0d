"""Sites' own settings by version, and which of them is in use; a version is never changed."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import SiteSettingsChangeRow, SiteSettingsRow
from gateway.platform.identity.scopes import Principal
from gateway.records.way_back import before_last, way_back
from shared.contracts.site_settings import SiteSettings
from shared.problems import Conflict, NotFound


@dataclass(frozen=True)
class SettingsChange:
    """A version was put in use, or none (null), with who stands by it; `previous` was in use before it."""

    version: str | None
    previous: str | None
    name: str | None
    role: str | None
    at: dt.datetime


class SiteSettingsStore:
    """Stores organisations' settings and says which are in use.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, who: Principal, settings: SiteSettings) -> None:
        """Store a version; nothing is done by it yet.

        Raises:
            Conflict: there is one of this name.
        """
        row = SiteSettingsRow(
            id=uuid7(),
            organisation_id=who.organisation_id,
            version=settings.version,
            content=settings.model_dump(mode="json"),
        )
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                session.add(audit_row(who.organisation_id, who.id, AuditAction.SITE_SETTINGS_MADE, settings.version))
        except IntegrityError as error:
            raise Conflict(f"There are site settings {settings.version} already: name another version.") from error

    async def active(self, organisation_id: UUID) -> SiteSettings | None:
        """The version in use; null where the networks answer as they are."""
        async with self._sessions() as session:
            change = await _last(session, organisation_id)
            if change is None or change.version is None:
                return None
            row = (await session.scalars(_one(organisation_id, change.version))).one()
        return SiteSettings.model_validate(row.content)

    async def get(self, organisation_id: UUID, version: str) -> SiteSettings:
        """One version.

        Raises:
            NotFound: there is none.
        """
        async with self._sessions() as session:
            row = (await session.scalars(_one(organisation_id, version))).one_or_none()
        if row is None:
            raise NotFound(f"There are no site settings {version}.")
        return SiteSettings.model_validate(row.content)

    async def all(self, organisation_id: UUID) -> list[SiteSettings]:
        """Every version, newest first."""
        mine = SiteSettingsRow.organisation_id == organisation_id
        async with self._sessions() as session:
            rows = (
                await session.scalars(select(SiteSettingsRow).where(mine).order_by(SiteSettingsRow.id.desc()))
            ).all()
        return [SiteSettings.model_validate(row.content) for row in rows]

    async def changes(self, organisation_id: UUID) -> list[SettingsChange]:
        """What was in use when, newest first."""
        mine = SiteSettingsChangeRow.organisation_id == organisation_id
        query = select(SiteSettingsChangeRow).where(mine).order_by(SiteSettingsChangeRow.id.desc())
        async with self._sessions() as session:
            return [_change(row) for row in await session.scalars(query)]

    async def activate(self, who: Principal, version: str, name: str, role: str) -> SettingsChange:
        """Put a version in use, in the name of whoever stands by it.

        Raises:
            NotFound: there is none.
            Conflict: it is in use.
        """
        await self.get(who.organisation_id, version)
        async with self._sessions.begin() as session:
            last = await _last(session, who.organisation_id)
            before = last.version if last else None
            if before == version:
                raise Conflict(f"The site settings {version} are in use.")
            row = _add(session, who, version, before, (name, role), AuditAction.SITE_SETTINGS_ACTIVATED)
        return _change(row)

    async def back(self, who: Principal) -> SettingsChange:
        """Put in use what was so before the present version, or nothing.

        Raises:
            Conflict: none is in use.
        """
        mine = SiteSettingsChangeRow.organisation_id == who.organisation_id
        async with self._sessions.begin() as session:
            rows = (
                await session.scalars(select(SiteSettingsChangeRow).where(mine).order_by(SiteSettingsChangeRow.id))
            ).all()
            way = way_back((row.version, row.previous) for row in rows)[:-1]
            if not way:
                raise Conflict("No site settings are in use.")
            before = next((row for row in reversed(rows) if row.version == way[-1]), None) if way[-1] else None
            signed = (before.name, before.role) if before else (None, None)
            row = _add(session, who, way[-1], before_last(way), signed, AuditAction.SITE_SETTINGS_TAKEN_BACK)
        return _change(row)


async def _last(session: AsyncSession, organisation_id: UUID) -> SiteSettingsChangeRow | None:
    mine = SiteSettingsChangeRow.organisation_id == organisation_id
    query = select(SiteSettingsChangeRow).where(mine).order_by(SiteSettingsChangeRow.id.desc()).limit(1)
    return (await session.scalars(query)).one_or_none()


def _add(
    session: AsyncSession,
    who: Principal,
    version: str | None,
    previous: str | None,
    signed: tuple[str | None, str | None],
    action: AuditAction,
) -> SiteSettingsChangeRow:
    name, role = signed
    row = SiteSettingsChangeRow(
        id=uuid7(),
        organisation_id=who.organisation_id,
        version=version,
        previous=previous,
        name=name,
        role=role,
        at=now(),
    )
    session.add(row)
    session.add(audit_row(who.organisation_id, who.id, action, version))
    return row


def _one(organisation_id: UUID, version: str) -> Select[SiteSettingsRow]:
    mine = (SiteSettingsRow.organisation_id == organisation_id) & (SiteSettingsRow.version == version)
    return select(SiteSettingsRow).where(mine)


def _change(row: SiteSettingsChangeRow) -> SettingsChange:
    return SettingsChange(row.version, row.previous, row.name, row.role, row.at)
