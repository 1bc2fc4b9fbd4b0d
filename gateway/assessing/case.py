"""The case that an assessment is made of, and the checks of what was sent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import ValidationError

from gateway.platform.database.idempotency import request_digest
from gateway.platform.json_size import MOST_VALUES_IN_RECORD, holds_more, without_repeats
from gateway.records.stored_risk import AnyRisk, read_risk, risk_bytes
from shared.contracts.risk import ClinicalModel
from shared.problem_responses import describe_errors, joined
from shared.problems import (
    Conflict,
    ImageRefused,
    ImageTooLarge,
    InvalidInput,
    InvalidRecord,
    MissingInput,
    TooBusy,
    UnreadableImage,
    UnsupportedImage,
)

# What assessing a case may come to, whichever way it was sent.
CASE_PROBLEMS = (
    InvalidInput,
    InvalidRecord,
    MissingInput,
    UnreadableImage,
    UnsupportedImage,
    ImageTooLarge,
    ImageRefused,
    Conflict,
    TooBusy,
)

CLINICAL_MODELS: tuple[ClinicalModel, ...] = get_args(ClinicalModel)
DEFAULT_MODEL: ClinicalModel = "bone_density"


@dataclass(frozen=True)
class Case:
    """What was sent: an image, a record, or both. `risk` is the record with the model that it is meant for.

    Args:
        left_out: what was sent beside it in another system's form and could not be used, a sentence each.
    """

    image: bytes | None
    risk: AnyRisk | None
    patient_number: str | None
    left_out: tuple[str, ...] = ()

    @property
    def age(self) -> float | None:
        """The person's, where a record gives it."""
        return self.risk.record.age if self.risk else None

    def digest(self) -> bytes:
        """SHA-256 of everything that was sent, to tell a repeated request from another one under the same key."""
        left_out = (line.encode() for line in self.left_out)
        return request_digest(self.image or b"", risk_bytes(self.risk), (self.patient_number or "").encode(), *left_out)


def read_record_json(text: str, model: str) -> AnyRisk:
    """The clinical record from its JSON text.

    Raises:
        InvalidInput: there is no such model.
        InvalidRecord: not JSON, or a field cannot be used.
    """
    try:
        record = json.loads(text, object_pairs_hook=without_repeats)
    except (ValueError, RecursionError) as error:
        raise invalid_record(
            [{"field": "clinical", "message": f"not JSON: {error}", "code": "json_invalid"}]
        ) from error
    return read_record(record, model)


def read_record(record: Any, model: str = DEFAULT_MODEL) -> AnyRisk:
    """The clinical record from what a JSON text or a form said.

    Raises:
        InvalidInput: there is no such model.
        InvalidRecord: no object, or a field cannot be used.
    """
    if model not in CLINICAL_MODELS:
        raise InvalidInput(
            f"There is no clinical_model '{model[:40]}'; there are {' and '.join(CLINICAL_MODELS)}.",
            field="clinical_model",
        )
    if not isinstance(record, dict):
        raise invalid_record([{"field": "clinical", "message": "a JSON object is needed", "code": "object_type"}])
    if holds_more(record, MOST_VALUES_IN_RECORD):
        fault = f"more than {MOST_VALUES_IN_RECORD} values, which no record has"
        raise invalid_record([{"field": "clinical", "message": fault, "code": "too_long"}])
    try:
        return read_risk({"record": record, "clinical_model": model})
    except ValidationError as error:
        raise invalid_record([_in_record(part) for part in describe_errors(error.errors())]) from error


def invalid_record(errors: Sequence[dict[str, str]]) -> InvalidRecord:
    """The error of a record, each field named with the cure."""
    return InvalidRecord(joined(errors), errors=list(errors))


def _in_record(error: dict[str, str]) -> dict[str, str]:
    """The path as the sender knows it: `clinical.age` for the discriminated `bone_density.record.age`."""
    path = error["field"].split(".")
    start = path.index("record") + 1 if "record" in path else 1
    return {**error, "field": ".".join(["clinical", *path[start:]])}
