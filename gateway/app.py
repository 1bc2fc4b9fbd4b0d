"""The gateway's composition root."""

import datetime as dt
import math
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from prometheus_client import Gauge

import gateway.api.accounts
import gateway.api.alerts
import gateway.api.assessments
import gateway.api.audit
import gateway.api.batches
import gateway.api.cds
import gateway.api.dicom
import gateway.api.dicom_web
import gateway.api.documentation
import gateway.api.drift
import gateway.api.emergency_accesses
import gateway.api.events
import gateway.api.feedback
import gateway.api.fhir
import gateway.api.fhir_bundles
import gateway.api.fhir_operations
import gateway.api.health
import gateway.api.invitations
import gateway.api.key_sets
import gateway.api.keys
import gateway.api.metrics
import gateway.api.model_cards
import gateway.api.patient_merges
import gateway.api.patients
import gateway.api.problems
import gateway.api.provider_sign_out
import gateway.api.recall
import gateway.api.renderings
import gateway.api.reports
import gateway.api.reviews
import gateway.api.routing
import gateway.api.sentences
import gateway.api.sessions
import gateway.api.smart
import gateway.api.tokens
import gateway.api.webhooks
import gateway.pages.routes
from gateway.api.deps import known_parameters_only
from gateway.api.middlewares import install_middlewares
from gateway.assembly import create_context
from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.batch_worker import BatchWorker
from gateway.assessing.drift import DriftMetrics
from gateway.assessing.drift_test import WINDOWS
from gateway.assessing.emergency_access import BEGUN
from gateway.assessing.escalation import MAIL, Escalating
from gateway.assessing.film_figures import FIGURES, film_figures
from gateway.assessing.film_worker import FilmWorker
from gateway.assessing.model_cards import note_versions
from gateway.assessing.outbox_metrics import OutboxMetrics
from gateway.assessing.outbox_worker import OutboxWorker
from gateway.assessing.provider_sign_in import ProviderSignIn
from gateway.assessing.results import HL7
from gateway.assessing.services import ServicesSource
from gateway.assessing.shadow import CASES
from gateway.assessing.webhooks import WEBHOOK
from gateway.context import AppContext
from gateway.interop.dicom.deliver import deliverers
from gateway.interop.hl7.deliver import Hl7Deliverer
from gateway.interop.mail.deliver import MailDeliverer
from gateway.interop.webhooks.deliver import WebhookDeliverer
from gateway.pages.sessions import BrowserSessions
from gateway.platform.audit import Audit
from gateway.platform.audit_head import HeadNotes
from gateway.platform.audit_stream import AuditStream
from gateway.platform.background import every, in_background
from gateway.platform.clock import today, use_zone
from gateway.platform.database.engine import Database, database_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity.oidc_accounts import ProviderAccounts
from gateway.platform.syslog import Syslog
from gateway.records.batch_queue import BatchQueue
from gateway.records.escalations import Escalations
from gateway.records.model_versions import ModelVersions
from gateway.records.observations import Observations
from gateway.records.retention import Retention
from gateway.settings import GatewaySettings
from shared.encrypted_spool import encrypt_spooled_uploads
from shared.problem_responses import install_problems
from shared.service import install_metrics

# Seconds between two looks for what is over.
RETENTION_S = 3600
# Seconds between two notes of the audit trail's head.
AUDIT_HEAD_S = 3600
# Between two looks for lines of the trail that the site's log server does not have.
AUDIT_STREAM_S = 2
# And between two looks whether the hospital's sign-in provider answers.
PROVIDER_S = 60
# Deliveries sent at the same time: a destination that is slow to answer holds up one of them.
OUTBOX_WORKERS = 2
# Seconds between two looks at the outbox for Prometheus, and at the versions of the models.
METRICS_S, MODELS_S = 15, 60
# Seconds between two counts of the films that wait.
FILM_FIGURES_S = 5
DRIFT_S = 300
# Between two looks for emergencies that nobody looks at.
ESCALATION_S = 10
API = (
    gateway.api.tokens,
    gateway.api.accounts,
    gateway.api.sessions,
    gateway.api.invitations,
    gateway.api.keys,
    gateway.api.key_sets,
    gateway.api.assessments,
    gateway.api.reviews,
    gateway.api.feedback,
    gateway.api.recall,
    gateway.api.drift,
    gateway.api.renderings,
    gateway.api.sentences,
    gateway.api.reports,
    gateway.api.fhir_bundles,
    gateway.api.dicom,
    gateway.api.dicom_web,
    gateway.api.routing,
    gateway.api.batches,
    gateway.api.patient_merges,
    gateway.api.patients,
    gateway.api.emergency_accesses,
    gateway.api.alerts,
    gateway.api.events,
    gateway.api.webhooks,
    gateway.api.audit,
    gateway.api.model_cards,
    gateway.api.problems,
    gateway.api.provider_sign_out,
)
# These refuse unknown parameters in FHIR's own way. Operations come first: reading takes any name.
FHIR = (gateway.api.smart, gateway.api.fhir_operations, gateway.api.fhir)
OTHERS = (*FHIR, gateway.api.cds, gateway.api.health, gateway.api.documentation, gateway.pages.routes)
DESCRIPTION = """
Trabecula reads a knee or spine radiograph and a clinical record and returns one **assessment**.

Send `Authorization: Bearer <token>` (people, see `/v1/tokens`) or `X-API-Key: <key>` (hospital systems, which may
exchange the key for a token too: `grant_type=client_credentials`). What belongs to another organisation is a 404.
Every error is a problem document (RFC 9457) with a stable `type`; below `/fhir` it is an OperationOutcome.

Research software, not a medical device.
"""


