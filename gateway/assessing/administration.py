"""What the operator does on the installation's own machine: prepare the state folder, make accounts and keys."""

import datetime as dt
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

from gateway.platform.audit import Audit
from gateway.platform.audit_head import HeadNotes
from gateway.platform.clock import now
from gateway.platform.database.engine import (
    Database,
    DatabaseUnavailable,
    SchemaBehind,
    database_of,
    keep_to_owner,
    migrate,
    require_schema,
)
from gateway.platform.database.roles import OwnsTables
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.api_key import ApiKey, NewApiKey, checked_key_name
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.client_key_sets import ClientKeySets
from gateway.platform.identity.email import checked_email
from gateway.platform.identity.passwords import Passwords, new_password
from gateway.platform.identity.public_keys import KeySet
from gateway.platform.identity.scopes import OPERATOR, operator_of, read_scopes
from gateway.platform.identity.second_factor import SecondFactors
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput, NotFound
from shared.service import CannotStart

FIRST_ADMINISTRATOR = "admin@localhost"


def prepare(settings: GatewaySettings) -> None:
    """Make the state folder and bring the database to the newest schema, or see that a job of its own has done so.

    Raises:
        CannotStart: the folder cannot be written, or the database cannot be reached or awaits its migration.
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
    file = settings.sqlite_file()
    try:
        if file is not None:
            keep_to_owner(file)
        if settings.migrate:
            migrate(settings.sqlalchemy_url(), installation_key(settings), settings.gateway_role)
        else:
            require_schema(settings.sqlalchemy_url())
    except DatabaseUnavailable as error:
        raise CannotStart(f"The database cannot be opened ({error.detail}): check TRABECULA_DATABASE_URL.") from error
    except OwnsTables as error:
        raise CannotStart(
            f"TRABECULA_GATEWAY_ROLE: the role {error} migrates the database or may do anything in it: name one of its "
            "own, or leave the setting out."
        ) from error
    except SchemaBehind as error:
        raise CannotStart(error.detail) from error


@asynccontextmanager
async def open_database(settings: GatewaySettings) -> AsyncIterator[Database]:
    """The installation's database while some work is done."""
    database = database_of(settings)
    try:
        yield database
    finally:
        await database.close()


async def create_first_administrator(settings: GatewaySettings) -> dict[str, Any] | None:
    """The first administrator with the password, made if there is none; null where there is one."""
    async with open_database(settings) as database:
        if await Accounts(database.sessions).any_administrator():
            return None
    given = settings.first_admin_password
    password = given.get_secret_value() if given else None
    return await create_administrator(settings, FIRST_ADMINISTRATOR, password, must_change_password=given is None)


async def create_administrator(
    settings: GatewaySettings,
    email: str,
    password: str | None,
    organisation: str | None = None,
    must_change_password: bool = False,
) -> dict[str, Any]:
    """A new administrator of the first organisation, or of the one named, which is made if there is none.

    Raises:
        InvalidInput: no e-mail address, or a password that is too short or easily guessed.
        Conflict: the address has an account.
    """
    email = checked_email(email)
    passwords, password_given = Passwords(), password is not None
    password = password or new_password()
    hashed = await (passwords.new_hash(password, email) if password_given else passwords.hash(password))
    async with open_database(settings) as database:
        accounts = Accounts(database.sessions)
        owner = await organisation_of(accounts, settings, organisation)
        account = await accounts.add_account(
            email, hashed, "administrator", owner, by=OPERATOR, must_change_password=must_change_password
        )
    return {"id": str(account), "email": email, "password": password, "organisation_id": str(owner)}


async def reset_password(settings: GatewaySettings, email: str) -> dict[str, Any]:
    """A new random password for an account whose person forgot it, to be changed in the browser; its sessions end.

    An account of the hospital's sign-in provider is a local one from then on.

    Raises:
        NotFound: there is no such account, or it is disabled.
    """
    async with open_database(settings) as database:
        accounts = Accounts(database.sessions)
        account = await accounts.by_email(email, with_password=False)
        if account is None:
            raise NotFound(f"There is no account of {email} that is not disabled.")
        password = new_password()
        await accounts.set_password(account.id, await Passwords().hash(password), OPERATOR, must_change=True)
    return {"id": str(account.id), "email": account.email, "password": password}


async def reset_second_factor(settings: GatewaySettings, email: str) -> dict[str, Any]:
    """Take the second factor from an account whose person lost it; its sessions end, and it sets up another.

    Raises:
        NotFound: there is no such account, or it is disabled.
    """
    async with open_database(settings) as database:
        account = await Accounts(database.sessions).by_email(email)
        if account is None:
            raise NotFound(f"There is no account of {email} that is not disabled.")
        await SecondFactors(database.sessions, installation_key(settings)).reset(account.id, OPERATOR)
    return {"id": str(account.id), "email": account.email}


