"""What the operator does on the installation's own machine: prepare the state folder, make accounts and keys."""

import datetime as dt
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.accounts.passwords import Passwords, new_password
from gateway.accounts.repository import Accounts
from gateway.accounts.scopes import read_scopes
from gateway.audit.repository import Audit
from gateway.database.engine import Database, DatabaseUnavailable, migrate, now
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput
from shared.service import CannotStart

FIRST_ADMINISTRATOR = "admin@localhost"
SHORTEST_PASSWORD = 12
OPERATOR = "operator"


def prepare(settings: GatewaySettings) -> None:
    """Make the state folder and bring the database to the newest schema.

    Raises:
        CannotStart: the folder cannot be written, or the database cannot be reached.
    """
    folder = settings.state_dir
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The state folder {folder.resolve()} cannot be written ({error.strerror}): "
            "give this user the right to it, or name another with --state-dir."
        ) from error
    try:
        migrate(settings.sqlalchemy_url(), settings.data_key())
    except DatabaseUnavailable as error:
        raise CannotStart(f"The database cannot be opened ({error.detail}): check TRABECULA_DATABASE_URL.") from error


@asynccontextmanager
async def _opened(settings: GatewaySettings) -> AsyncIterator[tuple[Accounts, Audit]]:
    database = Database(settings.sqlalchemy_url())
    try:
        yield Accounts(database.sessions), Audit(database.sessions)
    finally:
        await database.close()


async def first_administrator(settings: GatewaySettings) -> dict[str, Any] | None:
    """The first administrator with the password, made if there is none; null where there is one."""
    async with _opened(settings) as (accounts, _):
        if await accounts.any_administrator():
            return None
    return await administrator(settings, FIRST_ADMINISTRATOR, None)


async def administrator(settings: GatewaySettings, email: str, password: str | None) -> dict[str, Any]:
    """A new administrator of the first organisation.

    Raises:
        InvalidInput: no e-mail address, or a password that is too short.
        Conflict: the address has an account.
    """
    if "@" not in email.strip("@"):
        raise InvalidInput(f"'{email}' is not an e-mail address.")
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(f"The password needs {SHORTEST_PASSWORD} characters or more.")
    password = password or new_password()
    async with _opened(settings) as (accounts, audit):
        organisation = await accounts.first_organisation(settings.organisation)
        hashed = await Passwords().hash(password)
        account = await accounts.add_account(email, hashed, "administrator", organisation)
        await audit.write(organisation, OPERATOR, "administrator made", f"account:{account}")
    return {"id": str(account), "email": email.strip().lower(), "password": password}


async def key(settings: GatewaySettings, name: str, scopes: str, days: int | None) -> dict[str, Any]:
    """A new API key of the first organisation.

    Raises:
        InvalidInput: a scope is unknown, or none is named.
    """
    expires = now() + dt.timedelta(days=days) if days else None
    async with _opened(settings) as (accounts, audit):
        organisation = await accounts.first_organisation(settings.organisation)
        made = await accounts.add_key(name, list(read_scopes(scopes)), organisation, expires)
        await audit.write(organisation, OPERATOR, "key made", f"key:{made.id}")
    return {
        "id": made.id,
        "key": made.key,
        "name": made.name,
        "scopes": made.scopes,
        "organisation_id": str(made.organisation_id),
        "expires_at": made.expires_at and made.expires_at.isoformat(),
    }
