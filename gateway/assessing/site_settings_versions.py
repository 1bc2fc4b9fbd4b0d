"""The operator keeps versions of a site's own settings, puts one in use, and takes it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.assessing.administration import open_database, organisation_of
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import Principal, operator_of
from gateway.records.site_settings import SettingsChange, SiteSettingsStore
from gateway.settings import GatewaySettings
from shared.contracts.site_settings import SiteSettings
from shared.problems import InvalidInput

LONGEST = 100


@dataclass(frozen=True)
class SiteSettingsState:
    """Every version, newest first, what was in use when, and what is now."""

    versions: list[SiteSettings]
    changes: list[SettingsChange]

    @property
    def active(self) -> str | None:
        return self.changes[0].version if self.changes else None


async def store_settings(settings: GatewaySettings, made: SiteSettings, organisation: str | None) -> None:
    """Store a version; nothing is done by it yet.

    Raises:
        Conflict: there is one of this name.
    """
    async with _store(settings, organisation) as (store, who):
        await store.add(who, made)


async def settings_of(settings: GatewaySettings, version: str, organisation: str | None) -> SiteSettings:
    """One version.

    Raises:
        NotFound: there is none.
    """
    async with _store(settings, organisation) as (store, who):
        return await store.get(who.organisation_id, version)


async def settings_state(settings: GatewaySettings, organisation: str | None) -> SiteSettingsState:
    """Every version, and what was in use when."""
    async with _store(settings, organisation) as (store, who):
        return await state_of(store, who)


async def state_of(store: SiteSettingsStore, who: Principal) -> SiteSettingsState:
    """The same of the caller's organisation."""
    return SiteSettingsState(await store.all(who.organisation_id), await store.changes(who.organisation_id))


async def activate(
    settings: GatewaySettings, version: str, name: str, role: str, organisation: str | None
) -> SettingsChange:
    """Put a version in use, in the name of the clinician who stands by it.

    Raises:
        InvalidInput: name or role is empty, too long or does not print.
        NotFound: there is no such version.
        Conflict: it is in use.
    """
    for option, text in (("--name", name), ("--role", role)):
        if not 1 <= len(text.strip()) <= LONGEST or not text.isprintable():
            raise InvalidInput(f"{option}: 1 to {LONGEST} printable characters.")
    async with _store(settings, organisation) as (store, who):
        return await store.activate(who, version, name.strip(), role.strip())


async def back(settings: GatewaySettings, organisation: str | None) -> SettingsChange:
    """Put in use what was so before the present version, or nothing.

    Raises:
        Conflict: none is in use.
    """
    async with _store(settings, organisation) as (store, who):
        return await store.back(who)


@asynccontextmanager
async def _store(
    settings: GatewaySettings, organisation: str | None
) -> AsyncIterator[tuple[SiteSettingsStore, Principal]]:
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        yield SiteSettingsStore(database.sessions), who
