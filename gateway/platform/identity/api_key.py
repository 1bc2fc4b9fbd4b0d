"""What is known of a hospital system's API key after its secret was shown."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from gateway.platform.database.tables import ApiKeyRow
from shared.problems import InvalidInput

LONGEST_NAME = 100
DEFAULT_OVERLAP_HOURS = 24


@dataclass(frozen=True)
class ApiKey:
    """What is known of an API key after its secret was shown."""

    id: str
    name: str
    scopes: list[str]
    organisation_id: UUID
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    previous_valid_until: dt.datetime | None
    parent: str | None
    is_test: bool = False


@dataclass(frozen=True)
class NewApiKey:
    """An API key at the one moment when its secret is known."""

    of: ApiKey
    key: str = field(repr=False)


def checked_key_name(name: str, field: str) -> str:
    """What a key is for, as its maker says.

    Raises:
        InvalidInput: empty, too long or not printable.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"{field}: 1 to {LONGEST_NAME} printable characters.", field=field)
    return name


def api_key_of(row: ApiKeyRow) -> ApiKey:
    """A row as the rest of the gateway knows it: without the hashes."""
    return ApiKey(
        row.id,
        row.name,
        list(row.scopes),
        row.organisation_id,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.previous_valid_until,
        row.parent,
        row.is_test,
    )
