"""What is stored of an assessment, encrypted with its owner's key: the answer, the record behind it, its renderings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.platform.database.tables import (
    AlertRow,
    AssessmentFeedbackRow,
    AssessmentReviewRow,
    AssessmentRow,
    ShadowAnswerRow,
)
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from gateway.records.stored_risk import AnyRisk, as_sent, read_stored_risk
from shared.contracts.assessment import Assessment
from shared.contracts.film import DicomIdentity
from shared.contracts.order import Order
from shared.contracts.review import Review, ReviewStep


@dataclass(frozen=True)
class StoredAssessment:
    """An assessment as it was answered, with what it was made from.

    Args:
        risk: the record, as the clinical service was asked.
        identity: whom and what the radiograph's DICOM file says it is of.
        image_sha256: of the radiograph's file as it was sent, in hexadecimal.
        order: that the radiograph was taken for, where one was announced.
    """

    assessment: Assessment
    risk: AnyRisk | None
    patient_id: UUID | None
    identity: DicomIdentity | None = None
    image_sha256: str | None = None
    order: Order | None = None


def key_of(
    row: AssessmentRow | AlertRow, patient_key: bytes | None, organisation_key: bytes | None, kek: KeyEncryptionKey
) -> bytes:
    """The data key of a row's owner, from the wrapped keys of its patient and its organisation."""
    wrapped, owner = (patient_key, row.patient_id) if row.patient_id else (organisation_key, row.organisation_id)
    assert wrapped is not None and owner is not None  # noqa: S101, PT018 -- erasure deletes the rows with the key
    return kek.unwrap(wrapped, owner)


def encrypt_assessment(
    key: bytes,
    assessment: Assessment,
    risk: AnyRisk | None,
    identity: DicomIdentity | None = None,
    image_sha256: str | None = None,
    order: Order | None = None,
) -> bytes:
    """The content of a row."""
    content = {
        "assessment": assessment.model_dump(mode="json"),
        "record": as_sent(risk),
        "identity": identity.model_dump(mode="json", exclude_none=True) if identity else None,
        "image_sha256": image_sha256,
        "order": order.model_dump(mode="json") if order else None,
    }
    return encrypt_content(key, json.dumps(content, separators=(",", ":")).encode(), assessment.id)


def encrypt_content(key: bytes, content: bytes, assessment_id: UUID) -> bytes:
    """The content of a row as it is stored."""
    return encrypt(key, content, assessment_id.bytes, compress=True)


def decrypt_assessment(key: bytes, row: AssessmentRow) -> StoredAssessment:
    """What was stored, with what happened since."""
    content = json.loads(decrypt(key, row.content, row.id.bytes))
    answered = _as_of_today(content["assessment"])
    assessment = Assessment.model_validate(
        {**answered, "released_at": row.released_at, "review": _review(key, row.reviews)}
    )
    identity, order = content.get("identity"), content.get("order")
    return StoredAssessment(
        assessment,
        read_stored_risk(content["record"]),
        row.patient_id,
        DicomIdentity.model_validate(identity) if identity else None,
        content.get("image_sha256"),
        Order.model_validate(order) if order else None,
    )


def _review(key: bytes, rows: Sequence[AssessmentReviewRow]) -> Review:
    """What clinicians made of it; the last step says where it stands."""
    steps = []
    for row in rows:
        content = json.loads(decrypt(key, row.content, review_binding(row)))
        steps.append(ReviewStep.model_validate({"action": row.action, "at": row.at, "by": row.by, **content}))
    last = steps[-1] if steps else None
    return Review(status=last.action, changed_at=last.at, steps=steps) if last else Review()


def _as_of_today(answered: dict[str, Any]) -> dict[str, Any]:
    """An answer of an earlier version in the names of this one.

    What was stored before items had words for the patient gets none: the clinic's may name a medicine.
    """
    if "patient_id" in answered:
        answered["patient_number"] = answered.pop("patient_id")
    for part in _with_summaries(answered):
        if "words" in part:
            part["summary"] = part.pop("words")
    for item in (answered.get("recommendation") or {}).get("items", []):
        item.setdefault("patient_text", "")
        item.setdefault("message", {"key": item["id"], "params": {}})
    return answered


def _with_summaries(answered: dict[str, Any]) -> list[dict[str, Any]]:
    """Every part that has a sentence of its own, which was called `words` up to version 0.1.0."""
    imaging, clinical = answered.get("imaging"), answered.get("clinical") or {}
    lists = [clinical.get("contributions") or [], clinical.get("most_informative_missing") or []]
    return [*([imaging] if imaging else []), *(part for parts in lists for part in parts)]


def review_binding(row: AssessmentReviewRow) -> bytes:
    """What a step of a review is bound to."""
    return row.id.bytes + row.assessment_id.bytes + row.action.encode()


def feedback_binding(row: AssessmentFeedbackRow) -> bytes:
    """What a piece of feedback is bound to."""
    return row.id.bytes + row.assessment_id.bytes + b"feedback"


def shadow_binding(row: ShadowAnswerRow) -> bytes:
    """What the answer of a version in the shadow is bound to."""
    return row.id.bytes + row.assessment_id.bytes + f"shadow {row.service}:{row.version}".encode()


def rendering_binding(assessment_id: UUID, kind: str) -> bytes:
    """What a rendering is bound to."""
    return assessment_id.bytes + kind.encode()


def with_patient_number(content: bytes, patient_number: str | None) -> bytes:
    """The content of a row that now is another number's; what named no patient goes on naming none."""
    stored = json.loads(content)
    answered = stored["assessment"]
    name = "patient_id" if "patient_id" in answered else "patient_number"  # its name up to version 0.1.0
    if answered.get(name) is not None:
        answered[name] = patient_number
    return json.dumps(stored, separators=(",", ":")).encode()


def with_order(content: bytes, order: Order) -> bytes:
    """The content of a row whose film was taken for this order."""
    return json.dumps({**json.loads(content), "order": order.model_dump(mode="json")}, separators=(",", ":")).encode()


def encrypt_rendering(key: bytes, png: bytes, assessment_id: UUID, kind: str) -> bytes:
    """A rendering, bound to its assessment and kind."""
    return encrypt(key, png, rendering_binding(assessment_id, kind))


def decrypt_rendering(key: bytes, stored: bytes, assessment_id: UUID, kind: str) -> bytes:
    """The PNG."""
    return decrypt(key, stored, rendering_binding(assessment_id, kind))
