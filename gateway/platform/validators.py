"""Texts that people write: nothing in them that a log or a database would trip over."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("use printable characters, without line breaks")
    return text


def _encodable(secret: SecretStr) -> SecretStr:
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError as error:
        raise ValueError("use whole characters: it has half of a surrogate pair") from error
    return secret


Printable = Annotated[str, AfterValidator(_printable)]
Password = Annotated[SecretStr, AfterValidator(_encodable), Field(max_length=1000)]
