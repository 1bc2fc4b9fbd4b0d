"""`/v1/webhooks`: addresses that are told of events, each message signed."""

import datetime as dt
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.deps import Administrator, Before, Idempotent, Limit, note_repeat
from gateway.api.examples.webhooks import DELIVERY, NEW_WEBHOOK, REQUEST, WEBHOOK
from gateway.assessing.webhooks import Webhook
from gateway.context import Context
from gateway.platform.paging import Page
from gateway.platform.validators import Printable
from gateway.records.events import EVENT_TYPES, EventType
from gateway.records.outbox import Delivery, DeliveryState
from shared.problem_responses import example_response, problem_responses
from shared.problems import Conflict, InvalidInput, NotAuthenticated, NotAuthorised, NotFound

router = APIRouter(prefix="/v1/webhooks", tags=["events"], responses=problem_responses(NotAuthenticated, NotAuthorised))
Url = Annotated[Printable, Field(max_length=1000, description="https://..., not in a private network")]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=len(EVENT_TYPES))]
Description = Annotated[Printable, Field(min_length=1, max_length=100, description="What it is called here")]


class WebhookRequest(BaseModel):
    """An address, and what it wants to be told of."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": REQUEST})

    url: Url
    events: EventTypes
    description: Description


class WebhookChange(BaseModel):
    """What is to be different; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    events: EventTypes | None = None
    description: Description | None = None


class SecretRotation(BaseModel):
    """How long the old secret goes on signing beside the new one."""

    overlap_hours: int = Field(24, ge=0, le=24 * 30, description="0 ends the old secret at once")


class WebhookView(BaseModel):
    """A webhook without its secret."""

    id: UUID
    url: str
    events: list[EventType]
    description: str
    created_at: dt.datetime
    previous_secret_until: dt.datetime | None = Field(description="Until when the old secret signs too")

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookView":
        """As it travels."""
        there, told = webhook.destination, webhook.settings
        return cls(
            id=there.id,
            url=told.url,
            events=[kind for kind in EVENT_TYPES if kind in there.events],
            description=there.name,
            created_at=there.created_at,
            previous_secret_until=told.previous_until,
        )


class NewWebhookView(WebhookView):
    """A webhook with its secret, which is shown this once."""

    secret: str

    @classmethod
    def with_secret(cls, webhook: Webhook) -> "NewWebhookView":
        """As it travels this once."""
        return cls(**WebhookView.of(webhook).model_dump(), secret=webhook.settings.secret)


class WebhookListView(BaseModel):
    """The organisation's webhooks, oldest first."""

    items: list[WebhookView]


class DeliveryView(BaseModel):
    """A message to a webhook, and how it went."""

    id: UUID
    event_id: UUID
    type: str = Field(description="Of the event; `asked for` where somebody asked for a test")
    subject: str
    status: DeliveryState = Field(
        description="`dead`: given up after ten attempts, or answered with 410. `withheld`: of a restricted patient. "
        "`committing`: of archives alone"
    )
    attempts: int
    next_attempt_at: dt.datetime | None
    last_error: str | None
    created_at: dt.datetime
    ended_at: dt.datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryView":
        """As it travels."""
        return cls(
            id=delivery.id,
            event_id=delivery.event_id,
            type=delivery.event_type,
            subject=delivery.subject,
            status=delivery.state,
            attempts=delivery.attempts,
            next_attempt_at=delivery.next_at if delivery.state == "waiting" else None,
            last_error=delivery.last_error,
            created_at=delivery.created_at,
            ended_at=delivery.ended_at,
        )


class DeliveryPage(Page[DeliveryView, UUID]):
    """One page, newest first; `next` is the `before` of the next page, null on the last one."""


@router.post(
    "",
    summary="Add a webhook",
    status_code=HTTPStatus.CREATED,
    responses={
        **example_response(NEW_WEBHOOK, HTTPStatus.CREATED),
        **problem_responses(InvalidInput, Conflict),
    },
)
async def make_webhook(
    wanted: WebhookRequest, who: Administrator, ctx: Context, response: Response, once: Idempotent
) -> NewWebhookView:
    """Tell an address of events from now on. The secret that signs its messages is shown in this answer alone.

    A message is JSON: `id`, `type`, `created_at`, `subject` and `api_version`, and nothing of a patient. The header
    `Trabecula-Signature` is `t=<seconds>,v1=<hex>`, where `v1` is HMAC-SHA256 of `<seconds>.<body>` under the secret;
    after a rotation there are two. Answer with a 2xx within ten seconds; a message may come twice, in any order.
    """
    made, is_repeated = await ctx.webhooks.add(who, wanted.url, wanted.events, wanted.description, once)
    note_repeat(response, is_repeated)
    response.headers["Location"] = f"/v1/webhooks/{made.destination.id}"
    return NewWebhookView.with_secret(made)


