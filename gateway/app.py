"""The gateway's composition root."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

import gateway.accounts.invitations.routes
import gateway.accounts.keys.routes
import gateway.accounts.routes
import gateway.accounts.tokens.routes
import gateway.assessments.routes
import gateway.audit.routes
import gateway.batches.routes
import gateway.documentation
import gateway.health
import gateway.models
import gateway.patients.alerts.routes
import gateway.patients.routes
import gateway.pictures.routes
import gateway.reports.routes
import gateway.web.routes
from gateway.accounts.attempts import Attempts
from gateway.accounts.invitations.repository import Invitations
from gateway.accounts.keys.repository import Keys
from gateway.accounts.passwords import Passwords
from gateway.accounts.repository import Accounts
from gateway.accounts.sign_in import SignIn
from gateway.accounts.tokens.access import AccessTokens
from gateway.accounts.tokens.repository import RefreshTokens
from gateway.assessments.repository import Assessments
from gateway.assessments.workflow import Workflow
from gateway.audit.origin import Origin
from gateway.audit.repository import Audit
from gateway.background import every, in_background
from gateway.batches.repository import Batches
from gateway.batches.waiting import Waiting
from gateway.batches.work import work_on_batches
from gateway.database.encryption import MasterKey
from gateway.database.engine import Database
from gateway.patients.alerts.repository import Alerts
from gateway.patients.history.repository import History
from gateway.patients.repository import Patients
from gateway.pictures.repository import KeptPictures
from gateway.rooms import Rooms
from gateway.services import Services, ServicesSource
from gateway.settings import GatewaySettings
from gateway.web.visits import Visits
from shared.logs import RequestLog
from shared.problem_responses import install_problems
from shared.service import install_metrics
from shared.upload_limit import UploadLimit
from shared.upload_stall import UploadStall

# Seconds between two looks for pictures whose days are over.
PICTURE_PURGE_S = 3600
ROOMS_WITH_ROUTES = (
    gateway.health,
    gateway.accounts.tokens.routes,
    gateway.accounts.routes,
    gateway.accounts.invitations.routes,
    gateway.accounts.keys.routes,
    gateway.assessments.routes,
    gateway.pictures.routes,
    gateway.reports.routes,
    gateway.batches.routes,
    gateway.patients.routes,
    gateway.patients.alerts.routes,
    gateway.audit.routes,
    gateway.models,
    gateway.documentation,
    gateway.web.routes,
)
DESCRIPTION = """
Trabecula reads a knee or spine radiograph and a clinical record and returns one **assessment**.

Send `Authorization: Bearer <token>` (people, see `/v1/tokens`) or `X-API-Key: <key>` (hospital systems, which may
exchange the key for a token too: `grant_type=client_credentials`). What another organisation has is answered with 404.
Every error is a problem document (RFC 9457) with a stable `type`.

Research software, not a medical device.
"""


def create_app(settings: GatewaySettings, services: ServicesSource) -> FastAPI:
    """The gateway.

    Args:
        settings: read by the caller; the database they name has been migrated.
        services: entered when the app starts, left when it stops; over the network or in this process.
    """

    waiting = Waiting()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.sqlalchemy_url())
        try:
            async with services() as connected:
                house = app.state.rooms = furnish(settings, database, connected, waiting)
                app.state.visits = Visits(settings.token_key(), settings.refresh_token_days)
                workers = [work_on_batches(house) for _ in range(settings.batch_concurrency)]
                async with in_background(every(PICTURE_PURGE_S, house.pictures.delete_expired), *workers):
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
    app.state.on_stop = waiting.stop
    install_problems(app)
    install_metrics(app)
    larger = {"/v1/batches": settings.max_batch_bytes}
    app.add_middleware(UploadLimit, max_bytes=settings.max_upload_bytes, larger=larger)
    app.add_middleware(UploadStall, piece_s=settings.upload_piece_s, whole_s=settings.upload_whole_s)
    app.add_middleware(Origin)
    app.add_middleware(RequestLog, component="gateway")
    for room in ROOMS_WITH_ROUTES:
        app.include_router(room.router)
    gateway.documentation.install(app)
    gateway.web.routes.install(app)
    return app


def furnish(settings: GatewaySettings, database: Database, services: Services, waiting: Waiting) -> Rooms:
    """Everything the routes work with."""
    accounts, passwords, audit = Accounts(database.sessions), Passwords(), Audit(database.sessions)
    lockout = dt.timedelta(minutes=settings.lockout_minutes)
    master = MasterKey(settings.data_key())
    patients = Patients(database.sessions, master)
    return Rooms(
        settings=settings,
        database=database,
        services=services,
        accounts=accounts,
        invitations=Invitations(database.sessions),
        keys=Keys(database.sessions),
        passwords=passwords,
        sign_in=SignIn(accounts, passwords, audit, settings.lockout_failures, lockout),
        tokens=AccessTokens(settings.token_key(), dt.timedelta(minutes=settings.access_token_minutes)),
        refresh_tokens=RefreshTokens(database.sessions, dt.timedelta(days=settings.refresh_token_days)),
        attempts=Attempts(settings.logins_per_minute),
        assessments=Assessments(database.sessions, master),
        patients=patients,
        history=History(database.sessions, patients),
        alerts=Alerts(database.sessions, master),
        pictures=KeptPictures(database.sessions, master),
        audit=audit,
        workflow=Workflow(services, settings.max_in_flight, policy=settings.clinic_policy()),
        batches=Batches(database.sessions, patients),
        waiting=waiting,
    )
