"""`trabecula check`: is everything in order here? Looks at all of it and changes nothing."""

import os
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from gateway.assessing.administration import open_database
from gateway.assessing.model_use import as_in_use
from gateway.assessing.services import Services, ServicesSource, over_network
from gateway.interop.dicom.installed import EXTRA, missing_packages
from gateway.platform.database.engine import Database, newest_revision, revision
from gateway.platform.encryption import KeyEncryptionKey, installation_key
from gateway.platform.identity.oidc_provider import OidcProvider
from gateway.platform.syslog import Syslog
from gateway.records.patients import Patients
from gateway.records.rewrap import Rewrap
from gateway.settings import GatewaySettings
from shared.client import ServiceClient
from shared.components import SERVICE_NAMES
from shared.problems import TrabeculaError

# What nobody else on the machine may read.
OWNERS_ONLY = (
    "data_secret",
    "other_data_secret",
    "token_secret",
    "internal_secret",
    "metrics_token",
    "registration_code",
    "trabecula.db",
)


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at; the detail of what failed says how to mend it."""

    name: str
    ok: bool
    detail: str


async def check(settings: GatewaySettings) -> list[CheckResult]:
    """Everything an installation stands on, in the order in which it is needed."""
    missing = _missing_secret(settings)
    schema = await _schema(settings)
    results = [_state_folder(settings), schema, *([missing] if missing else [])]
    if schema.ok and missing is None:
        async with open_database(settings) as database:
            results.append(await _data_secret(settings, database))
            if results[-1].ok:
                results.append(await _patient_numbers(settings, database))
    if settings.audit_syslog is not None:
        results.append(await anyio.to_thread.run_sync(_log_server, settings.audit_syslog, settings.audit_syslog_ca))
    if settings.oidc_issuer is not None:
        results.append(await _provider(settings.oidc_issuer))
    results.append(_interop())
    results += [result async for result in _services(settings, schema.ok)]
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


async def _schema(settings: GatewaySettings) -> CheckResult:
    file = settings.sqlite_file()
    if file is not None and not file.exists():
        return CheckResult("database", False, f"{file} is not there: 'trabecula serve' makes it on the first start.")
    database = Database(settings.sqlalchemy_url(), KeyEncryptionKey(""))  # whether it answers needs none
    is_ready, kind = await database.is_ready(), database.engine.dialect.name
    await database.close()
    if not is_ready:
        return CheckResult(
            "database", False, "It does not answer: check TRABECULA_DATABASE_URL and the server behind it."
        )
    schema = revision(settings.sqlalchemy_url())
    if schema != newest_revision():
        detail = (
            f"Schema {schema or 'none'}, and this version needs {newest_revision()}: 'trabecula serve' upgrades it."
        )
        return CheckResult("database", False, detail)
    return CheckResult("database", True, f"{kind}, schema {schema}")


def _missing_secret(settings: GatewaySettings) -> CheckResult | None:
    """What keeps the database from being opened at all: a first secret is not made by looking."""
    file = settings.data_secret_kept()
    if settings.data_key_source() == str(file) and not file.exists():
        detail = (
            "The file data_secret is missing: bring it back from where you keep a copy, or stored data cannot be read."
        )
        return CheckResult("data secret", False, detail)
    try:
        settings.data_key()
    except TrabeculaError as error:
        return CheckResult("data secret", False, error.detail)
    return None


async def _data_secret(settings: GatewaySettings, database: Database) -> CheckResult:
    kek = installation_key(settings)
    try:
        await Patients(database.sessions, kek).check_secret()
        left = await Rewrap(database.sessions, kek).left()
    except TrabeculaError as error:
        return CheckResult("data secret", False, error.detail)
    if left and settings.other_data_key() is not None:
        return CheckResult("data secret", True, f"it is renewed; {left} keys are left: run trabecula rewrap")
    return CheckResult("data secret", True, "it opens what is stored")


async def _patient_numbers(settings: GatewaySettings, database: Database) -> CheckResult:
    """Whether every number leads to its patient: installations of version 0.1.0 took another's id for a number."""
    found = await Patients(database.sessions, installation_key(settings)).numbers_that_are_ids()
    if not found:
        return CheckResult("patient numbers", True, "none is another patient's id")
    patients = ", ".join(map(str, found))
    detail = (
        f"The number of {patients} is the id of another patient, so they are found by their own id alone: export them, "
        "erase them, and send their cases again under the hospital's number."
    )
    return CheckResult("patient numbers", False, detail)


async def _provider(issuer: str) -> CheckResult:
    """The hospital's sign-in provider; without it local accounts still sign in."""
    try:
        await OidcProvider(issuer).keys(None)
    except TrabeculaError as error:
        return CheckResult("sign-in provider", False, f"{error.detail} Local accounts sign in without it.")
    return CheckResult("sign-in provider", True, issuer)


async def _services(settings: GatewaySettings, schema_ok: bool) -> AsyncIterator[CheckResult]:
    try:
        async with services_source(settings)() as loaded:
            services = await as_in_use(loaded, settings) if schema_ok else loaded
            for client in services.all():
                yield await _service(services, client)
    except (TrabeculaError, OSError) as error:
        yield CheckResult("services", False, str(error))


def _log_server(url: str, ca: Path | None) -> CheckResult:
    try:
        Syslog.at(url, ca).reach()
    except TrabeculaError as error:
        return CheckResult("log server", False, error.detail)
    return CheckResult("log server", True, url)


def _interop() -> CheckResult:
    """Nothing fails without it: it is there where a site connects an archive."""
    missing = missing_packages()
    without = f"not installed; for DICOM results: pip install 'trabecula[{EXTRA}]'"
    return CheckResult("interop", True, without if missing else "installed: results go out as DICOM objects")


def _decoding() -> CheckResult:
    """Whether an image can be decoded apart, and who holds that to its limits; containers each have their own."""
    from gateway.embedded import decoder_limits

    try:
        return CheckResult("decoding", True, decoder_limits())
    except TrabeculaError as error:
        return CheckResult("decoding", False, error.detail)


def services_source(settings: GatewaySettings, only: Sequence[str] = SERVICE_NAMES) -> ServicesSource:
    """The services of an installation for a command that makes no secret by looking; in this process, only these."""
    if settings.services is not None:
        return over_network(settings.services, settings.internal_key())
    from gateway.embedded import in_process  # a gateway on its own does not carry the services

    return in_process(
        secrets.token_urlsafe(48), only
    )  # a secret for this check alone: a first one is not made by looking


async def _service(services: Services, client: ServiceClient) -> CheckResult:
    try:
        cards = await services.cards(client)
    except TrabeculaError as error:
        return CheckResult(client.name, False, error.detail)
    return CheckResult(client.name, True, ", ".join(f"{card.name} {card.version}" for card in cards))
