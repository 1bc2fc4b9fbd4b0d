"""Texts that people write: nothing in them that a log or a database would trip over."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from shared.problems import InvalidInput

LONGEST_PATIENT_NUMBER, LONGEST_PASSWORD = 64, 1000


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("use printable characters, without line breaks")
    return text


def is_encodable(text: str) -> bool:
    """Whether a text can be sent on: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encodable(secret: SecretStr) -> SecretStr:
    if not is_encodable(secret.get_secret_value()):
        raise ValueError("use whole characters: it has half of a surrogate pair")
    return secret


Printable = Annotated[str, AfterValidator(_printable)]
Password = Annotated[SecretStr, AfterValidator(_encodable), Field(max_length=LONGEST_PASSWORD)]


def checked_patient_number(patient_number: str | None) -> str | None:
    """The hospital's own identifier, opaque here; null where none was sent.

    Raises:
        InvalidInput: too long, or with characters that do not print.
    """
    if not patient_number:
        return None
    if len(patient_number) > LONGEST_PATIENT_NUMBER or not patient_number.isprintable():
        raise InvalidInput(
            f"patient_number: up to {LONGEST_PATIENT_NUMBER} printable characters.", field="patient_number"
        )
    return patient_number
