"""Sending an event as a mail; an alarm only while it is one."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

import anyio
from pydantic import BaseModel, ConfigDict, Field

from gateway.assessing.outbox_worker import NotDelivered, Withheld
from gateway.interop.mail.message import ALARMS, mail_of
from gateway.interop.mail.server import send
from gateway.platform.identity.email import Email
from gateway.records.destinations import Destination
from gateway.records.escalations import Escalations
from gateway.records.outbox import Delivery
from gateway.settings import GatewaySettings


class MailDestination(BaseModel):
    """Somebody who is written to: whoever is on duty, say."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    to: Annotated[Email, Field(description="One address; a list of the mail server's own reaches several people")]


@dataclass(frozen=True)
class MailDeliverer:
    """Sends by the site's mail server.

    Args:
        escalations: know which emergencies nobody looks at.
    """

    escalations: Escalations
    settings: GatewaySettings

    async def deliver(self, delivery: Delivery, destination: Destination) -> None:
        """Send the mail; it is sent once the server has taken it.

        Raises:
            Withheld: it is an alarm, and somebody is looking at the emergency already.
            NotDelivered: the server did not take it.
        """
        if delivery.event_type in ALARMS and not await self._is_waiting(delivery):
            raise Withheld("somebody is looking at it already")
        to = MailDestination.model_validate(destination.settings).to
        if self.settings.smtp_from is None:
            raise NotDelivered("no mail server is set: TRABECULA_SMTP_HOST and TRABECULA_SMTP_FROM")
        message = mail_of(delivery, self.settings.smtp_from, to, self.settings.public_url)
        await anyio.to_thread.run_sync(partial(send, message, self.settings))

    async def _is_waiting(self, delivery: Delivery) -> bool:
        return await self.escalations.is_waiting(delivery.organisation_id, UUID(delivery.subject))
