"""Sending an event to a webhook: signed, within ten seconds, and for certain."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.assessing.outbox_worker import NotDelivered, Withheld
from gateway.assessing.webhooks import Webhook
from gateway.interop.webhooks.message import SIGNATURE, message_of, signature_of
from gateway.platform.clock import now
from gateway.platform.identity.scopes import RESTRICTED, Principal, destination_actor
from gateway.records.destinations import Destination
from gateway.records.events import Events
from gateway.records.outbox import Delivery
from shared.guarded_post import Taken, post
from shared.problems import ServiceUnavailable

WITHIN_S = 10.0
# A receiver that asks for more is asked again all the same.
LONGEST_WAIT_S = 86_400.0
# The receiver says that there is nobody any more.
GONE = 410


@dataclass(frozen=True)
class WebhookDeliverer:
    """Sends to webhooks.

    Args:
        events: know whose records are closed.
        networks: private networks that the site lets webhooks call.
        version: of the gateway, as it names itself.
    """

    events: Events
    networks: Sequence[str]
    version: str

    async def deliver(self, delivery: Delivery, destination: Destination) -> None:
        """Send the message; it is taken once the receiver answers with a 2xx.

        Raises:
            Withheld: it is of a restricted patient, and not for this receiver.
            NotDelivered: the receiver did not take it.
        """
        webhook = Webhook.of(destination)
        # That nobody looks at an emergency is told of restricted patients, too: the message says no more than that.
        is_alarm = delivery.event_type == "alert.unacknowledged"
        if not is_alarm and await self.events.is_closed(_reader(webhook), delivery.subject):
            raise Withheld("the patient's record is restricted")
        answer = await self._send(delivery, webhook)
        if answer.status // 100 != 2:
            wait_s = answer.retry_after_s and min(answer.retry_after_s, LONGEST_WAIT_S)
            raise NotDelivered(f"it answered {answer.status}", for_good=answer.status == GONE, retry_after_s=wait_s)

    async def _send(self, delivery: Delivery, webhook: Webhook) -> Taken:
        body, secrets = message_of(delivery), webhook.settings.secrets(now())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Trabecula/{self.version}",
            SIGNATURE: signature_of(secrets, body, int(time.time())),
        }
        try:
            return await post(webhook.settings.url, body, headers, networks=self.networks, within_s=WITHIN_S)
        except ServiceUnavailable as error:
            raise NotDelivered(error.detail) from error


def _reader(webhook: Webhook) -> Principal:
    """Whoever hears of it, as those who may read are named."""
    scopes = {"assessments:read", *([RESTRICTED] if webhook.settings.restricted else [])}
    there = webhook.destination
    return Principal(destination_actor(there.id), there.organisation_id, frozenset(scopes), "system")
