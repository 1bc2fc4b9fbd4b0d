"""Pictures in the database, sealed, until they expire."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import CursorResult, delete, select

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AssessmentRow, OrganisationRow, PatientRow, PictureRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.records.encrypted import decrypt_rendering, key_of


class KeptPictures:
    """Finds kept pictures and deletes the expired ones.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def first(self, assessment_id: UUID, kinds: Sequence[str]) -> bytes | None:
        """The PNG of the first of these kinds that is kept; whether the caller may see it was asked before."""
        query = (
            select(PictureRow, AssessmentRow, PatientRow.data_key, OrganisationRow.data_key)
            .join(AssessmentRow, AssessmentRow.id == PictureRow.assessment_id)
            .outerjoin(PatientRow, PatientRow.id == AssessmentRow.patient)
            .join(OrganisationRow, OrganisationRow.id == AssessmentRow.organisation_id)
            .where(PictureRow.assessment_id == assessment_id, PictureRow.kind.in_(kinds), PictureRow.expires_at > now())
        )
        async with self._sessions() as session:
            found = (await session.execute(query)).all()
        if not found:
            return None
        picture, row, patient_key, organisation_key = min(found, key=lambda one: kinds.index(one[0].kind))
        key = key_of(row, patient_key, organisation_key, self._kek)
        return decrypt_rendering(key, picture.content, assessment_id, picture.kind)

    async def delete_expired(self) -> int:
        """Delete the pictures whose days are over; how many there were."""
        async with self._sessions.begin() as session:
            done = await session.execute(delete(PictureRow).where(PictureRow.expires_at <= now()))
        assert isinstance(done, CursorResult)  # noqa: S101 -- what a DELETE gives
        return done.rowcount
