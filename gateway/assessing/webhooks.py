"""Webhooks: addresses of hospital systems that want to be told of events."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from gateway.platform.audit import Audit
from gateway.platform.audit_actions import AuditAction
from gateway.platform.clock import now
from gateway.platform.database.idempotency import Earlier, IdempotentRequest, Repeats
from gateway.platform.identity.scopes import RESTRICTED, Principal
from gateway.platform.paging import Page, paged
from gateway.records.destinations import Destination, Destinations
from gateway.records.events import EventType
from gateway.records.outbox import Delivery, DeliveryState, Outbox
from gateway.settings import GatewaySettings
from shared.outside import is_secure_url
from shared.outside_addresses import permitted_address
from shared.problems import Conflict, InvalidInput, ServiceUnavailable

WEBHOOK = "webhook"
DEFAULT_PORT = {"https": 443, "http": 80}
SECRET_PREFIX = "whsec_"  # noqa: S105 -- so that a secret that leaked is found
# Of one organisation: each event is a delivery to each of them.
MOST_WEBHOOKS = 20


@dataclass(frozen=True)
class WebhookSettings:
    """What a webhook's deliverer needs; stored encrypted.

    Args:
        secret: signs what is sent.
        previous_secret: the one before, which signs beside it until `previous_until`.
        restricted: whether it is told of restricted patients' results, as whoever made it might read them.
    """

    url: str
    secret: str = field(repr=False)
    restricted: bool
    previous_secret: str | None = field(default=None, repr=False)
    previous_until: dt.datetime | None = None

    def secrets(self, moment: dt.datetime) -> list[str]:
        """The secrets that sign now."""
        overlap = self.previous_until is not None and moment < self.previous_until
        return [self.secret, *([self.previous_secret] if self.previous_secret and overlap else [])]

    def stored(self) -> dict[str, Any]:
        """As JSON holds it."""
        until = self.previous_until and self.previous_until.isoformat()
        return {**vars(self), "previous_until": until}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """What `stored` gave."""
        until = stored.get("previous_until")
        return cls(**{**stored, "previous_until": dt.datetime.fromisoformat(until) if until else None})


@dataclass(frozen=True)
class Webhook:
    """A webhook as administrators see it."""

    destination: Destination
    settings: WebhookSettings

    @classmethod
    def of(cls, destination: Destination) -> Self:
        """From where it is stored."""
        return cls(destination, WebhookSettings.of(destination.settings))


@dataclass(frozen=True)
class WebhookUseCases:
    """What administrators do with the webhooks of their organisation."""

    destinations: Destinations
    outbox: Outbox
    audit: Audit
    repeats: Repeats
    settings: GatewaySettings

    async def add(
        self,
        who: Principal,
        url: str,
        events: Sequence[EventType],
        description: str,
        request: IdempotentRequest | None = None,
    ) -> tuple[Webhook, bool]:
        """A new webhook; and whether the same request made it before. Its secret is shown to that request alone.

        Raises:
            InvalidInput: the address may not be called.
            Conflict: there is one of this description, there are as many as may be, or the request's key was used for
                another one.
        """

        async def again(before: Earlier) -> Webhook:
            return await self.get(UUID(before.subject), who)

        make = partial(self._add, who, url, events, description, request)
        return await self.repeats.once("webhook", who.id, request, make, again)

    async def _add(
        self,
        who: Principal,
        url: str,
        events: Sequence[EventType],
        description: str,
        request: IdempotentRequest | None,
    ) -> Webhook:
        await self._check(url)
        if len(await self.destinations.all(who.organisation_id, WEBHOOK)) >= MOST_WEBHOOKS:
            raise Conflict(f"There are {MOST_WEBHOOKS} webhooks already: remove one that nobody needs.")
        told = WebhookSettings(url, _new_secret(), RESTRICTED in who.scopes)
        return Webhook.of(await self.destinations.add(who, WEBHOOK, description, events, told.stored(), request))

    async def all(self, who: Principal) -> list[Webhook]:
        """The organisation's webhooks, oldest first."""
        await self.audit.write(who.organisation_id, who.id, AuditAction.DESTINATIONS_LISTED)
        return [Webhook.of(there) for there in await self.destinations.all(who.organisation_id, WEBHOOK)]

    async def get(self, webhook_id: UUID, who: Principal) -> Webhook:
        """One webhook.

        Raises:
            NotFound: the organisation has none under this id; so do all the others here.
        """
        return Webhook.of(await self.destinations.get(who.organisation_id, webhook_id, WEBHOOK))

    async def change(
        self,
        webhook_id: UUID,
        who: Principal,
        url: str | None,
        events: Sequence[EventType] | None,
        description: str | None,
    ) -> Webhook:
        """Another address, other events or another description; null leaves it as it is.

        Raises:
            InvalidInput: the address may not be called.
            Conflict: there is another one of this description.
        """
        there = await self.get(webhook_id, who)
        told = there.settings
        if url is not None:
            await self._check(url)
            told = WebhookSettings(**{**vars(told), "url": url})
        changed = await self.destinations.change(there.destination, who, told.stored(), description, events)
        return Webhook.of(changed)

    async def rotate(self, webhook_id: UUID, who: Principal, overlap: dt.timedelta) -> Webhook:
        """A new secret, which signs beside the old one until the overlap is over."""
        there = await self.get(webhook_id, who)
        old = there.settings
        told = WebhookSettings(old.url, _new_secret(), old.restricted, old.secret, now() + overlap)
        return Webhook.of(await self.destinations.change(there.destination, who, told.stored()))

    async def remove(self, webhook_id: UUID, who: Principal) -> None:
        """Tell it nothing more; what waits is dead."""
        await self.get(webhook_id, who)
        await self.destinations.remove(webhook_id, who)

    async def test(self, webhook_id: UUID, who: Principal) -> Delivery:
        """Send a message that tells of nothing, soon; how it went stands among the deliveries."""
        there = (await self.get(webhook_id, who)).destination
        return await self.outbox.ask(there, str(webhook_id), who)

    async def deliveries(
        self, webhook_id: UUID, who: Principal, limit: int, before: UUID | None, status: DeliveryState | None
    ) -> Page[Delivery, UUID]:
        """What was sent to it, waits, or could not be sent; newest first."""
        await self.get(webhook_id, who)
        found = await self.outbox.page(who.organisation_id, limit + 1, status, webhook_id, before)
        return paged(found, limit, lambda delivery: delivery.id)

    async def redeliver(self, webhook_id: UUID, delivery_id: UUID, who: Principal) -> Delivery:
        """Send something once more that was sent, or is dead.

        Raises:
            NotFound: it has no such delivery.
        """
        await self.get(webhook_id, who)
        return await self.outbox.send_again(delivery_id, who, webhook_id)

    async def _check(self, url: str) -> None:
        """Raise `InvalidInput` for an address that may not be called."""
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT.get(parts.scheme, 0)
            is_whole = bool(parts.hostname) and not parts.username and not parts.fragment and parts.port != 0
        except ValueError:
            is_whole = False
        if not is_whole:
            raise InvalidInput("url: a whole address without name, password or fragment.", field="url")
        if not is_secure_url(url):
            raise InvalidInput("url: an address that begins with https://.", field="url")
        try:
            await permitted_address(parts.hostname or "", port, self.settings.allowed_private_networks)
        except ServiceUnavailable as error:
            raise InvalidInput(f"url: {error.detail}", field="url") from error


def _new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(32)