@router.get("", summary="List webhooks", responses=example_response({"items": [WEBHOOK]}))
async def list_webhooks(who: Administrator, ctx: Context) -> WebhookListView:
    """The organisation's webhooks, oldest first."""
    return WebhookListView(items=[WebhookView.of(webhook) for webhook in await ctx.webhooks.all(who)])


@router.get(
    "/{webhook_id}",
    summary="Get a webhook",
    responses={**example_response(WEBHOOK), **problem_responses(NotFound)},
)
async def get_webhook(webhook_id: UUID, who: Administrator, ctx: Context) -> WebhookView:
    """One webhook."""
    return WebhookView.of(await ctx.webhooks.get(webhook_id, who))


@router.patch(
    "/{webhook_id}",
    summary="Change a webhook",
    responses={**example_response(WEBHOOK), **problem_responses(InvalidInput, NotFound, Conflict)},
)
async def change_webhook(webhook_id: UUID, change: WebhookChange, who: Administrator, ctx: Context) -> WebhookView:
    """Give it another address, other events or another description. Its secret stays."""
    changed = await ctx.webhooks.change(webhook_id, who, change.url, change.events, change.description)
    return WebhookView.of(changed)


@router.delete(
    "/{webhook_id}",
    summary="Remove a webhook",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(NotFound),
)
async def remove_webhook(webhook_id: UUID, who: Administrator, ctx: Context) -> None:
    """Tell it nothing more; what waits for it is given up."""
    await ctx.webhooks.remove(webhook_id, who)


@router.post(
    "/{webhook_id}/rotate",
    summary="Renew a webhook's secret",
    responses={**example_response(NEW_WEBHOOK), **problem_responses(NotFound)},
)
async def rotate_webhook(
    webhook_id: UUID, who: Administrator, ctx: Context, rotation: SecretRotation | None = None
) -> NewWebhookView:
    """Give it a new secret, shown in this answer alone. Until the overlap is over each message has both signatures."""
    overlap = dt.timedelta(hours=(rotation or SecretRotation()).overlap_hours)
    return NewWebhookView.with_secret(await ctx.webhooks.rotate(webhook_id, who, overlap))


@router.post(
    "/{webhook_id}/test",
    summary="Try a webhook",
    status_code=HTTPStatus.ACCEPTED,
    responses={**example_response(DELIVERY, HTTPStatus.ACCEPTED), **problem_responses(NotFound)},
)
async def test_webhook(webhook_id: UUID, who: Administrator, ctx: Context) -> DeliveryView:
    """Send a message of the type `webhook.test` within seconds. How it went stands among the deliveries."""
    return DeliveryView.of(await ctx.webhooks.test(webhook_id, who))


@router.get(
    "/{webhook_id}/deliveries",
    summary="List a webhook's deliveries",
    responses={**example_response({"items": [DELIVERY], "next": None}), **problem_responses(NotFound)},
)
async def list_deliveries(
    webhook_id: UUID,
    who: Administrator,
    ctx: Context,
    status: Annotated[DeliveryState | None, Query(description="Left out: all")] = None,
    limit: Limit = 20,
    before: Before = None,
) -> DeliveryPage:
    """What was sent to it, waits, or could not be sent and why; newest first."""
    page = await ctx.webhooks.deliveries(webhook_id, who, limit, before, status)
    return page.to(DeliveryPage, DeliveryView.of)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    summary="Send a delivery again",
    status_code=HTTPStatus.ACCEPTED,
    responses={**example_response(DELIVERY, HTTPStatus.ACCEPTED), **problem_responses(NotFound)},
)
async def redeliver(webhook_id: UUID, delivery_id: UUID, who: Administrator, ctx: Context) -> DeliveryView:
    """Send a message once more, whether it was taken or given up; the body is the same, and so is the event's `id`."""
    return DeliveryView.of(await ctx.webhooks.redeliver(webhook_id, delivery_id, who))
