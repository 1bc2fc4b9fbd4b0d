"""What the gateway's routes work with, made once when it starts."""

from dataclasses import dataclass

from fastapi import Request

from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.services import Services
from gateway.assessing.workflow import Workflow
from gateway.platform.audit import Audit
from gateway.platform.database.engine import Database
from gateway.platform.identity.access_tokens import AccessTokens
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.attempts import Attempts
from gateway.platform.identity.invitations import Invitations
from gateway.platform.identity.passwords import Passwords
from gateway.platform.identity.refresh_tokens import RefreshTokens
from gateway.platform.identity.sign_in import SignIn
from gateway.records.alerts import Alerts
from gateway.records.assessments import Assessments
from gateway.records.batches import Batches
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patients
from gateway.records.renderings import KeptPictures
from gateway.settings import GatewaySettings


@dataclass(frozen=True)
class AppContext:
    """The collaborators of the routes; `rooms` is the dependency that gives them."""

    settings: GatewaySettings
    database: Database
    services: Services
    accounts: Accounts
    invitations: Invitations
    keys: ApiKeys
    passwords: Passwords
    sign_in: SignIn
    tokens: AccessTokens
    refresh_tokens: RefreshTokens
    attempts: Attempts
    assessments: Assessments
    patients: Patients
    patient_records: PatientRecords
    alerts: Alerts
    pictures: KeptPictures
    audit: Audit
    workflow: Workflow
    batches: Batches
    waiting: BatchSignals


def get_context(request: Request) -> AppContext:
    """The rooms of the app that serves this request."""
    found: AppContext = request.app.state.rooms
    return found
