"""Webhooks and deliveries as the API's documentation shows them."""

from pydantic.config import JsonDict

REQUEST: JsonDict = {
    "url": "https://events.hospital.example/trabecula",
    "events": ["assessment.completed", "assessment.partial", "alert.opened"],
    "description": "Order system",
}
WEBHOOK = {
    "id": "01a21a30-0a1b-7c2d-8e3f-4a5b6c7d8e9f",
    **REQUEST,
    "created_at": "2026-11-24T09:30:00Z",
    "previous_secret_until": None,
}
NEW_WEBHOOK = {**WEBHOOK, "secret": "whsec_..."}
DELIVERY = {
    "id": "01a21a31-1b2c-7d3e-8f40-5a6b7c8d9e0f",
    "event_id": "01a21a25-5b7c-7e3f-8a41-2c6d9e0f1a2b",
    "type": "assessment.completed",
    "subject": "01a21a25-423a-7b6c-93f4-bbfc4176d732",
    "status": "waiting",
    "attempts": 1,
    "next_attempt_at": "2026-11-24T09:31:02Z",
    "last_error": "it answered 503",
    "created_at": "2026-11-24T09:30:00Z",
    "ended_at": None,
}
