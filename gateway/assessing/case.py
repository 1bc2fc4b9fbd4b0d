"""The case that an assessment is made of, read from the multipart form of a request."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, get_args

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile

from shared.contracts.risk import AnyRiskRequest, ClinicalModel, LifestyleRiskRequest, RiskRequest
from shared.problem_responses import describe_error
from shared.problems import InvalidInput, InvalidRecord, MissingInput

FIELDS = ("image", "clinical", "patient_id", "clinical_model")
MODELS: tuple[ClinicalModel, ...] = get_args(ClinicalModel)
# What the gateway adds to a question; nobody sends it, so it makes no other request of the same one.
OF_THE_SITE = {"policy", "as_of"}
LARGEST_RECORD_BYTES = 200_000
LONGEST_PATIENT_ID = 64

_RISK: TypeAdapter[RiskRequest | LifestyleRiskRequest] = TypeAdapter(AnyRiskRequest)


@dataclass(frozen=True)
class Case:
    """What was sent: an image, a record, or both. `risk` is the record with the model that it is meant for."""

    image: bytes | None
    risk: RiskRequest | LifestyleRiskRequest | None
    patient_id: str | None

    @property
    def age(self) -> float | None:
        """The person's, where a record gives it."""
        return self.risk.record.age if self.risk else None

    def digest(self) -> bytes:
        """SHA-256 of everything that was sent, to tell a repeated request from another one under the same key."""
        risk = json.dumps(as_sent(self.risk)) if self.risk else ""
        parts = (self.image or b"", risk, self.patient_id or "")
        whole = hashlib.sha256()
        for part in parts:
            data = part if isinstance(part, bytes) else part.encode()
            whole.update(len(data).to_bytes(8, "big") + data)
        return whole.digest()


def as_sent(risk: RiskRequest | LifestyleRiskRequest) -> dict[str, Any]:
    """The record with its model as it was sent, which is what is stored: without the site's policy and the day."""
    return risk.model_dump(mode="json", exclude_none=True, exclude=OF_THE_SITE)


async def read_case(request: Request) -> Case:
    """Read and check the form. The image's bytes are not decoded here.

    Raises:
        InvalidInput: the body is no form, or a part of it is unknown or sent twice.
        InvalidRecord: the clinical record; each field is named with the cure.
        MissingInput: neither image nor record.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput("Send multipart/form-data with the parts 'image' (a file) and 'clinical' (JSON text).")
    async with request.form(max_files=4, max_fields=8, max_part_size=LARGEST_RECORD_BYTES) as form:
        check_parts(form)
        image, text = await _image(form), await _text(form, "clinical")
        patient_id, model = await _text(form, "patient_id"), await _text(form, "clinical_model")
    if image is None and text is None:
        raise MissingInput("Send an 'image', a 'clinical' record, or both.")
    return Case(image, read_risk(text, model or "bone_density") if text else None, checked_patient_id(patient_id))


def check_parts(form: FormData) -> None:
    """Raise `InvalidInput` for a part that is unknown or sent twice."""
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in FIELDS:
            raise InvalidInput(f"There is no part '{name}'; the form has {', '.join(FIELDS)}.", field=name)
        if names.count(name) > 1:
            raise InvalidInput(f"The part '{name}' was sent {names.count(name)} times: send it once.", field=name)


def read_risk(text: str, model: str) -> RiskRequest | LifestyleRiskRequest:
    """The clinical record from its JSON text.

    Raises:
        InvalidInput: there is no such model.
        InvalidRecord: not JSON, or a field cannot be used.
    """
    if model not in MODELS:
        raise InvalidInput(f"There is no clinical_model '{model[:40]}'; there are {' and '.join(MODELS)}.")
    try:
        record = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise _invalid([{"field": "clinical", "message": f"not JSON: {error}", "code": "json_invalid"}]) from error
    if not isinstance(record, dict):
        raise _invalid([{"field": "clinical", "message": "a JSON object is needed", "code": "object_type"}])
    try:
        return _RISK.validate_json(json.dumps({"record": record, "clinical_model": model}))
    except ValidationError as error:
        raise _invalid([_in_record(describe_error(dict(one))) for one in error.errors()]) from error


def read_stored_risk(stored: dict[str, Any]) -> RiskRequest | LifestyleRiskRequest:
    """The record with its model as it was checked before it was stored."""
    return _RISK.validate_json(json.dumps(stored))


def checked_patient_id(patient_id: str | None) -> str | None:
    """The hospital's own identifier, opaque here; null where none was sent.

    Raises:
        InvalidInput: too long, or with characters that do not print.
    """
    if not patient_id:
        return None
    if len(patient_id) > LONGEST_PATIENT_ID or not patient_id.isprintable():
        raise InvalidInput(f"patient_id: up to {LONGEST_PATIENT_ID} printable characters.", field="patient_id")
    return patient_id


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a name given twice would otherwise lose its first value without a word."""
    names = [name for name, _ in pairs]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(repeated)} is given more than once")
    return dict(pairs)


def _in_record(error: dict[str, str]) -> dict[str, str]:
    """The path as the sender knows it: `clinical.age` for the discriminated `bone_density.record.age`."""
    path = error["field"].split(".")
    start = path.index("record") + 1 if "record" in path else 1
    return {**error, "field": ".".join(["clinical", *path[start:]])}


def _invalid(errors: list[dict[str, str]]) -> InvalidRecord:
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors[:5])
    return InvalidRecord(detail, errors=errors)


async def _image(form: FormData) -> bytes | None:
    part: Any = form.get("image")
    if isinstance(part, str):
        raise InvalidInput("The part 'image' is text: send it as a file (with a file name).", field="image")
    return await part.read() if part is not None else None


async def _text(form: FormData, name: str) -> str | None:
    """A text part; clients that send JSON as a file part mean the same."""
    part = form.get(name)
    if isinstance(part, UploadFile):
        try:
            return (await part.read(LARGEST_RECORD_BYTES)).decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"The part '{name}' is not UTF-8 text.", field=name) from error
    return part
