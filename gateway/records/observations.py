"""What cases looked like, of nobody in particular, and the reference that later ones are compared with."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.exc import IntegrityError

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import today
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import DriftReferenceRow, ObservationRow, OrganisationRow
from gateway.platform.identity.scopes import Principal


@dataclass(frozen=True)
class DriftReference:
    """How often each feature had each value in the cases that later ones are compared with."""

    counts: dict[str, dict[str, int]]
    cases: int
    first_day: dt.date
    last_day: dt.date
    until_id: int


class Observations:
    """Stores observations and finds windows of them.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, organisation_id: UUID, content: Mapping[str, str]) -> None:
        """Store what one case looked like; one that is stored as an assessment is stored with it."""
        async with self._sessions.begin() as session:
            session.add(observation_row(organisation_id, content))

    async def organisations(self) -> list[UUID]:
        """Every organisation, for who looks at all of them."""
        async with self._sessions() as session:
            return list(await session.scalars(select(OrganisationRow.id)))

    async def reference(self, organisation_id: UUID) -> DriftReference | None:
        """The reference, if there is one yet."""
        async with self._sessions() as session:
            row = await session.get(DriftReferenceRow, organisation_id)
        return DriftReference(row.counts, row.cases, row.first_day, row.last_day, row.until_id) if row else None

    async def count(self, organisation_id: UUID, after: int = 0) -> int:
        """How many cases were observed after the one of this id."""
        query = select(func.count()).select_from(ObservationRow).where(_after(organisation_id, after))
        async with self._sessions() as session:
            return await session.scalar(query) or 0

    async def window(self, organisation_id: UUID, after: int, skip: int, size: int) -> list[ObservationRow]:
        """So many cases in their order, after the one of this id and those that are skipped."""
        query = select(ObservationRow).where(_after(organisation_id, after)).order_by(ObservationRow.id)
        async with self._sessions() as session:
            return list(await session.scalars(query.offset(skip).limit(size)))

    async def set_reference(self, organisation_id: UUID, reference: DriftReference) -> None:
        """Store the first reference; another gateway may have stored the same just now."""
        row = DriftReferenceRow(organisation_id=organisation_id, **vars(reference))
        try:
            async with self._sessions.begin() as session:
                session.add(row)
        except IntegrityError:
            return

    async def begin_anew(self, who: Principal) -> None:
        """Forget the reference and every case: the next ones are the reference, as after a new model or device."""
        async with self._sessions.begin() as session:
            for table in (DriftReferenceRow, ObservationRow):
                await session.execute(delete(table).where(table.organisation_id == who.organisation_id))
            session.add(audit_row(who.organisation_id, who.id, AuditAction.DRIFT_REFERENCE_RESET))

    async def delete_before(self, day: dt.date, block: int) -> int:
        """Delete what cases looked like before a day, of organisations that have a reference; how many rows.

        Args:
            block: so many at a time of those after the reference, so that later windows stay cut where they were.
        """
        async with self._sessions.begin() as session:
            references = (await session.scalars(select(DriftReferenceRow))).all()
            deleted = 0
            for reference in references:
                mine = ObservationRow.organisation_id == reference.organisation_id
                old = mine & (ObservationRow.day < day)
                since = old & (ObservationRow.id > reference.until_id)
                count = await session.scalar(select(func.count()).select_from(ObservationRow).where(since)) or 0
                last = reference.until_id
                if whole := count // block * block:
                    ids = select(ObservationRow.id).where(since).order_by(ObservationRow.id)
                    last = (await session.scalars(ids.offset(whole - 1).limit(1))).one()
                done = await session.execute(delete(ObservationRow).where(old & (ObservationRow.id <= last)))
                assert isinstance(done, CursorResult)  # noqa: S101 -- what a DELETE gives
                deleted += done.rowcount
        return deleted


def observation_row(organisation_id: UUID, content: Mapping[str, str]) -> ObservationRow:
    """The row of one case. It names neither patient nor assessment, and its time is a day."""
    return ObservationRow(organisation_id=organisation_id, day=today(), content=dict(content))


def reference_of(rows: Sequence[ObservationRow], counts: dict[str, dict[str, int]]) -> DriftReference:
    """The reference that these cases make."""
    return DriftReference(counts, len(rows), rows[0].day, rows[-1].day, rows[-1].id)


def _after(organisation_id: UUID, identity: int) -> Any:
    return (ObservationRow.organisation_id == organisation_id) & (ObservationRow.id > identity)
