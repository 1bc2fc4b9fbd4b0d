"""What stands before the routes, from the inside out."""

from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from gateway.api.below_api import BelowApiMiddleware
from gateway.api.client_address import ClientAddressMiddleware
from gateway.api.conditional import ConditionalMiddleware
from gateway.api.fhir_errors import FhirErrorsMiddleware
from gateway.api.head_requests import HeadMiddleware
from gateway.api.response_headers import ResponseHeadersMiddleware
from gateway.interop.cds.services import BY_ID as CDS_SERVICES
from gateway.settings import GatewaySettings
from shared.body_size_limit import BodySizeLimitMiddleware
from shared.body_timeout import BodyTimeoutMiddleware
from shared.logs import AccessLogMiddleware

# A body without an upload: a password, a measurement. More could only be meant to keep the gateway busy.
LARGEST_SMALL_BODY = 32_768
# An image travels within the JSON here, as base64: parsing more in one go would hold up everybody else.
LARGEST_FHIR_BODY = 30_000_000
# What a record system sends along for one patient.
LARGEST_CDS_BODY = 5_000_000
# Smaller answers do not get smaller; pictures and reports are compressed already.
SMALLEST_COMPRESSED = 1500
NOT_COMPRESSED = ("text/event-stream", "image/*", "application/pdf", "application/dicom")
CORS_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
CORS_SENT = (
    "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-API-Key", "X-Request-Id", "traceparent",
)  # fmt: skip
CORS_SHOWN = (
    "ETag", "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id",
    "traceparent",
)  # fmt: skip
CORS_KEPT_S = 600


def install_middlewares(app: FastAPI, settings: GatewaySettings) -> None:
    """Put them before an app; the last one is the outermost."""
    uploads = dict.fromkeys(("/v1/assessments", "/new"), settings.max_upload_bytes)
    uploads |= dict.fromkeys(("/fhir/$map", "/fhir/$assess"), min(settings.max_upload_bytes, LARGEST_FHIR_BODY))
    uploads |= {f"/cds-services/{service}": LARGEST_CDS_BODY for service in CDS_SERVICES}
    larger = {**uploads, **dict.fromkeys(("/v1/batches", "/batches", "/dicom-web/studies"), settings.max_batch_bytes)}
    app.add_middleware(BodySizeLimitMiddleware, max_bytes=LARGEST_SMALL_BODY, larger=larger)
    app.add_middleware(BodyTimeoutMiddleware, piece_s=settings.upload_piece_s, whole_s=settings.upload_whole_s)
    app.add_middleware(FhirErrorsMiddleware)
    for wrap in (ConditionalMiddleware, gzipped, HeadMiddleware):
        app.add_middleware(BelowApiMiddleware, wrap=wrap)
    app.add_middleware(ClientAddressMiddleware)
    app.add_middleware(AccessLogMiddleware, component="gateway")
    app.add_middleware(ResponseHeadersMiddleware)
    if settings.cors_origins:
        app.add_middleware(BelowApiMiddleware, wrap=partial(cross_origin, settings.cors_origins))


def gzipped(app: ASGIApp) -> ASGIApp:
    """Compresses what is worth it. Not pages: their form tokens could be guessed from the length (BREACH)."""
    return GZipMiddleware(app, SMALLEST_COMPRESSED, exclude_content_types=NOT_COMPRESSED)


def cross_origin(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Lets web applications of these origins call the API with a token or a key; cookies are never read there."""
    return CORSMiddleware(app, origins, CORS_METHODS, CORS_SENT, expose_headers=CORS_SHOWN, max_age=CORS_KEPT_S)
