"""The operator puts a version of a network into the shadow, lets it serve, and takes it back."""

from gateway.assessing.administration import open_database
from gateway.assessing.services import Services, ServicesSource
from gateway.records.model_use import SIDE_BY_SIDE, ModelUse, ModelUses, Signer
from gateway.settings import GatewaySettings
from shared.problems import Conflict


async def changes_of(settings: GatewaySettings) -> dict[str, list[ModelUse]]:
    """Everything that was so, newest first, by service."""
    async with open_database(settings) as database:
        uses = ModelUses(database.sessions)
        return {service: await uses.changes(service) for service in SIDE_BY_SIDE}


async def put_into_shadow(
    settings: GatewaySettings, source: ServicesSource, service: str, version: str, share: float, by: Signer
) -> ModelUse:
    """Let a version read a share of the cases, once the service has verified and loaded it; a share of 0 ends that.

    Args:
        source: has the service.

    Raises:
        Conflict: it serves, or none is there to be ended.
        ServiceUnavailable: there is no such package that may be loaded; the detail says why.
    """
    async with open_database(settings) as database:
        uses = ModelUses(database.sessions)
        if share == 0:
            return await uses.set_shadow(service, None, None, by)
        async with source() as services:
            serving = (await uses.all())[service].serving or await _shipped(services, service)
            if version == serving:
                raise Conflict(f"{service} {version} serves: nothing can be told of it by its own shadow.")
            await services.card_of(service, version)
        return await uses.set_shadow(service, version, share, by)


async def shadowed(settings: GatewaySettings, service: str, version: str | None = None) -> ModelUse:
    """How it stands with a service that has a version in the shadow.

    Raises:
        Conflict: it has none, or another than the one that is named.
    """
    async with open_database(settings) as database:
        use = (await ModelUses(database.sessions).all())[service]
    if use.shadow is None or version not in (None, use.shadow):
        wanted = f"{service} {version} is not in the shadow" if version else f"No version of {service} is in the shadow"
        raise Conflict(f"{wanted}: 'trabecula model shadow' puts one there.")
    return use


async def promote(
    settings: GatewaySettings, source: ServicesSource, service: str, version: str, by: Signer
) -> ModelUse:
    """Let the version in the shadow serve.

    Args:
        source: has the service.

    Raises:
        Conflict: it is not the one in the shadow.
    """
    async with open_database(settings) as database, source() as services:
        shipped = version == await _shipped(services, service)
        return await ModelUses(database.sessions).promote(service, version, shipped, by)


async def back(settings: GatewaySettings, source: ServicesSource, service: str, by: Signer) -> ModelUse:
    """Let the version serve again that served before, once the service has verified and loaded it.

    Args:
        source: has the service.

    Raises:
        Conflict: none was promoted.
        ServiceUnavailable: its package is not there any more, or may not be loaded; the detail says why.
    """
    async with open_database(settings) as database:
        uses = ModelUses(database.sessions)
        if (version := await uses.before(service)) is not None:
            async with source() as services:
                await services.card_of(service, version)
        return await uses.back(service, by)


async def _shipped(services: Services, service: str) -> str:
    """The version of the service's settings."""
    return (await services.cards(services.clients[service]))[0].version