def create_app(settings: GatewaySettings, services: ServicesSource) -> FastAPI:
    """The gateway.

    Args:
        settings: read by the caller; the database they name has been migrated.
        services: entered when the app starts, left when it stops; over the network or in this process.
    """
    encrypt_spooled_uploads()
    use_zone(settings.zone())
    signals = BatchSignals()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database, durable = database_of(settings), database_of(settings, durable=True)
        try:
            async with services() as connected:
                context = app.state.context = create_context(settings, database, durable, connected, signals)
                app.state.sessions = BrowserSessions(
                    context.authentication, settings.token_key(), settings.refresh_token_days
                )
                queue = BatchQueue(database.sessions, context.assessments.patients)
                worker = BatchWorker(queue, signals, context.assessments)
                workers = [worker.run() for _ in range(settings.batch_concurrency)]
                workers += outbox_work(context, metrics, escalating)
                films = FilmWorker(context.films.queue, context.assessments)
                workers += [films.run() for _ in range(settings.batch_concurrency)]
                workers.append(context.assessments.shadows.run())
                workers.append(every(DRIFT_S, partial(drift.look, context.drift)))
                workers.append(every(FILM_FIGURES_S, partial(film_figures, context.films.queue)))
                provider = context.authentication.provider
                async with in_background(*upkeep(settings, database, waiting, provider), *workers):
                    yield
        finally:
            await database.close()
            await durable.close()

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
    registry = install_metrics(app, gateway.api.metrics.only_with(settings.metrics_key))
    registry.register(BEGUN)
    registry.register(CASES)
    metrics = OutboxMetrics()
    metrics.register(registry)
    escalating = Escalating(dt.timedelta(minutes=settings.escalate_after_minutes))
    escalating.register(registry)
    drift = DriftMetrics()
    drift.register(registry)
    for figure in FIGURES:
        registry.register(figure)
    waiting = Gauge(
        "trabecula_audit_lines_waiting", "Lines of the audit trail that the log server lacks", registry=registry
    )
    install_middlewares(app, settings)
    for module in API:
        app.include_router(module.router, dependencies=[Depends(known_parameters_only)])
    for other in OTHERS:
        strict = [Depends(known_parameters_only)] if other is gateway.api.health else []
        app.include_router(other.router, dependencies=strict)
    app.include_router(gateway.api.problems.pages)
    gateway.api.documentation.install(app, settings.public_url)
    gateway.pages.routes.install(app)
    return app


def outbox_work(context: AppContext, metrics: OutboxMetrics, escalating: Escalating) -> list[Coroutine[Any, Any, None]]:
    """What sends to others beside the requests, shows how that stands, and sees what changed by itself."""
    outbox, destinations = context.dicom.outbox, context.dicom.destinations
    networks = context.settings.allowed_private_networks
    webhooks = WebhookDeliverer(context.events.events, networks, version("trabecula"))
    messages = Hl7Deliverer(context.results, context.assessments, outbox, version("trabecula"))
    escalations = Escalations(context.database.sessions)
    mails = MailDeliverer(escalations, context.settings)
    kinds = {**deliverers(context.dicom, outbox), WEBHOOK: webhooks, HL7: messages, MAIL: mails}
    worker = OutboxWorker(outbox, destinations, kinds)
    versions = ModelVersions(context.database.sessions)
    return [
        *(worker.run() for _ in range(OUTBOX_WORKERS)),
        every(METRICS_S, partial(metrics.look, outbox)),
        every(ESCALATION_S, partial(escalating.look, escalations)),
        every(MODELS_S, partial(note_versions, context.services, versions)),
    ]


def upkeep(
    settings: GatewaySettings, database: Database, waiting: Gauge, provider: ProviderSignIn | None
) -> Iterator[Coroutine[Any, Any, None]]:
    """What a gateway does beside the requests: deletes what is over, finds leavers, tells others of the audit trail."""
    log_server = Syslog.at(settings.audit_syslog, settings.audit_syslog_ca) if settings.audit_syslog else None
    audit, kek = Audit(database.sessions), installation_key(settings)
    yield every(RETENTION_S, partial(purge_expired, database, settings))
    yield every(AUDIT_HEAD_S, HeadNotes(audit, kek, settings.audit_head_file(), log_server).note)
    if log_server is not None:
        yield every(AUDIT_STREAM_S, AuditStream(database.sessions, log_server, waiting).send)
    unconfirmed = dt.timedelta(days=settings.oidc_unconfirmed_days)
    yield every(RETENTION_S, partial(ProviderAccounts(database.sessions, kek).disable_unconfirmed, unconfirmed))
    if provider is not None:
        yield every(PROVIDER_S, provider.client.provider.look)


async def purge_expired(database: Database, settings: GatewaySettings) -> None:
    """Delete what is over, and see that it is in the files no more."""
    retention = Retention(database.sessions, settings.retention_days, settings.validation_days)
    oldest = today() - dt.timedelta(days=settings.validation_days)
    observed = await Observations(database.sessions).delete_before(oldest, math.lcm(*WINDOWS))
    if await retention.delete_expired() or observed:
        await database.scrub()