async def create_api_key(
    settings: GatewaySettings,
    name: str,
    scopes: str,
    days: int | None,
    organisation: str | None = None,
    key_set: KeySet | None = None,
    is_test: bool = False,
) -> dict[str, Any]:
    """A new API key of the first organisation, or of the one named, which is made if there is none.

    Args:
        key_set: the system's own public keys, with which it signs; it then has no secret, and `key` is null.

    Raises:
        InvalidInput: a scope is unknown or none is named, or the name is empty, too long or does not print.
    """
    checked_key_name(name, "--name")
    expires = now() + dt.timedelta(days=days) if days else None
    async with open_database(settings) as database:
        owner = await organisation_of(Accounts(database.sessions), settings, organisation)
        who, wanted = operator_of(owner), list[str](read_scopes(scopes))
        new = await ApiKeys(database.sessions).add(name, wanted, who, expires, is_test=is_test)
        if key_set is not None:
            await ClientKeySets(database.sessions).put(new.of.id, who, key_set)
    return _new_key(new) if key_set is None else {**_new_key(new), "key": None}


async def rotate_api_key(settings: GatewaySettings, identity: str, overlap_hours: int) -> dict[str, Any]:
    """A new secret for a key; the old one goes on working for some hours.

    Raises:
        NotFound: no such key, or it was revoked.
    """
    async with open_database(settings) as database:
        keys, overlap = ApiKeys(database.sessions), dt.timedelta(hours=overlap_hours)
        operator = operator_of(await keys.organisation_of(key_id(identity)))
        return _new_key(await keys.rotate(key_id(identity), operator, overlap))


async def revoke_api_key(settings: GatewaySettings, identity: str) -> dict[str, Any]:
    """Revoke a key at once, with all that was made with it.

    Raises:
        NotFound: no such key.
    """
    async with open_database(settings) as database:
        keys = ApiKeys(database.sessions)
        await keys.revoke(key_id(identity), operator_of(await keys.organisation_of(key_id(identity))))
    return {"id": key_id(identity), "revoked": True}


async def list_api_keys(settings: GatewaySettings) -> list[dict[str, Any]]:
    """The keys of every organisation, newest first, without their secrets."""
    async with open_database(settings) as database:
        keys = await ApiKeys(database.sessions).all(None)
    return [
        {
            "id": key.id,
            "name": key.name,
            "scopes": key.scopes,
            "organisation_id": str(key.organisation_id),
            "status": _state(key),
            "test": key.is_test,
            "parent": key.parent,
            "expires_at": key.expires_at and key.expires_at.isoformat(),
            "last_used_at": key.last_used_at and key.last_used_at.isoformat(),
        }
        for key in keys
    ]


async def verify_audit_trail(settings: GatewaySettings, noted_head: str | None) -> dict[str, Any]:
    """What a check of the audit trail's whole chain found, against a head given here, and the one the gateway noted."""
    async with open_database(settings) as database:
        audit = Audit(database.sessions)
        chain = await audit.verify(noted_head)
        own = HeadNotes(audit, installation_key(settings), settings.audit_head_file()).noted()
        if chain.fault is None and own is not None:
            chain = await audit.verify(own.hash)
    return {"ok": chain.fault is None, "noted_length": own and own.length, **asdict(chain)}


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now() else "valid"


def key_id(text: str) -> str:
    """The id in what an operator pasted: the id itself, or a whole key.

    Raises:
        InvalidInput: it is neither.
    """
    identity = text.split("_")[1] if text.count("_") >= 2 else text
    if not identity or not set(identity) <= set("0123456789abcdef"):
        raise InvalidInput(
            f"'{text[:8]}...' is no key's id: give the 16 characters between the underscores of the key."
        )
    return identity


async def organisation_of(accounts: Accounts, settings: GatewaySettings, name: str | None) -> UUID:
    """The organisation of this name, made if there is none; the first one where no name is given."""
    first = await accounts.first_organisation(settings.organisation)
    return await accounts.get_or_create_organisation(name) if name else first


def _new_key(new: NewApiKey) -> dict[str, Any]:
    return {
        "id": new.of.id,
        "key": new.key,
        "name": new.of.name,
        "scopes": new.of.scopes,
        "organisation_id": str(new.of.organisation_id),
        "expires_at": new.of.expires_at and new.of.expires_at.isoformat(),
        "previous_valid_until": new.of.previous_valid_until and new.of.previous_valid_until.isoformat(),
    }
