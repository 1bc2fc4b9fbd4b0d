"""The forms that people send: read within limits, and only where these pages gave them out."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from starlette.datastructures import FormData

from gateway.pages.page import current_user
from gateway.pages.sessions import sessions_of
from gateway.platform.identity.email import checked_email
from gateway.platform.validators import LONGEST_PASSWORD, is_encodable
from shared.problems import InvalidInput

Choice = TypeVar("Choice", bound=str)
MOST_FIELDS, LARGEST_FIELD_BYTES = 300, 20_000


async def posted(request: Request) -> AsyncIterator[FormData]:
    """The form of this request.

    Raises:
        NotAuthorised: its token is not of this session.
    """
    async with request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=LARGEST_FIELD_BYTES) as form:
        sessions_of(request).check_form(current_user(request), form.get("csrf"))
        yield form


Posted = Annotated[FormData, Depends(posted)]


def text(form: FormData, name: str) -> str:
    """A field without the spaces around it; empty where it was not sent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def secret(form: FormData, name: str) -> str:
    """A password as it was typed: spaces may be part of it.

    Raises:
        InvalidInput: empty, too long, or with half a character.
    """
    value = form.get(name)
    password = value if isinstance(value, str) else ""
    if not 1 <= len(password) <= LONGEST_PASSWORD or not is_encodable(password):
        raise InvalidInput(f"{name}: 1 to {LONGEST_PASSWORD} whole characters.", field=name)
    return password


def required(form: FormData, name: str, most: int) -> str:
    """A field that has to be filled in.

    Raises:
        InvalidInput: empty or too long.
    """
    value = text(form, name)
    if not 1 <= len(value) <= most:
        raise InvalidInput(f"{name}: 1 to {most} characters.", field=name)
    return value


def email_address(form: FormData, name: str) -> str:
    """An e-mail address in small letters.

    Raises:
        InvalidInput: it is none.
    """
    return checked_email(text(form, name))


def one_of(form: FormData, name: str, choices: Sequence[Choice]) -> Choice:
    """One of some choices.

    Raises:
        InvalidInput: another one.
    """
    value = text(form, name)
    for choice in choices:
        if value == choice:
            return choice
    raise InvalidInput(f"{name}: one of {', '.join(map(str, choices))}.", field=name)


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


def whole_number(form: FormData, name: str, least: int, most: int) -> int | None:
    """A whole number within limits; null where nothing was typed.

    Raises:
        InvalidInput: it is none.
    """
    value = number(form, name)
    if value is not None and not (value.is_integer() and least <= value <= most):
        raise InvalidInput(f"{name}: a whole number from {least} to {most}.", field=name)
    return None if value is None else int(value)


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
