"""What is stored of an assessment, sealed with its owner's key: the answer, the record behind it, its pictures."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.platform.database.tables import AssessmentRow
from gateway.platform.encryption import KeyEncryptionKey, decrypt, encrypt
from shared.contracts.assessment import Assessment


@dataclass(frozen=True)
class StoredAssessment:
    """An assessment as it was answered, with the record it was made from (as the clinical service was asked)."""

    assessment: Assessment
    record: dict[str, Any] | None
    patient: UUID | None


def key_of(
    row: AssessmentRow, patient_key: bytes | None, organisation_key: bytes | None, kek: KeyEncryptionKey
) -> bytes:
    """The data key of a row's owner, from the wrapped keys of its patient and its organisation."""
    wrapped, owner = (patient_key, row.patient) if row.patient else (organisation_key, row.organisation_id)
    assert wrapped is not None and owner is not None  # noqa: S101, PT018 -- erasure deletes the rows with the key
    return kek.unwrap(wrapped, owner)


def encrypt_assessment(key: bytes, assessment: Assessment, record: dict[str, Any] | None) -> bytes:
    """The content of a row."""
    content = json.dumps({"assessment": assessment.model_dump(mode="json"), "record": record}, separators=(",", ":"))
    return encrypt(key, content.encode(), assessment.id.bytes)


def decrypt_assessment(key: bytes, row: AssessmentRow) -> StoredAssessment:
    """What was sealed, with what happened since."""
    content = json.loads(decrypt(key, row.content, row.id.bytes))
    made = _with_patients_words(content["assessment"])
    assessment = Assessment.model_validate({**made, "released_at": row.released_at})
    return StoredAssessment(assessment, content["record"], row.patient)


def _with_patients_words(made: dict[str, Any]) -> dict[str, Any]:
    """What was stored before items had words for the patient gets none: the clinic's may name a medicine."""
    for item in (made.get("recommendation") or {}).get("items", []):
        item.setdefault("patient_text", "")
        item.setdefault("message", {"key": item["id"], "params": {}})
    return made


def encrypt_rendering(key: bytes, png: bytes, assessment_id: UUID, kind: str) -> bytes:
    """A picture, bound to its assessment and kind."""
    return encrypt(key, png, assessment_id.bytes + kind.encode())


def decrypt_rendering(key: bytes, sealed: bytes, assessment_id: UUID, kind: str) -> bytes:
    """The PNG."""
    return decrypt(key, sealed, assessment_id.bytes + kind.encode())
