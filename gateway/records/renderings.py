"""Kept previews and heat maps in the database, encrypted, until they expire."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import AssessmentRow, OrganisationRow, PatientRow, RenderingRow
from gateway.platform.encryption import KeyEncryptionKey
from gateway.records.encrypted import decrypt_rendering, key_of
from gateway.records.patients import checked_key


class Renderings:
    """Finds kept renderings.

    Args:
        sessions: of the installation's database.
        kek: unwraps the owners' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def first(self, assessment_id: UUID, kinds: Sequence[str]) -> bytes | None:
        """The PNG of the first of these kinds that is kept; whether the caller may see it was asked before."""
        query = (
            select(RenderingRow, AssessmentRow, PatientRow, OrganisationRow.data_key)
            .join(AssessmentRow, AssessmentRow.id == RenderingRow.assessment_id)
            .outerjoin(PatientRow, PatientRow.id == AssessmentRow.patient_id)
            .join(OrganisationRow, OrganisationRow.id == AssessmentRow.organisation_id)
            .where(
                RenderingRow.assessment_id == assessment_id,
                RenderingRow.kind.in_(kinds),
                RenderingRow.expires_at > now(),
            )
        )
        async with self._sessions() as session:
            rows = (await session.execute(query)).all()
        if not rows:
            return None
        rendering, assessment, patient, organisation_key = min(rows, key=lambda row: kinds.index(row[0].kind))
        patient_key = checked_key(self._kek, patient, assessment.organisation_id)
        key = key_of(assessment, patient_key, organisation_key, self._kek)
        return decrypt_rendering(key, rendering.content, assessment_id, rendering.kind)
