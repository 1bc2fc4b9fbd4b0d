"""`trabecula check`: is everything in order here? Looks at all of it and changes nothing."""

import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio

from gateway.assessing.administration import open_database
from gateway.assessing.services import Services, ServicesSource, over_network
from gateway.platform.database.engine import Database, newest_revision, revision
from gateway.platform.encryption import KeyEncryptionKey
from gateway.records.patients import Patients
from gateway.settings import GatewaySettings
from shared.client import ServiceClient
from shared.problems import TrabeculaError

# What nobody else on the machine may read.
OWNERS_ONLY = ("data_secret", "token_secret", "internal_secret", "metrics_token", "registration_code", "trabecula.db")


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at; the detail of what failed says how to mend it."""

    name: str
    ok: bool
    detail: str


async def check(settings: GatewaySettings) -> list[CheckResult]:
    """Everything an installation stands on, in the order in which it is needed."""
    results = [_state_folder(settings)]
    async with open_database(settings) as database:
        schema = await _schema(settings, database)
        results += [schema, await _data_secret(settings, database)] if schema.ok else [schema]
    results += [result async for result in _services(settings)]
    return results if settings.services else [*results, await anyio.to_thread.run_sync(_decoding)]


def _state_folder(settings: GatewaySettings) -> CheckResult:
    folder = settings.state_dir.resolve()
    if not folder.is_dir():
        return CheckResult(
            "state folder", False, f"{folder} is not there: 'trabecula serve' makes it on the first start."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        return CheckResult("state folder", False, f"{folder} cannot be written: give this user the right to it.")
    loose = [name for name in OWNERS_ONLY if _others_read(settings, name)]
    if loose:
        return CheckResult("state folder", False, f"Others can read {', '.join(loose)} in {folder}: chmod 600 them.")
    return CheckResult("state folder", True, str(folder))


def _others_read(settings: GatewaySettings, name: str) -> bool:
    file = settings.state_dir / name
    return os.name == "posix" and file.exists() and bool(file.stat().st_mode & 0o077)


async def _schema(settings: GatewaySettings, database: Database) -> CheckResult:
    file = settings.sqlite_file()
    if file is not None and not file.exists():
        return CheckResult("database", False, f"{file} is not there: 'trabecula serve' makes it on the first start.")
    if not await database.is_ready():
        return CheckResult(
            "database", False, "It does not answer: check TRABECULA_DATABASE_URL and the server behind it."
        )
    schema = revision(settings.sqlalchemy_url())
    if schema != newest_revision():
        detail = (
            f"Schema {schema or 'none'}, and this version needs {newest_revision()}: 'trabecula serve' upgrades it."
        )
        return CheckResult("database", False, detail)
    return CheckResult("database", True, f"{database.engine.dialect.name}, schema {schema}")


async def _data_secret(settings: GatewaySettings, database: Database) -> CheckResult:
    if settings.data_secret is None and not (settings.state_dir / "data_secret").exists():
        detail = (
            "The file data_secret is missing: bring it back from where you keep a copy, or stored data cannot be read."
        )
        return CheckResult("data secret", False, detail)
    try:
        opens = await Patients(database.sessions, KeyEncryptionKey(settings.data_key())).check_secret()
    except TrabeculaError as error:
        return CheckResult("data secret", False, error.detail)
    return CheckResult(
        "data secret", True, "it opens what is stored" if opens else "nothing is stored yet that it opens"
    )


async def _services(settings: GatewaySettings) -> AsyncIterator[CheckResult]:
    try:
        async with _source(settings)() as services:
            for client in services.all():
                yield await _service(services, client)
    except (TrabeculaError, OSError) as error:
        yield CheckResult("services", False, str(error))


def _decoding() -> CheckResult:
    """Whether an image can be decoded apart, and who holds that to its limits; containers each have their own."""
    from gateway.embedded import decoder_limits

    try:
        return CheckResult("decoding", True, decoder_limits())
    except TrabeculaError as error:
        return CheckResult("decoding", False, error.detail)


def _source(settings: GatewaySettings) -> ServicesSource:
    if settings.services is not None:
        return over_network(settings.services, settings.internal_key())
    from gateway.embedded import in_process  # a gateway on its own does not carry the services

    return in_process(secrets.token_urlsafe(48))  # a secret for this check alone: a first one is not made by looking


async def _service(services: Services, client: ServiceClient) -> CheckResult:
    try:
        cards = await services.cards(client)
    except TrabeculaError as error:
        return CheckResult(client.name, False, error.detail)
    return CheckResult(client.name, True, ", ".join(f"{card.name} {card.version}" for card in cards))
