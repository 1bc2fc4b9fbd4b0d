"""Patients in the database, each with a data key of its own."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from gateway.platform.audit import audit_row
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import OrganisationRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, new_data_key
from gateway.platform.identity.scopes import Principal
from shared.problems import NotAuthorised


@dataclass(frozen=True)
class Patient:
    """A patient who has not been erased; `data_key` opens what is stored about them."""

    id: UUID
    organisation_id: UUID
    reference: str | None
    account_id: UUID | None
    created_at: dt.datetime
    data_key: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyOwner:
    """Whose data something is: a patient's, or the organisation's where no patient was named; `key` seals it."""

    patient: UUID | None
    key: bytes = field(repr=False)


class Patients:
    """Finds patients and makes them.

    Args:
        sessions: of the installation's database.
        kek: wraps the patients' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def of_reference(self, organisation_id: UUID, reference: str, by: str) -> Patient:
        """The organisation's patient of this reference; made where there is none. `by` is the actor, for the trail."""
        condition = (PatientRow.organisation_id == organisation_id) & (PatientRow.reference == reference)
        return await self._find(condition) or await self._make(condition, organisation_id, reference, by)

    async def known(self, organisation_id: UUID, reference: str) -> Patient | None:
        """The organisation's patient of this reference, if there is one."""
        if not reference.isprintable():  # PostgreSQL would not even take a NUL
            return None
        return await self._find(
            (PatientRow.organisation_id == organisation_id) & (PatientRow.reference == reference)
        )  # fmt: skip

    async def by_id(self, organisation_id: UUID, patient_id: UUID) -> Patient | None:
        """The organisation's patient of this internal id; null where there is none or it was erased."""
        return await self._find((PatientRow.organisation_id == organisation_id) & (PatientRow.id == patient_id))

    async def owner(self, who: Principal, reference: str | None) -> KeyOwner:
        """Whom a new assessment belongs to; the patient is made where the reference is new.

        Raises:
            NotAuthorised: a patient's own account named somebody else.
        """
        if who.patient_id is not None:
            own = await self.by_id(who.organisation_id, who.patient_id)
            if own is None or reference not in (None, own.reference):
                raise NotAuthorised("A patient's account sends its own cases only: leave patient_id out.")
            return KeyOwner(own.id, own.data_key)
        if reference is None:
            return KeyOwner(None, await self.organisation_key(who.organisation_id))
        patient = await self.of_reference(who.organisation_id, reference, who.id)
        return KeyOwner(patient.id, patient.data_key)

    def new_row(self, organisation_id: UUID) -> PatientRow:
        """A new patient with a new key, to be stored in the same transaction as the account or reference it is for."""
        identity = uuid7()
        key = self._kek.wrap(new_data_key(), identity)
        return PatientRow(id=identity, organisation_id=organisation_id, data_key=key, created_at=now())

    async def owner_by_id(self, organisation_id: UUID, patient: UUID | None) -> KeyOwner | None:
        """The owner of something stored before; null where the patient was erased since."""
        if patient is None:
            return KeyOwner(None, await self.organisation_key(organisation_id))
        found = await self.by_id(organisation_id, patient)
        return KeyOwner(found.id, found.data_key) if found else None

    async def organisation_key(self, organisation_id: UUID) -> bytes:
        """The key for what an organisation stores about no patient in particular; made when first asked for."""
        query = select(OrganisationRow.data_key).where(OrganisationRow.id == organisation_id)
        async with self._sessions() as session:
            stored = (await session.scalars(query)).one()
        if stored is None:
            # Only where there is still none: of two that make one at the same moment, the first one's stays.
            fresh = self._kek.wrap(new_data_key(), organisation_id)
            missing = (OrganisationRow.id == organisation_id) & OrganisationRow.data_key.is_(None)
            async with self._sessions.begin() as session:
                await session.execute(update(OrganisationRow).where(missing).values(data_key=fresh))
                stored = (await session.scalars(query)).one()
        assert stored is not None  # noqa: S101 -- made above
        return self._kek.unwrap(stored, organisation_id)

    async def check_secret(self) -> bool:
        """Whether the key-encryption key opens the newest wrapped key; false where there is none yet.

        Raises:
            CannotDecrypt: it is not the one that the key was wrapped with.
        """
        patients = select(PatientRow.id, PatientRow.data_key).where(PatientRow.data_key.is_not(None))
        clinics = select(OrganisationRow.id, OrganisationRow.data_key).where(OrganisationRow.data_key.is_not(None))
        async with self._sessions() as session:
            newest = (await session.execute(patients.order_by(PatientRow.id.desc()).limit(1))).one_or_none()
            found = newest or (await session.execute(clinics.limit(1))).one_or_none()
        if found is not None:
            self._kek.unwrap(found.data_key, found.id)
        return found is not None

    async def _find(self, condition: ColumnElement[bool]) -> Patient | None:
        query = select(PatientRow).where(condition, PatientRow.data_key.is_not(None))
        async with self._sessions() as session:
            row = (await session.scalars(query)).one_or_none()
        return self._decrypt_row(row) if row else None

    async def _make(self, condition: ColumnElement[bool], organisation_id: UUID, reference: str, by: str) -> Patient:
        row = self.new_row(organisation_id)
        row.reference = reference
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                session.add(audit_row(organisation_id, by, "patient made", str(row.id)))
        except IntegrityError:
            # Another request made the same patient at the same moment.
            found = await self._find(condition)
            if found is None:
                raise
            return found
        return self._decrypt_row(row)

    def _decrypt_row(self, row: PatientRow) -> Patient:
        assert row.data_key is not None  # noqa: S101 -- an erased patient is not looked up
        return Patient(
            row.id, row.organisation_id, row.reference, row.account_id, row.created_at,
            self._kek.unwrap(row.data_key, row.id),
        )  # fmt: skip
