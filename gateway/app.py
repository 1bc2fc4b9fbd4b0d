"""The gateway's composition root."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI

import gateway.api.accounts
import gateway.api.alerts
import gateway.api.assessments
import gateway.api.audit
import gateway.api.batches
import gateway.api.documentation
import gateway.api.health
import gateway.api.invitations
import gateway.api.keys
import gateway.api.metrics
import gateway.api.model_cards
import gateway.api.patients
import gateway.api.renderings
import gateway.api.reports
import gateway.api.sessions
import gateway.api.tokens
import gateway.pages.routes
from gateway.api.client_address import ClientAddressMiddleware
from gateway.api.deps import known_parameters_only
from gateway.api.response_headers import ResponseHeadersMiddleware
from gateway.assembly import create_context
from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.batch_worker import BatchWorker
from gateway.assessing.services import ServicesSource
from gateway.pages.sessions import BrowserSessions
from gateway.platform.audit import Audit
from gateway.platform.audit_head import HeadNotes
from gateway.platform.background import every, in_background
from gateway.platform.database.engine import Database
from gateway.platform.encryption import KeyEncryptionKey
from gateway.records.batch_queue import BatchQueue
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from shared.body_size_limit import BodySizeLimitMiddleware
from shared.body_timeout import BodyTimeoutMiddleware
from shared.logs import AccessLogMiddleware
from shared.problem_responses import install_problems
from shared.service import install_metrics

# Seconds between two looks for what is over.
RETENTION_S = 3600
# Seconds between two notes of the audit trail's head.
AUDIT_HEAD_S = 3600
# A body without an upload: a password, a measurement. More could only be meant to keep the gateway busy.
LARGEST_SMALL_BODY = 32_768
API = (
    gateway.api.tokens,
    gateway.api.accounts,
    gateway.api.sessions,
    gateway.api.invitations,
    gateway.api.keys,
    gateway.api.assessments,
    gateway.api.renderings,
    gateway.api.reports,
    gateway.api.batches,
    gateway.api.patients,
    gateway.api.alerts,
    gateway.api.audit,
    gateway.api.model_cards,
)
OTHERS = (gateway.api.health, gateway.api.documentation, gateway.pages.routes)
DESCRIPTION = """
Trabecula reads a knee or spine radiograph and a clinical record and returns one **assessment**.

Send `Authorization: Bearer <token>` (people, see `/v1/tokens`) or `X-API-Key: <key>` (hospital systems, which may
exchange the key for a token too: `grant_type=client_credentials`). What belongs to another organisation is a 404.
Every error is a problem document (RFC 9457) with a stable `type`.

Research software, not a medical device.
"""


def create_app(settings: GatewaySettings, services: ServicesSource) -> FastAPI:
    """The gateway.

    Args:
        settings: read by the caller; the database they name has been migrated.
        services: entered when the app starts, left when it stops; over the network or in this process.
    """

    signals = BatchSignals()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.sqlalchemy_url())
        try:
            async with services() as connected:
                context = app.state.context = create_context(settings, database, connected, signals)
                app.state.sessions = BrowserSessions(
                    context.authentication, settings.token_key(), settings.refresh_token_days
                )
                worker = BatchWorker(BatchQueue(database.sessions), signals, context.assessments)
                workers = [worker.run() for _ in range(settings.batch_concurrency)]
                purge = every(RETENTION_S, partial(purge_expired, database, settings.retention_days))
                kek = KeyEncryptionKey(settings.data_key())
                notes = HeadNotes(Audit(database.sessions), kek, settings.audit_head_file())
                async with in_background(purge, every(AUDIT_HEAD_S, notes.note), *workers):
                    yield
        finally:
            await database.close()

    app = FastAPI(
        title="Trabecula",
        summary="Osteoporosis from knee and spine radiographs and clinical data",
        description=DESCRIPTION,
        version=version("trabecula"),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # stable: generated clients call methods after it
    )
    app.state.on_stop = signals.stop
    install_problems(app)
    install_metrics(app, gateway.api.metrics.only_with(settings.metrics_key))
    uploads = dict.fromkeys(("/v1/assessments", "/new"), settings.max_upload_bytes)
    larger = {**uploads, "/v1/batches": settings.max_batch_bytes}
    app.add_middleware(BodySizeLimitMiddleware, max_bytes=LARGEST_SMALL_BODY, larger=larger)
    app.add_middleware(BodyTimeoutMiddleware, piece_s=settings.upload_piece_s, whole_s=settings.upload_whole_s)
    app.add_middleware(ClientAddressMiddleware)
    app.add_middleware(AccessLogMiddleware, component="gateway")
    app.add_middleware(ResponseHeadersMiddleware)
    for module in API:
        app.include_router(module.router, dependencies=[Depends(known_parameters_only)])
    for other in OTHERS:
        app.include_router(other.router)
    gateway.api.documentation.install(app)
    gateway.pages.routes.install(app)
    return app


async def purge_expired(database: Database, days: int) -> None:
    """Delete what is over, and see that it is in the files no more."""
    if await Retention(database.sessions, days).delete_expired():
        await database.scrub()
