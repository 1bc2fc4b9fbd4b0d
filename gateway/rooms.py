"""What the gateway's routes work with, made once when it starts."""

from dataclasses import dataclass

from fastapi import Request

from gateway.accounts.attempts import Attempts
from gateway.accounts.passwords import Passwords
from gateway.accounts.repository import Accounts
from gateway.accounts.tokens import AccessTokens
from gateway.assessments.repository import Assessments
from gateway.assessments.workflow import Workflow
from gateway.audit.repository import Audit
from gateway.database.engine import Database
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
    passwords: Passwords
    tokens: AccessTokens
    attempts: Attempts
    assessments: Assessments
    patients: Patients
    pictures: KeptPictures
    audit: Audit
    workflow: Workflow


def rooms(request: Request) -> Rooms:
    """The rooms of the app that serves this request."""
    found: Rooms = request.app.state.rooms
    return found
