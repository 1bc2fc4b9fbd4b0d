"""What the API and the pages work with, made once when the gateway starts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from gateway.assessing.accounts import AccountUseCases
from gateway.assessing.admission import Admission
from gateway.assessing.api_keys import ApiKeyUseCases
from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.audit_trail import AuditTrail
from gateway.assessing.authentication import Authentication
from gateway.assessing.batches import BatchUseCases
from gateway.assessing.patients import PatientUseCases
from gateway.assessing.services import Services
from gateway.platform.database.engine import Database
from gateway.settings import GatewaySettings


@dataclass(frozen=True)
class AppContext:
    """The use cases, and the few things that routes look at themselves."""

    settings: GatewaySettings
    database: Database
    services: Services
    admission: Admission
    authentication: Authentication
    accounts: AccountUseCases
    keys: ApiKeyUseCases
    assessments: AssessmentUseCases
    patients: PatientUseCases
    batches: BatchUseCases
    audit_trail: AuditTrail


def get_context(request: Request) -> AppContext:
    """The context of the app that serves this request."""
    context: AppContext = request.app.state.context
    return context


Context = Annotated[AppContext, Depends(get_context)]
