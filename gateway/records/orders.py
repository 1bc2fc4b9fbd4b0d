"""Imaging orders that were announced and whose films may still come, encrypted with the organisation's key.

Once a film was assessed, its order stands with the assessment, and goes with it; what waits here is deleted after a
while. Which messages announced them is remembered by a hash, so that one that comes again does nothing again.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.audit import audit_row
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.engine import Sessions
from gateway.platform.database.ids import uuid7
from gateway.platform.database.tables import MessageRow, OrderRow
from gateway.platform.encryption import decrypt, encrypt
from gateway.records.patients import Patients
from shared.contracts.order import Order

# How long an order waits for its film, and how long a message is known again.
WAITS, REMEMBERED = dt.timedelta(days=90), dt.timedelta(days=90)


@dataclass(frozen=True)
class AnnouncedMessage:
    """A message that somebody sent, as far as it has to be known again.

    Args:
        sender: for the trail, as `hl7:RIS|HOSPITAL`.
        key: what tells it from every other: its sender, its control id and what it says.
    """

    sender: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class OrderBacklog:
    """How many orders wait for their film, and when the last message came."""

    waiting: int
    last_message_at: dt.datetime | None


class Orders:
    """Remembers orders by their accession number.

    Args:
        sessions: of the installation's database; where messages are acknowledged, its commits have to last.
        patients: know the organisations' keys.
    """

    def __init__(self, sessions: Sessions, patients: Patients) -> None:
        self._sessions, self._patients = sessions, patients

    async def heard(self, organisation_id: UUID, message: AnnouncedMessage) -> bool:
        """Whether this message came before, and what it asks was done."""
        key = await self._patients.organisation_key(organisation_id)
        async with self._sessions() as session:
            return await session.get(MessageRow, (organisation_id, _hash(key, b"message", message.key))) is not None

    async def note(
        self,
        organisation_id: UUID,
        message: AnnouncedMessage,
        wanted: Sequence[Order] = (),
        cancelled: Sequence[str] = (),
    ) -> None:
        """Remember orders, or forget those of these accession numbers, and that the message came: all or nothing."""
        key = await self._patients.organisation_key(organisation_id)
        async with self._sessions.begin() as session:
            await session.merge(
                MessageRow(
                    organisation_id=organisation_id,
                    key_hash=_hash(key, b"message", message.key),
                    received_at=now(),
                )
            )
            for order in wanted:
                await self._remember(session, organisation_id, order, key)
            gone = [_accession_hash(key, accession) for accession in cancelled]
            await session.execute(delete(OrderRow).where(_of(organisation_id), OrderRow.accession_hash.in_(gone)))
            session.add(audit_row(organisation_id, message.sender, AuditAction.HL7_MESSAGE_DONE))

    async def find(self, organisation_id: UUID, accession: str | None, patient_number: str | None) -> Order | None:
        """The order of a film; null where none is known, or where it is another patient's.

        Args:
            accession, patient_number: as the film's own header has them.
        """
        if not accession:
            return None
        key = await self._patients.organisation_key(organisation_id)
        mine = _of(organisation_id) & (OrderRow.accession_hash == _accession_hash(key, accession))
        async with self._sessions() as session:
            row = (await session.scalars(select(OrderRow).where(mine))).one_or_none()
        order = _order(row, key) if row else None
        return order if order and is_for(order, patient_number) else None

    async def accession_hash(self, organisation_id: UUID, accession: str | None) -> bytes | None:
        """By what an order finds the films of its accession number: 32 bytes; null where a film has none."""
        if not accession or not accession.strip():
            return None
        return _accession_hash(await self._patients.organisation_key(organisation_id), accession)

    async def of_patient(self, organisation_id: UUID, numbers: Sequence[str]) -> list[Order]:
        """The orders that wait for a patient's films; who may see the patient was asked before."""
        key = await self._patients.organisation_key(organisation_id)
        async with self._sessions() as session:
            rows = (await session.scalars(select(OrderRow).where(_of_numbers(organisation_id, key, numbers)))).all()
        return [_order(row, key) for row in rows]

    async def backlog(self, organisation_id: UUID) -> OrderBacklog:
        """How the orders of an organisation stand."""
        last = select(func.max(MessageRow.received_at)).where(MessageRow.organisation_id == organisation_id)
        async with self._sessions() as session:
            waiting = await session.scalar(select(func.count()).select_from(OrderRow).where(_of(organisation_id)))
            return OrderBacklog(waiting or 0, await session.scalar(last))

    async def _remember(self, session: AsyncSession, organisation_id: UUID, order: Order, key: bytes) -> None:
        accession = _accession_hash(key, order.accession)
        mine = _of(organisation_id) & (OrderRow.accession_hash == accession)
        row = (await session.scalars(select(OrderRow).where(mine).with_for_update())).one_or_none()
        if row is None:
            row = OrderRow(id=uuid7(), organisation_id=organisation_id, accession_hash=accession)
            session.add(row)
        number = order.patient_number
        row.patient_hash = _hash(key, b"patient", number.encode()) if number else None
        row.content = encrypt(key, order.model_dump_json().encode(), _binding(row.id))
        row.received_at = now()
        await session.flush()


def is_for(order: Order, patient_number: str | None) -> bool:
    """Whether an order may be of a film with this patient number: not where both name somebody, and not the same."""
    return not order.patient_number or not patient_number or order.patient_number == patient_number.strip()


async def forget_orders(session: AsyncSession, organisation_id: UUID, key: bytes, numbers: Sequence[str]) -> None:
    """Delete the orders of a patient, in the transaction that erases the patient.

    Args:
        key: the organisation's.
        numbers: every number of the patient.
    """
    await session.execute(delete(OrderRow).where(_of_numbers(organisation_id, key, numbers)))


def _of(organisation_id: UUID) -> ColumnElement[bool]:
    return OrderRow.organisation_id == organisation_id


def _of_numbers(organisation_id: UUID, key: bytes, numbers: Sequence[str]) -> ColumnElement[bool]:
    hashes = [_hash(key, b"patient", number.strip().encode()) for number in numbers]
    return _of(organisation_id) & OrderRow.patient_hash.in_(hashes)


def _hash(key: bytes, what: bytes, value: bytes) -> bytes:
    """Something about an order, so that the organisation finds it again and nobody else reads it: 32 bytes."""
    return hmac.new(key, b"order " + what + b"\0" + value, hashlib.sha256).digest()


def _accession_hash(key: bytes, accession: str) -> bytes:
    return _hash(key, b"accession", accession.strip().encode())


def _binding(order_id: UUID) -> bytes:
    return order_id.bytes + b"order"


def _order(row: OrderRow, key: bytes) -> Order:
    return Order.model_validate_json(decrypt(key, row.content, _binding(row.id)))
