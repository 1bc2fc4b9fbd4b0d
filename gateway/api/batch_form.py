"""The form of a batch: a manifest that lists the cases, and the images it names."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from gateway.api.deps import RENAMED
from gateway.assessing.batches import MOST_CASES
from gateway.assessing.case import CLINICAL_MODELS, DEFAULT_MODEL, read_record
from gateway.platform.json_size import MOST_VALUES_IN_MANIFEST, may_hold_more
from gateway.platform.validators import checked_patient_number
from gateway.records.batches import Batch, BatchCase
from gateway.records.stored_risk import AnyRisk
from shared.problem_responses import describe_errors, first_errors, joined
from shared.problems import InvalidInput, InvalidRecord, MissingInput

LARGEST_MANIFEST_BYTES = 4_000_000
Reference = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ManifestCase(BaseModel):
    """One case: a record, an image, or both. `image` is the file name of one of the form's `image` parts."""

    model_config = ConfigDict(extra="forbid")

    reference: Reference = Field(description="The sender's name for the case, once in a batch", examples=["case-1"])
    patient_number: Annotated[str | None, Field(max_length=64, description="The hospital's own, opaque")] = None
    clinical: Annotated[dict[str, Any] | None, Field(description="See the schema ClinicalRecord")] = None
    clinical_model: Annotated[str, Field(examples=list(CLINICAL_MODELS))] = DEFAULT_MODEL
    image: Annotated[str | None, Field(description="File name of an `image` part", examples=["knee.jpg"])] = None


class Manifest(BaseModel):
    """What a batch consists of."""

    model_config = ConfigDict(extra="forbid")

    cases: Annotated[list[ManifestCase], Field(min_length=1, max_length=MOST_CASES)]


@asynccontextmanager
async def read_batch(request: Request) -> AsyncIterator[Batch]:
    """Read and check the form; every case that cannot be used is named. The images are there until the block ends.

    Raises:
        InvalidInput: the body is no such form, or the manifest is not one.
        InvalidRecord: clinical records; each field is named with its case and the cure.
        MissingInput: a case has neither image nor record.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidInput("Send multipart/form-data with a 'manifest' (JSON) and the 'image' files it names.")
    most = {"max_files": MOST_CASES + 1, "max_fields": 4, "max_part_size": LARGEST_MANIFEST_BYTES}
    async with request.form(**most) as form:
        text, images = await _manifest_text(form), _images(form)
        # A thousand records are read beside everybody else's requests, not before them.
        yield Batch(await anyio.to_thread.run_sync(lambda: checked_cases(read_manifest(text), images)))


def read_manifest(text: str | bytes) -> Manifest:
    """The manifest from its JSON.

    Raises:
        InvalidInput: it is not one; each field is named.
    """
    if may_hold_more(text, MOST_VALUES_IN_MANIFEST):
        raise InvalidInput(
            f"manifest: more than {MOST_VALUES_IN_MANIFEST} values: send the cases in several batches.",
            field="manifest",
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        errors = [_in_manifest(part) for part in describe_errors(error.errors())]
        raise InvalidInput(joined(errors), errors=errors) from error


def checked_cases(manifest: Manifest, images: dict[str, UploadFile]) -> list[BatchCase]:
    """The cases with their records read and their images found.

    Raises:
        InvalidInput, InvalidRecord, MissingInput: as `read_batch`; nothing of a batch is taken unless all of it can be.
    """
    _check_names(manifest, images)
    cases, errors = [], []
    for number, case in enumerate(manifest.cases):
        if case.clinical is None and case.image is None:
            raise MissingInput(f"manifest.cases.{number}: give an 'image', a 'clinical' record, or both.")
        try:
            risk = _record(case)
        except InvalidRecord as error:
            errors += [
                {**part, "field": f"manifest.cases.{number}.{part['field']}"} for part in error.members["errors"]
            ]
            continue
        upload = images[case.image] if case.image is not None else None
        patient_number = checked_patient_number(case.patient_number)
        cases.append(BatchCase(case.reference, patient_number, risk, partial(_read, upload)))
    if errors:
        raise InvalidRecord(joined(errors), errors=first_errors(errors))
    return cases


def _record(case: ManifestCase) -> AnyRisk | None:
    if case.clinical is None:
        return None
    return read_record(case.clinical, case.clinical_model)


def _in_manifest(error: dict[str, str]) -> dict[str, str]:
    """The field as the sender knows it, with the new name of one that was renamed."""
    renamed = RENAMED.get(error["field"].rpartition(".")[2])
    message = f"there is no such field: {renamed}" if renamed else error["message"]
    return {**error, "field": f"manifest.{error['field']}", "message": message}


async def _read(upload: UploadFile | None) -> bytes | None:
    """The image's bytes; the file stays where the form keeps it, so that one at a time is in memory."""
    if upload is None:
        return None
    await upload.seek(0)
    return await upload.read()


def _check_names(manifest: Manifest, images: dict[str, UploadFile]) -> None:
    """Every reference once; every image that is named was sent, and every one that was sent is named, once."""
    if repeated := _repeated(case.reference for case in manifest.cases):
        raise InvalidInput(f"manifest: the reference '{repeated[0]}' is given more than once.", field="manifest")
    named = [case.image for case in manifest.cases if case.image is not None]
    if missing := sorted(set(named) - set(images)):
        raise InvalidInput(f"There is no 'image' part with the file name '{missing[0]}'.", field="image")
    if unused := sorted(set(images) - set(named)):
        raise InvalidInput(f"The image '{unused[0]}' is named by no case of the manifest.", field="image")
    if shared := _repeated(named):
        raise InvalidInput(f"The image '{shared[0]}' is named by more than one case.", field="manifest")


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)


def _images(form: FormData) -> dict[str, UploadFile]:
    images: dict[str, UploadFile] = {}
    for name, part in form.multi_items():
        if name == "manifest":
            continue
        if name != "image":
            raise InvalidInput(f"There is no part '{name}'; the form has manifest and image.", field=name)
        if not isinstance(part, UploadFile) or not part.filename:
            raise InvalidInput("A part 'image' has no file name: send it as a file.", field="image")
        if part.filename in images:
            raise InvalidInput(f"Two images are called '{part.filename}'.", field="image")
        images[part.filename] = part
    return images


async def _manifest_text(form: FormData) -> str | bytes:
    sent = form.getlist("manifest")
    if len(sent) != 1:
        raise InvalidInput("Send one part 'manifest' with the list of cases as JSON.", field="manifest")
    part = sent[0]
    return await part.read() if isinstance(part, UploadFile) else part
