"""Which DICOM objects went to which destination, so that what is withdrawn can be taken back where it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import DicomObjectRow


@dataclass(frozen=True)
class SentObject:
    """A DICOM object of an assessment that was sent, or began to be."""

    kind: str
    sop_class_uid: str
    series_uid: str
    sop_uid: str


class SentObjects:
    """Remembers what was sent; rows go with their assessment.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, assessment_id: UUID, destination_id: UUID, objects: Sequence[SentObject]) -> list[SentObject]:
        """Note objects before they leave: one that arrived and was not confirmed is there all the same.

        Returns:
            those that had not been noted before.
        """
        there = {known.sop_uid for known in await self.of(assessment_id, destination_id)}
        new = [sent for sent in objects if sent.sop_uid not in there]
        async with self._sessions.begin() as session:
            session.add_all(
                DicomObjectRow(
                    destination_id=destination_id,
                    sop_uid=sent.sop_uid,
                    assessment_id=assessment_id,
                    kind=sent.kind,
                    sop_class_uid=sent.sop_class_uid,
                    series_uid=sent.series_uid,
                    sent_at=now(),
                )
                for sent in new
            )
        return new

    async def forget(self, destination_id: UUID, objects: Sequence[SentObject]) -> None:
        """They never left: the destination was not reached."""
        named = DicomObjectRow.sop_uid.in_([sent.sop_uid for sent in objects])
        async with self._sessions.begin() as session:
            await session.execute(delete(DicomObjectRow).where(DicomObjectRow.destination_id == destination_id, named))

    async def of(self, assessment_id: UUID, destination_id: UUID | None = None) -> tuple[SentObject, ...]:
        """An assessment's objects that went to a destination, or to any, oldest first and each once."""
        mine = DicomObjectRow.assessment_id == assessment_id
        if destination_id is not None:
            mine &= DicomObjectRow.destination_id == destination_id
        query = select(DicomObjectRow).where(mine).order_by(DicomObjectRow.sent_at, DicomObjectRow.sop_uid)
        async with self._sessions() as session:
            rows = (await session.scalars(query)).all()
        found = {row.sop_uid: SentObject(row.kind, row.sop_class_uid, row.series_uid, row.sop_uid) for row in rows}
        return tuple(found.values())
