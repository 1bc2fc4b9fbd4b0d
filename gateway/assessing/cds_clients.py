"""The operator says which record systems may ask for CDS cards."""

from collections.abc import Sequence
from typing import Any

from gateway.assessing.administration import open_database, organisation_of
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.api_key import checked_key_name
from gateway.platform.identity.public_keys import KeySet
from gateway.platform.identity.scopes import operator_of
from gateway.records.cds_clients import CdsClient, CdsClients
from gateway.settings import GatewaySettings
from shared.outside import is_secure_url
from shared.problems import InvalidInput

LONGEST = 500


async def add_cds_client(
    settings: GatewaySettings,
    name: str,
    issuer: str,
    key_set: KeySet,
    fhir_servers: Sequence[str],
    organisation: str | None = None,
) -> dict[str, Any]:
    """Let a record system of an organisation ask for cards.

    Args:
        issuer: the `iss` of its tokens, up to 500 characters.
        fhir_servers: base addresses (https) where data that it does not send along may be asked for.

    Raises:
        InvalidInput: a name, issuer or address that cannot be one.
        Conflict: there is one of this name or issuer.
    """
    checked_key_name(name, "NAME")
    if not 1 <= len(issuer) <= LONGEST or not issuer.isprintable():
        raise InvalidInput(f"--issuer: 1 to {LONGEST} printable characters.")
    for server in fhir_servers:
        if not is_secure_url(server) or len(server) > LONGEST:
            raise InvalidInput(f"--fhir-server: {server[:80]} does not begin with https://.")
    bases = tuple(server.rstrip("/") for server in fhir_servers)
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        return shown(await CdsClients(database.sessions).add(who, name, issuer, key_set, bases))


async def list_cds_clients(settings: GatewaySettings, organisation: str | None = None) -> list[dict[str, Any]]:
    """The organisation's record systems, oldest first."""
    async with open_database(settings) as database:
        owner = await organisation_of(Accounts(database.sessions), settings, organisation)
        return [shown(client) for client in await CdsClients(database.sessions).all(owner)]


async def remove_cds_client(settings: GatewaySettings, name: str, organisation: str | None = None) -> dict[str, Any]:
    """Answer a record system no more.

    Raises:
        NotFound: the organisation has none of this name.
    """
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        return shown(await CdsClients(database.sessions).remove(who, name))


def shown(client: CdsClient) -> dict[str, Any]:
    """A record system for programs and people."""
    return {
        "id": str(client.id),
        "name": client.name,
        "issuer": client.issuer,
        "keys": client.key_set.jwks_url or [key["kid"] for key in (client.key_set.jwks or {"keys": []})["keys"]],
        "fhir_servers": list(client.fhir_servers),
        "organisation_id": str(client.organisation_id),
    }
