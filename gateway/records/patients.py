"""Patients in the database, each with a data key of its own."""

import datetime as dt
import json
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.audit_chain import HEAD, TRAIL
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import AuditHeadRow, OrganisationRow, PatientRow
from gateway.platform.encryption import KeyEncryptionKey, new_data_key
from gateway.platform.identity.scopes import Principal
from shared.problems import Conflict, InvalidInput, NotAuthorised

# Characters of a UUID without its hyphens.
SHORTEST_UUID = 32


@dataclass(frozen=True)
class Patient:
    """A patient who has not been erased; `data_key` opens what is stored about them."""

    id: UUID
    organisation_id: UUID
    patient_number: str | None
    account_id: UUID | None
    created_at: dt.datetime
    restricted_at: dt.datetime | None
    data_key: bytes = field(repr=False)


@dataclass(frozen=True)
class KeyOwner:
    """Whose data something is: a patient's, or the organisation's where no patient was named; `key` encrypts it.

    `patient_number` is the one that the patient goes by, whichever of a merged patient's was sent.
    """

    patient_id: UUID | None
    patient_number: str | None
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
        """The organisation's patient of this number, if there is one; a merged patient's number is the survivor's."""
        if not patient_number.isprintable():  # PostgreSQL would not even take a NUL
            return None
        return await self._find(_numbered(organisation_id, patient_number))

    async def by_id(self, organisation_id: UUID, patient_id: UUID) -> Patient | None:
        """The organisation's patient of this id, or whom it was merged into; null where there is none or erased."""
        return await self._find((PatientRow.organisation_id == organisation_id) & (PatientRow.id == patient_id))

    async def find(self, organisation_id: UUID, identity: str | UUID) -> Patient | None:
        """The organisation's patient of an id given here or, where a text is no id of ours, of the hospital's number.

        The id goes first, and the id of an erased patient stays its own: a number that spells the same leads nowhere
        else, so what is meant for one patient never reaches another.
        """
        patient_id = identity if isinstance(identity, UUID) else as_uuid(identity)
        if patient_id is not None and await self._known_as(organisation_id, patient_id) is not None:
            return await self.by_id(organisation_id, patient_id)
        return await self.by_number(organisation_id, identity) if isinstance(identity, str) else None

    async def refuse_our_id(
        self, organisation_id: UUID, patient_number: str | None, field: str = "patient_number"
    ) -> None:
        """See that somebody did not send our own id in place of the hospital's number: it would split a patient in two.

        The id of an erased patient is refused as well: whoever asks for it again must not find another one.

        Args:
            field: what the caller knows the number as.

        Raises:
            InvalidInput: it is one of ours.
        """
        identity = as_uuid(patient_number or "")
        known_as = await self._known_as(organisation_id, identity) if identity else None
        if known_as is not None:
            known = f" ({known_as})" if known_as else ""
            raise InvalidInput(
                f"{field}: this is a patient_id given here; send the hospital's own number{known}.", field=field
            )

    async def numbers_that_are_ids(self) -> list[UUID]:
        """Patients whose number is the id of another in the organisation: stored before such numbers were refused."""
        long = select(PatientRow.id, PatientRow.organisation_id, PatientRow.patient_number).where(
            func.length(PatientRow.patient_number) >= SHORTEST_UUID
        )
        async with self._sessions() as session:
            rows = (await session.execute(long)).all()
        return [
            row.id
            for row in rows
            if (other := as_uuid(row.patient_number)) and await self._known_as(row.organisation_id, other) is not None
        ]

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
            return _owner(own)
        if patient_number is None or who.is_test:  # what a test key sends is of nobody
            return KeyOwner(None, None, await self.organisation_key(who.organisation_id))
        patient = await self.get_or_create(who.organisation_id, patient_number, who.id)
        return _owner(patient)

    async def known(self, who: Principal, patient_number: str | None) -> UUID | None:
        """The id of the patient whom a new assessment will belong to, if there is one yet; nothing is made.

        Raises:
            InvalidInput: the number is a patient's id here.
        """
        if who.patient_id is not None or patient_number is None or who.is_test:
            return who.patient_id
        await self.refuse_our_id(who.organisation_id, patient_number)
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

    def set_merged_into(self, row: PatientRow, survivor: UUID | None) -> None:
        """Let a patient's number and id lead to another patient, or to themselves again, in the caller's transaction.

        Raises:
            CannotDecrypt: somebody else wrote the row.
        """
        self._kek.check_seal(sealed_content(row), row.seal)
        row.merged_into = survivor
        row.seal = self._kek.seal(sealed_content(row))

    def data_key_of(self, row: PatientRow) -> bytes:
        """The key of a patient who is neither erased nor written by somebody else.

        Raises:
            CannotDecrypt: somebody else wrote the row.
        """
        return self._decrypt_row(row).data_key

    def set_restricted(self, row: PatientRow, moment: dt.datetime | None) -> None:
        """Restrict a patient's record, or lift that, in the caller's transaction.

        Raises:
            CannotDecrypt: somebody else wrote the row.
        """
        self._kek.check_seal(sealed_content(row), row.seal)
        row.restricted_at = moment
        row.seal = self._kek.seal(sealed_content(row))

    async def owner_by_id(self, organisation_id: UUID, patient_id: UUID | None) -> KeyOwner | None:
        """The owner of something stored before; null where the patient was erased since."""
        if patient_id is None:
            return KeyOwner(None, None, await self.organisation_key(organisation_id))
        patient = await self.by_id(organisation_id, patient_id)
        return _owner(patient) if patient else None

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

    async def check_secret(self) -> None:
        """See that the data secret opens what is stored: the trail's key, and the oldest and newest of patients' keys.

        Raises:
            CannotDecrypt: it does not.
        """
        keys = select(PatientRow.id, PatientRow.data_key).where(PatientRow.data_key.is_not(None)).limit(1)
        of_trail = select(AuditHeadRow.mac_key).where(AuditHeadRow.id == HEAD)
        async with self._sessions() as session:
            found = [(TRAIL, (await session.scalars(of_trail)).one())]
            for order in (PatientRow.id.asc(), PatientRow.id.desc()):
                found += [(row.id, row.data_key) for row in await session.execute(keys.order_by(order))]
        for owner, wrapped in found:
            self._kek.unwrap(wrapped, owner)

    async def _known_as(self, organisation_id: UUID, patient_id: UUID) -> str | None:
        """The number of the organisation's patient of this id, empty where it has none; null where the id is not ours.

        An erased patient's id is ours still.
        """
        mine = (PatientRow.organisation_id == organisation_id) & (PatientRow.id == patient_id)
        async with self._sessions() as session:
            row = (await session.execute(select(PatientRow.patient_number).where(mine))).one_or_none()
        return None if row is None else row.patient_number or ""

    async def _find(self, condition: ColumnElement[bool]) -> Patient | None:
        query = select(PatientRow).where(condition, PatientRow.data_key.is_not(None))
        async with self._sessions() as session:
            row = (await session.scalars(query)).one_or_none()
            if row is not None and row.merged_into is not None:
                checked_key(self._kek, row, row.organisation_id)
                row = await session.get_one(PatientRow, row.merged_into)
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
        return Patient(
            row.id,
            row.organisation_id,
            row.patient_number,
            row.account_id,
            row.created_at,
            row.restricted_at,
            data_key,
        )


