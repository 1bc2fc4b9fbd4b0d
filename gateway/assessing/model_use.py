"""Which version of each network answers: by the installation's decision, or by the settings where nobody decided."""

import time
from collections.abc import Mapping

from gateway.assessing.administration import open_database, prepare
from gateway.assessing.services import Services
from gateway.records.model_use import ModelUse, ModelUses
from gateway.settings import GatewaySettings

# Seconds after which a gateway looks again: so long after a promotion another gateway may answer as before.
FRESH_S = 1.0


class UseInForce:
    """What a running gateway goes by, read again after a second.

    Args:
        uses: of the installation.
    """

    def __init__(self, uses: ModelUses) -> None:
        self._uses, self._read_at = uses, -FRESH_S
        self.last: Mapping[str, ModelUse] = {}

    async def serving(self) -> Mapping[str, str]:
        """The promoted version by service.

        Raises:
            ServiceUnavailable: the database does not answer, so nobody knows.
        """
        if time.monotonic() - self._read_at >= FRESH_S:
            self.last = await self._uses.all()
            self._read_at = time.monotonic()
        return serving_of(self.last)


def serving_of(uses: Mapping[str, ModelUse]) -> dict[str, str]:
    """The promoted versions."""
    return {name: use.serving for name, use in uses.items() if use.serving is not None}


async def versions_in_use(settings: GatewaySettings) -> dict[str, str]:
    """The promoted versions, for a command; none where there is no database yet, and none is made."""
    file = settings.sqlite_file()
    if file is not None and not file.exists():
        return {}
    prepare(settings)
    async with open_database(settings) as database:
        return serving_of(await ModelUses(database.sessions).all())


async def as_in_use(services: Services, settings: GatewaySettings) -> Services:
    """The services, which answer a command as they answer the installation."""
    return answering_as(services, await versions_in_use(settings))


def answering_as(services: Services, versions: Mapping[str, str]) -> Services:
    """The services, which answer as these versions."""

    async def these() -> Mapping[str, str]:
        return versions

    return services.with_versions(these)
