"""The headers that every answer has, whoever made it: nothing of a patient, and no new secret, stays in a cache.

And how much of its limit the caller has left (draft-ietf-httpapi-ratelimit-headers).
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.platform.rate_notes import collect_rate_notes

# Below these paths every answer is for its caller alone.
PRIVATE = ("/v1/", "/fhir/", "/cds-services/")
# What a browser that is led to an answer in JSON may do with it: show the text.
NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"


class ResponseHeadersMiddleware:
    """Sets `nosniff` on all answers, `no-store` on those of the APIs, and a policy that lets nothing run on JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        notes = collect_rate_notes()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                if scope["path"].startswith(PRIVATE):
                    headers["Cache-Control"] = "no-store"
                if notes:
                    headers["RateLimit-Policy"] = ", ".join(f'"{n.name}";q={n.quota};w={n.window_s}' for n in notes)
                    headers["RateLimit"] = ", ".join(f'"{n.name}";r={n.remaining};t={n.reset_s}' for n in notes)
                if headers.get("Content-Type", "").endswith("json"):
                    headers.setdefault("Content-Security-Policy", NOTHING_RUNS)
            await send(message)

        await self.app(scope, receive, send_with_headers)
