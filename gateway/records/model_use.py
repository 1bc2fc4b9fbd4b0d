"""Which version of a network reads films, which one runs in its shadow, who decided that, and the way back.

It holds for the whole installation. Each change is a line in the trail of every organisation that it concerns.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import ModelChangeRow, OrganisationRow
from gateway.platform.identity.scopes import OPERATOR
from gateway.records.way_back import before_last, way_back
from shared.components import SERVICES
from shared.problems import Conflict, ServiceUnavailable

SIDE_BY_SIDE = tuple(service.name for service in SERVICES if service.reads_radiographs)


@dataclass(frozen=True)
class Signer:
    """Who stands by a change, and why it was made where the figures spoke against it."""

    name: str
    role: str
    reason: str | None = None


@dataclass(frozen=True)
class ModelUse:
    """How it stands with one service's network.

    Args:
        serving: the version that was promoted; null is that of the service's settings.
        previous: what was so before.
        shadow, share: the version in the shadow, and the share of the cases that it reads; null where there is none.
        name, role, reason, at: of the change that made it so.
    """

    service: str
    serving: str | None = None
    previous: str | None = None
    shadow: str | None = None
    share: float | None = None
    name: str | None = None
    role: str | None = None
    reason: str | None = None
    at: dt.datetime | None = None


class ModelUses:
    """Stores the changes and says how it stands.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def all(self) -> dict[str, ModelUse]:
        """How it stands, by service.

        Raises:
            ServiceUnavailable: the database does not answer, so nobody knows.
        """
        try:
            async with self._sessions() as session:
                return {service: _use(await _last(session, service), service) for service in SIDE_BY_SIDE}
        except SQLAlchemyError as error:
            raise ServiceUnavailable("Which version reads films is not known: the database is away.") from error

    async def changes(self, service: str) -> list[ModelUse]:
        """Everything that was so, newest first."""
        query = select(ModelChangeRow).where(ModelChangeRow.service == service).order_by(ModelChangeRow.id.desc())
        async with self._sessions() as session:
            return [_use(row, service) for row in await session.scalars(query)]

    async def set_shadow(self, service: str, version: str | None, share: float | None, by: Signer) -> ModelUse:
        """Put a version into the shadow, in place of one that is there, or end that (null).

        Raises:
            Conflict: there is none to end.
        """
        async with self._sessions.begin() as session:
            last = _use(await _last(session, service), service)
            if version is None and last.shadow is None:
                raise Conflict(f"No version of {service} is in the shadow.")
            begins = version is not None
            action = AuditAction.MODEL_SHADOW_BEGUN if begins else AuditAction.MODEL_SHADOW_ENDED
            changed = ModelUse(service, last.serving, last.previous, version, share if begins else None)
            return await _add(session, changed, by, action, version or last.shadow)

    async def promote(self, service: str, version: str, shipped: bool, by: Signer) -> ModelUse:
        """Let the version in the shadow serve; nothing is in the shadow then.

        Args:
            shipped: it is that of the service's settings, which serves by no name, so that an upgrade brings the next.

        Raises:
            Conflict: it is not the one in the shadow.
        """
        async with self._sessions.begin() as session:
            last = _use(await _last(session, service), service)
            if last.shadow != version:
                raise Conflict(f"{service} {version} is not in the shadow: 'trabecula model shadow' puts it there.")
            changed = ModelUse(service, None if shipped else version, last.serving)
            return await _add(session, changed, by, AuditAction.MODEL_PROMOTED, version)

    async def before(self, service: str) -> str | None:
        """What going back would let serve; null is that of the service's settings.

        Raises:
            Conflict: there is nothing to go back to.
        """
        async with self._sessions() as session:
            return (await _way_back(session, service))[-1]

    async def back(self, service: str, by: Signer) -> ModelUse:
        """Let what served before the present version serve again; nothing is in the shadow then.

        Raises:
            Conflict: there is nothing to go back to.
        """
        async with self._sessions.begin() as session:
            way = await _way_back(session, service)
            left = _use(await _last(session, service), service).serving
            changed = ModelUse(service, way[-1], before_last(way))
            return await _add(session, changed, by, AuditAction.MODEL_TAKEN_BACK, left)


async def _last(session: AsyncSession, service: str) -> ModelChangeRow | None:
    query = select(ModelChangeRow).where(ModelChangeRow.service == service).order_by(ModelChangeRow.id.desc()).limit(1)
    return (await session.scalars(query)).one_or_none()


async def _way_back(session: AsyncSession, service: str) -> list[str | None]:
    """What going back passes, the next one last."""
    columns = select(ModelChangeRow.serving, ModelChangeRow.previous)
    rows = await session.execute(columns.where(ModelChangeRow.service == service).order_by(ModelChangeRow.id))
    way = way_back((serving, previous) for serving, previous in rows)[:-1]
    if not way:
        raise Conflict(f"No version of {service} was promoted: that of the service's settings serves.")
    return way


async def _add(
    session: AsyncSession, changed: ModelUse, by: Signer, action: AuditAction, version: str | None
) -> ModelUse:
    row = ModelChangeRow(id=uuid7(), **{**vars(changed), **vars(by), "at": now()})
    session.add(row)
    for organisation in await session.scalars(select(OrganisationRow.id)):
        session.add(audit_row(organisation, OPERATOR, action, f"{changed.service}:{version}"))
    return _use(row, changed.service)


def _use(row: ModelChangeRow | None, service: str) -> ModelUse:
    if row is None:
        return ModelUse(service)
    names = ("serving", "previous", "shadow", "share", "name", "role", "reason", "at")
    return ModelUse(service, **{name: getattr(row, name) for name in names})
