"""The operator notes that a clinician signed the rules off, for the version that the recommender has."""

from dataclasses import asdict
from typing import Any

from gateway.assessing.administration import open_database, organisation_of
from gateway.assessing.services import ServicesSource
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import operator_of
from gateway.records.rule_sign_offs import RuleSignOffs, StoredSignOff
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput

LONGEST = 100


async def rules_version(source: ServicesSource) -> str:
    """The version of the rules that answers rest on now.

    Raises:
        ServiceUnavailable: the recommender does not answer.
    """
    async with source() as services:
        [card, *_] = await services.cards(services.recommender)
    return card.version


async def sign_rules(
    settings: GatewaySettings, source: ServicesSource, name: str, role: str, organisation: str | None
) -> dict[str, Any]:
    """Note a sign-off of the present version.

    Raises:
        InvalidInput: name or role is empty, too long or does not print.
    """
    for option, text in (("--name", name), ("--role", role)):
        if not 1 <= len(text.strip()) <= LONGEST or not text.isprintable():
            raise InvalidInput(f"{option}: 1 to {LONGEST} printable characters.")
    version = await rules_version(source)
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        return _shown(await RuleSignOffs(database.sessions).add(who, version, name.strip(), role.strip()))


async def revoke_sign_off(settings: GatewaySettings, version: str, organisation: str | None) -> dict[str, Any]:
    """Take the sign-offs of a version back.

    Raises:
        NotFound: there is none.
    """
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        await RuleSignOffs(database.sessions).revoke(who, version)
    return {"version": version, "revoked": True}


async def list_sign_offs(settings: GatewaySettings, organisation: str | None) -> list[dict[str, Any]]:
    """Every sign-off of the organisation, newest first."""
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        return [_shown(one) for one in await RuleSignOffs(database.sessions).all(who.organisation_id)]


def _shown(one: StoredSignOff) -> dict[str, Any]:
    times = {"at": one.at.isoformat(), "revoked_at": one.revoked_at and one.revoked_at.isoformat()}
    return {**asdict(one), "id": str(one.id), **times}
