"""The multipart form of one case, read within limits. The image's bytes are not decoded here."""

from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from gateway.api.deps import RENAMED
from gateway.assessing.case import DEFAULT_MODEL, Case, read_record_json
from gateway.platform.validators import checked_patient_number
from shared.problems import InvalidInput, MissingInput

FIELDS = ("image", "clinical", "patient_number", "clinical_model")
LARGEST_RECORD_BYTES = 200_000


async def read_case(request: Request) -> Case:
    """Read and check the form.

    Raises:
        InvalidInput: the body is no form, or a part of it is unknown or sent twice.
        InvalidRecord: the clinical record; each field is named with the cure.
        MissingInput: neither image nor record.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput("Send multipart/form-data with the parts 'image' (a file) and 'clinical' (JSON text).")
    async with request.form(max_files=4, max_fields=8, max_part_size=LARGEST_RECORD_BYTES) as form:
        check_parts(form)
        image, record = await _image(form), await _text(form, "clinical")
        patient_number, model = await _text(form, "patient_number"), await _text(form, "clinical_model")
    if image is None and record is None:
        raise MissingInput("Send an 'image', a 'clinical' record, or both.")
    risk = read_record_json(record, model or DEFAULT_MODEL) if record else None
    return Case(image, risk, checked_patient_number(patient_number))


def check_parts(form: FormData) -> None:
    """Raise `InvalidInput` for a part that is unknown or sent twice."""
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in FIELDS:
            hint = RENAMED.get(name, f"the form has {', '.join(FIELDS)}")
            raise InvalidInput(f"There is no part '{name}': {hint}.", field=name)
        if names.count(name) > 1:
            raise InvalidInput(f"The part '{name}' was sent {names.count(name)} times: send it once.", field=name)


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
