"""Short texts that people write: nothing in them that does not print, which a log or a database would trip over."""

from typing import Annotated

from pydantic import AfterValidator


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("use printable characters, without line breaks")
    return text


Printable = Annotated[str, AfterValidator(_printable)]
