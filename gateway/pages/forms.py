"""The forms that people send: read within limits, and only where these pages gave them out."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated

from fastapi import Depends, Request
from pydantic import SecretStr
from starlette.datastructures import FormData

from gateway.pages.page import current_user
from gateway.pages.sessions import sessions_of
from shared.problems import InvalidInput

MOST_FIELDS, LARGEST_FIELD_BYTES = 300, 20_000


async def posted(request: Request) -> AsyncIterator[FormData]:
    """The form of this request.

    Raises:
        NotAuthorised: its token is not of this visit.
    """
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD_BYTES) as form:
        sessions_of(request).check_form(current_user(request), form.get("csrf"))
        yield form


Posted = Annotated[FormData, Depends(posted)]


def text(form: FormData, name: str) -> str:
    """A field without the spaces around it; empty where it was not sent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def secret(form: FormData, name: str) -> SecretStr:
    """A password as it was typed: spaces may be part of it."""
    value = form.get(name)
    return SecretStr(value if isinstance(value, str) else "")


def number(form: FormData, name: str) -> float | None:
    """A number as people type it: 58.5 or 58,5.

    Raises:
        InvalidInput: it is none.
    """
    typed = text(form, name).replace(",", ".")
    if not typed:
        return None
    try:
        return float(typed)
    except ValueError as error:
        raise InvalidInput(f"{name}: '{typed[:40]}' is not a number.", field=name) from error


def day(form: FormData, name: str) -> date | None:
    """A date as browsers send it.

    Raises:
        InvalidInput: it is none.
    """
    typed = text(form, name)
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise InvalidInput(f"{name}: '{typed[:40]}' is not a date such as 2026-11-24.", field=name) from error
