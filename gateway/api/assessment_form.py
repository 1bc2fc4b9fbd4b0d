"""The multipart form of one case, read within limits. The image's bytes are not decoded here."""

import base64
import binascii
from contextlib import aclosing
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from gateway.api.deps import RENAMED
from gateway.assessing.case import DEFAULT_MODEL, Case, read_record_json
from gateway.platform.validators import checked_patient_number
from shared.problems import InvalidInput, MalformedBody, MissingInput, UnsupportedMediaType

FIELDS = ("image", "clinical", "patient_number", "clinical_model")
LARGEST_RECORD_BYTES = 200_000
AS_IT_IS = frozenset({b"", b"7bit", b"8bit", b"binary"})
BYTE_ORDER_MARK = "\ufeff"


class CaseParser(MultiPartParser):
    """Starlette's parser, and what rough clients send besides: a part in base64, a name in `filename*` alone."""

    ended = False
    _base64 = False

    def on_headers_finished(self) -> None:
        disposition = self._current_part.content_disposition or b""
        if b"filename*=" in disposition.lower() and b"filename=" not in disposition.lower():
            self._current_part.content_disposition = disposition + b'; filename="image"'
        super().on_headers_finished()
        self._base64 = transfer_encoding(dict(self._current_part.item_headers)) == b"base64"

    def on_part_end(self) -> None:
        if self._base64 and self._current_part.file is None:
            self._current_part.data = bytearray(from_base64(bytes(self._current_part.data)))
        super().on_part_end()

    def on_end(self) -> None:
        """Called at the final boundary, which a body that was cut off has not."""
        self.ended = True

    async def parse(self) -> FormData:
        """The form's parts; raises `MalformedBody` where the body was cut off."""
        form = await super().parse()
        if not self.ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MalformedBody("The body is cut off: it ends before its final boundary. Send it again whole.")
        return form


async def read_case(request: Request) -> Case:
    """Read and check the form.

    Raises:
        InvalidInput: the body is no form, or a part of it is unknown or sent twice.
        InvalidRecord: the clinical record; each field is named with the cure.
        MalformedBody: the form cannot be taken apart, or was cut off.
        MissingInput: neither image nor record.
        UnsupportedMediaType: the body is compressed.
    """
    form = await read_form(request)
    try:
        check_parts(form)
        image, empty = await _image(form)
        record, model = await _text(form, "clinical"), await _text(form, "clinical_model")
        patient_number = await _text(form, "patient_number")
    finally:
        await form.close()
    if image is None and record is None:
        raise MissingInput(
            "The file input 'image' was empty: choose a radiograph, or send a 'clinical' record."
            if empty
            else "Send an 'image', a 'clinical' record, or both."
        )
    risk = read_record_json(record, model or DEFAULT_MODEL) if record else None
    return Case(image, risk, checked_patient_number(patient_number))


async def read_form(request: Request) -> FormData:
    """The form's parts; raises as `read_case`."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise InvalidInput("Send multipart/form-data with the parts 'image' (a file) and 'clinical' (JSON text).")
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(
            f"The body has Content-Encoding {encoding[:40]}, which is not read: send it as it is (identity)."
        )
    async with aclosing(request.stream()) as stream:
        parser = CaseParser(request.headers, stream, max_files=4, max_fields=8, max_part_size=LARGEST_RECORD_BYTES)
        try:
            return await parser.parse()
        except MultiPartException as error:
            raise MalformedBody(error.message) from error


def check_parts(form: FormData) -> None:
    """Raise `InvalidInput` for a part that is unknown or sent twice."""
    names = [name for name, _ in form.multi_items()]
    for name in names:
        if name not in FIELDS:
            hint = RENAMED.get(name, f"the form has {', '.join(FIELDS)}")
            raise InvalidInput(f"There is no part '{name}': {hint}.", field=name)
        if names.count(name) > 1:
            raise InvalidInput(f"The part '{name}' was sent {names.count(name)} times: send it once.", field=name)


async def _image(form: FormData) -> tuple[bytes | None, bool]:
    """(the image, or None; whether it was a browser's file input in which nothing was chosen)."""
    part: Any = form.get("image")
    if isinstance(part, str):
        raise InvalidInput("The part 'image' is text: send it as a file (with a file name).", field="image")
    if part is None:
        return None, False
    data = await part.read()
    if not part.filename and not data:
        return None, True
    return (from_base64(data) if transfer_encoding(dict(part.headers.raw)) == b"base64" else data), False


def transfer_encoding(headers: dict[bytes, bytes]) -> bytes:
    """The Content-Transfer-Encoding of a part: of those that change its bytes only base64 is read (RFC 7578 4.7).

    Raises:
        InvalidInput: another one.
    """
    encoding = headers.get(b"content-transfer-encoding", b"").strip().lower()
    if encoding not in AS_IT_IS | {b"base64"}:
        name = encoding[:40].decode("ascii", "replace")
        raise InvalidInput(f"A part has Content-Transfer-Encoding {name}, which is not read: send it as binary.")
    return encoding


def from_base64(data: bytes) -> bytes:
    """The bytes that base64 text stands for, line breaks left out."""
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error as error:
        raise InvalidInput("A part says that it is base64 and is not: send it as binary.") from error


async def _text(form: FormData, name: str) -> str | None:
    """A text part, without a byte order mark; clients that send JSON as a file part mean the same."""
    part = form.get(name)
    if isinstance(part, UploadFile):
        data = await part.read(LARGEST_RECORD_BYTES)
        if transfer_encoding(dict(part.headers.raw)) == b"base64":
            data = from_base64(data)
        try:
            part = data.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"The part '{name}' is not UTF-8 text.", field=name) from error
    return part.removeprefix(BYTE_ORDER_MARK) if part is not None else None
