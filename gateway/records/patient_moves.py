"""What is stored about one patient goes to another: decrypted with the one's key, encrypted with the other's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.platform.clock import now
from gateway.platform.database.tables import (
    AlertRow,
    AssessmentFeedbackRow,
    AssessmentReviewRow,
    AssessmentRow,
    BatchCaseRow,
    EmergencyAccessRow,
    InvitationRow,
    MeasurementRow,
    RenderingRow,
    ShadowAnswerRow,
)
from gateway.platform.encryption import decrypt, encrypt
from gateway.records.batches import case_bindings
from gateway.records.emergency_accesses import access_binding
from gateway.records.encrypted import (
    encrypt_content,
    feedback_binding,
    rendering_binding,
    review_binding,
    shadow_binding,
    with_patient_number,
)
from shared.problems import Conflict

# Every table whose rows name a patient and go with them; an erased patient's are deleted one by one in `erase`.
PATIENTS_TABLES: tuple[Any, ...] = (
    AssessmentRow,
    MeasurementRow,
    AlertRow,
    BatchCaseRow,
    EmergencyAccessRow,
    InvitationRow,
)


@dataclass(frozen=True)
class Side:
    """One of the two patients of a move."""

    id: UUID
    patient_number: str | None
    key: bytes


async def move_all(session: AsyncSession, source: Side, target: Side) -> list[str]:
    """Give everything of one patient to another, in the caller's transaction.

    Returns:
        the rows, as `table:id`, for the way back.

    Raises:
        Conflict: a case of a batch of this patient is being worked on.
        CannotDecrypt: somebody else wrote or moved a row.
    """
    moved = []
    for table in PATIENTS_TABLES:
        rows = (await session.scalars(select(table).where(table.patient_id == source.id).with_for_update())).all()
        await _move(session, rows, source, target)
        moved += [f"{table.__tablename__}:{row.id}" for row in rows]
    return moved


async def move_back(session: AsyncSession, names: Sequence[str], source: Side, target: Side) -> None:
    """Give these rows back, as `move_all` named them; what was deleted meanwhile stays deleted.

    Raises:
        Conflict, CannotDecrypt: as `move_all`.
    """
    for table in PATIENTS_TABLES:
        wanted = [UUID(name.split(":")[1]) for name in names if name.startswith(f"{table.__tablename__}:")]
        # In parts: a statement takes so many values and no more.
        for start in range(0, len(wanted), 500):
            mine = table.id.in_(wanted[start : start + 500]) & (table.patient_id == source.id)
            rows = (await session.scalars(select(table).where(mine).with_for_update())).all()
            await _move(session, rows, source, target)


async def _move(session: AsyncSession, rows: Sequence[Any], source: Side, target: Side) -> None:
    if any(_is_being_worked_on(row) for row in rows):
        raise Conflict("A case of this patient is being assessed: try again when it is done.")
    assessments = [row.id for row in rows if isinstance(row, AssessmentRow)]
    with_them = [
        row
        for table in (RenderingRow, AssessmentFeedbackRow, ShadowAnswerRow)
        for row in await _of(session, table, assessments)
    ]
    # Beside the event loop: a patient may have hundreds of them, with their pictures.
    await anyio.to_thread.run_sync(_encrypt_all_anew, [*rows, *with_them], source, target)
    for row in rows:
        row.patient_id = target.id
    await session.flush()


async def _of(session: AsyncSession, table: Any, assessments: Sequence[UUID]) -> list[Any]:
    """What a table holds of these assessments."""
    found: list[Any] = []
    for start in range(0, len(assessments), 500):
        wanted = table.assessment_id.in_(assessments[start : start + 500])
        found += (await session.scalars(select(table).where(wanted))).all()
    return found


def _is_being_worked_on(row: Any) -> bool:
    return isinstance(row, BatchCaseRow) and row.leased_until is not None and row.leased_until > now()


def _encrypt_all_anew(rows: Sequence[Any], source: Side, target: Side) -> None:
    for row in rows:
        _encrypt_anew(row, source, target)


def _encrypt_anew(row: Any, source: Side, target: Side) -> None:
    """Each encrypted column of a row, and of the reviews that come with an assessment."""
    if isinstance(row, AssessmentRow):
        content = decrypt(source.key, row.content, row.id.bytes)
        moved = with_patient_number(content, target.patient_number)
        row.content = encrypt_content(target.key, moved, row.id)
        for review in row.reviews:
            _encrypt_anew(review, source, target)
        return
    for column, bound_to in _encrypted_columns(row):
        if (stored := getattr(row, column)) is not None:
            setattr(row, column, encrypt(target.key, decrypt(source.key, stored, bound_to), bound_to))


def _encrypted_columns(row: Any) -> Iterator[tuple[str, bytes]]:
    """What of a row is encrypted with its patient's key, and what it is bound to."""
    match row:
        case AssessmentReviewRow():
            yield "content", review_binding(row)
        case AssessmentFeedbackRow():
            yield "content", feedback_binding(row)
        case ShadowAnswerRow():
            yield "content", shadow_binding(row)
        case RenderingRow():
            yield "content", rendering_binding(row.assessment_id, row.kind)
        case MeasurementRow() | AlertRow():
            yield "content", row.id.bytes
        case EmergencyAccessRow():
            yield "content", access_binding(row.id)
        case BatchCaseRow():
            yield from case_bindings(row.id).items()
