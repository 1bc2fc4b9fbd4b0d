"""What counts as an e-mail address: a person has to recognise it; nothing is ever sent to it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.problems import InvalidInput

LONGEST = 254


def checked_email(text: str) -> str:
    """The address in small letters.

    Raises:
        InvalidInput: it is none.
    """
    email = text.strip().lower()
    local, _, domain = email.rpartition("@")
    if not local or not domain or len(email) > LONGEST or not email.isprintable() or " " in email:
        raise InvalidInput(f"'{text[:60]}' is not an e-mail address.", field="email")
    return email


def _valid(text: str) -> str:
    try:
        return checked_email(text)
    except InvalidInput as error:
        raise ValueError("this is not an e-mail address") from error


Email = Annotated[str, AfterValidator(_valid), Field(max_length=LONGEST, examples=["ada@clinic.example"])]
