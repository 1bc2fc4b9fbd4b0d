"""Patients in the database, each with a data key of its own."""

import datetime as dt
import json
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import OrganisationRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, new_data_key
from gateway.platform.identity.scopes import Principal
from shared.problems import InvalidInput, NotAuthorised


@dataclass(frozen=True)
class Patient:
    """A patient who has not been erased; `data_key` opens what is stored about them."""

    id: UUID
    organisation_id: UUID
    patient_number: str | None
    account_id: UUID | None
    created_at: dt.datetime
    data_key: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyOwner:
    """Whose data something is: a patient's, or the organisation's where no patient was named; `key` encrypts it."""

    patient_id: UUID | None
    key: bytes = field(repr=False)


class Patients:
    """Finds patients and makes them.

    Args:
        sessions: of the installation's database.
        kek: wraps the patients' keys.
    """

    def __init__(self, sessions: Sessions, kek: KeyEncryptionKey) -> None:
        self._sessions, self._kek = sessions, kek

    async def get_or_create(self, organisation_id: UUID, patient_number: str, by: str) -> Patient:
        """The organisation's patient of this number; made where there is none. `by` is the actor, for the trail.

        Raises:
            InvalidInput: the number is a patient's id here, which is no number of the hospital's.
        """
        await self.refuse_our_id(organisation_id, patient_number)
        condition = _numbered(organisation_id, patient_number)
        return await self._find(condition) or await self._create(condition, organisation_id, patient_number, by)

    async def by_number(self, organisation_id: UUID, patient_number: str) -> Patient | None:
        """The organisation's patient of this number, if there is one."""
        if not patient_number.isprintable():  # PostgreSQL would not even take a NUL
            return None
        return await self._find(_numbered(organisation_id, patient_number))

    async def by_id(self, organisation_id: UUID, patient_id: UUID) -> Patient | None:
        """The organisation's patient of this id; null where there is none or it was erased."""
        return await self._find((PatientRow.organisation_id == organisation_id) & (PatientRow.id == patient_id))

    async def refuse_our_id(self, organisation_id: UUID, patient_number: str) -> None:
        """See that somebody did not send our own id in place of the hospital's number: it would split a patient in two.

        Raises:
            InvalidInput: it is one of ours.
        """
        identity = as_uuid(patient_number)
        patient = await self.by_id(organisation_id, identity) if identity else None
        if patient is not None:
            known = f" ({patient.patient_number})" if patient.patient_number else ""
            raise InvalidInput(
                f"patient_number: this is a patient_id given here; send the hospital's own number{known}.",
                field="patient_number",
            )

    async def owner(self, who: Principal, patient_number: str | None) -> KeyOwner:
        """Whom a new assessment belongs to; the patient is made where the number is new.

        Raises:
            InvalidInput: the number is a patient's id here.
            NotAuthorised: a patient's own account named somebody else.
        """
        if who.patient_id is not None:
            own = await self.by_id(who.organisation_id, who.patient_id)
            if own is None or patient_number not in (None, own.patient_number):
                raise NotAuthorised("A patient's account sends its own cases only: leave patient_number out.")
            return KeyOwner(own.id, own.data_key)
        if patient_number is None:
            return KeyOwner(None, await self.organisation_key(who.organisation_id))
        patient = await self.get_or_create(who.organisation_id, patient_number, who.id)
        return KeyOwner(patient.id, patient.data_key)

    async def known(self, who: Principal, patient_number: str | None) -> UUID | None:
        """The id of the patient whom a new assessment will belong to, if there is one yet; nothing is made."""
        if who.patient_id is not None or patient_number is None:
            return who.patient_id
        patient = await self.by_number(who.organisation_id, patient_number)
        return patient.id if patient else None

    def new_row(
        self, organisation_id: UUID, *, patient_number: str | None = None, account_id: UUID | None = None
    ) -> PatientRow:
        """A new patient with a new key, to be stored in the same transaction as the account or number it is for."""
        identity = uuid7()
        row = PatientRow(
            id=identity,
            organisation_id=organisation_id,
            patient_number=patient_number,
            account_id=account_id,
            data_key=self._kek.wrap(new_data_key(), identity),
            created_at=now(),
        )
        row.seal = self._kek.seal(sealed_content(row))
        return row

    def attach_account(self, row: PatientRow, account_id: UUID) -> None:
        """Give a patient an account of their own, in the transaction that makes it.

        Raises:
            CannotDecrypt: somebody else wrote the row.
        """
        self._kek.check_seal(sealed_content(row), row.seal)
        row.account_id = account_id
        row.seal = self._kek.seal(sealed_content(row))

    async def owner_by_id(self, organisation_id: UUID, patient_id: UUID | None) -> KeyOwner | None:
        """The owner of something stored before; null where the patient was erased since."""
        if patient_id is None:
            return KeyOwner(None, await self.organisation_key(organisation_id))
        patient = await self.by_id(organisation_id, patient_id)
        return KeyOwner(patient.id, patient.data_key) if patient else None

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
            owner = newest or (await session.execute(clinics.limit(1))).one_or_none()
        if owner is not None:
            self._kek.unwrap(owner.data_key, owner.id)
        return owner is not None

    async def _find(self, condition: ColumnElement[bool]) -> Patient | None:
        query = select(PatientRow).where(condition, PatientRow.data_key.is_not(None))
        async with self._sessions() as session:
            row = (await session.scalars(query)).one_or_none()
        return self._decrypt_row(row) if row else None

    async def _create(
        self, condition: ColumnElement[bool], organisation_id: UUID, patient_number: str, by: str
    ) -> Patient:
        row = self.new_row(organisation_id, patient_number=patient_number)
        try:
            async with self._sessions.begin() as session:
                session.add(row)
                session.add(audit_row(organisation_id, by, AuditAction.PATIENT_MADE, str(row.id)))
        except IntegrityError:
            # Another request made the same patient at the same moment.
            patient = await self._find(condition)
            if patient is None:
                raise
            return patient
        return self._decrypt_row(row)

    def _decrypt_row(self, row: PatientRow) -> Patient:
        wrapped = checked_key(self._kek, row, row.organisation_id)
        assert wrapped is not None  # noqa: S101 -- an erased patient is not looked up
        data_key = self._kek.unwrap(wrapped, row.id)
        return Patient(row.id, row.organisation_id, row.patient_number, row.account_id, row.created_at, data_key)


def sealed_content(row: PatientRow) -> bytes:
    """What a patient's seal holds together."""
    fields = [row.id, row.organisation_id, row.patient_number, row.account_id, (row.data_key or b"").hex()]
    return json.dumps([None if value is None else str(value) for value in fields]).encode()


def checked_key(kek: KeyEncryptionKey, row: PatientRow | None, organisation_id: UUID) -> bytes | None:
    """The wrapped key of whom something belongs to; null where that is no patient.

    Args:
        organisation_id: whose that something is.

    Raises:
        CannotDecrypt: somebody else wrote the patient's row, or moved that something to another organisation.
    """
    if row is None:
        return None
    kek.check_seal(sealed_content(row), row.seal if row.organisation_id == organisation_id else None)
    return row.data_key


def as_uuid(text: str) -> UUID | None:
    """The id that a text spells; null where it spells none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _numbered(organisation_id: UUID, patient_number: str) -> ColumnElement[bool]:
    return (PatientRow.organisation_id == organisation_id) & (PatientRow.patient_number == patient_number)