def _owner(patient: Patient) -> KeyOwner:
    return KeyOwner(patient.id, patient.patient_number, patient.data_key)


def sealed_content(row: PatientRow) -> bytes:
    """What a patient's seal holds together."""
    fields = [row.id, row.organisation_id, row.patient_number, row.account_id, (row.data_key or b"").hex()]
    # Only then: rows from before there were restrictions and merges keep their seals.
    if row.restricted_at is not None:
        fields.append("restricted")
    if row.merged_into is not None:
        fields.append(f"merged into {row.merged_into}")
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


async def still_there(session: AsyncSession, patient_id: UUID) -> None:
    """Look once more, in the transaction that stores something: erasure and merging wait for it, or are over.

    Raises:
        Conflict: one of them is.
    """
    gone = select(PatientRow.erased_at, PatientRow.merged_into).where(PatientRow.id == patient_id)
    erased_at, merged_into = (await session.execute(gone.with_for_update(read=True))).one()
    if erased_at is not None:
        raise Conflict("The patient was erased meanwhile; nothing was stored.")
    if merged_into is not None:
        raise Conflict("The patient was merged with another meanwhile; nothing was stored: send it again.")


def as_uuid(text: str) -> UUID | None:
    """The id that a text spells in any of a UUID's forms; null where it spells none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _numbered(organisation_id: UUID, patient_number: str) -> ColumnElement[bool]:
    return (PatientRow.organisation_id == organisation_id) & (PatientRow.patient_number == patient_number)
