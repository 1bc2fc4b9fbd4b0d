"""What the gateway's routes work with, made once when it starts."""

from dataclasses import dataclass

from fastapi import Request

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
from gateway.audit.repository import Audit
from gateway.batches.repository import Batches
from gateway.batches.waiting import Waiting
from gateway.database.engine import Database
from gateway.patients.alerts.repository import Alerts
from gateway.patients.history.repository import History
from gateway.patients.repository import Patients
from gateway.pictures.repository import KeptPictures
from gateway.services import Services
from gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Rooms:
    """The collaborators of the routes; `rooms` is the dependency that gives them."""

    settings: GatewaySettings
    database: Database
    services: Services
    accounts: Accounts
    invitations: Invitations
    keys: Keys
    passwords: Passwords
    sign_in: SignIn
    tokens: AccessTokens
    refresh_tokens: RefreshTokens
    attempts: Attempts
    assessments: Assessments
    patients: Patients
    history: History
    alerts: Alerts
    pictures: KeptPictures
    audit: Audit
    workflow: Workflow
    batches: Batches
    waiting: Waiting


def rooms(request: Request) -> Rooms:
    """The rooms of the app that serves this request."""
    found: Rooms = request.app.state.rooms
    return found
