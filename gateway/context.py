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
from gateway.assessing.backend_services import BackendServices
from gateway.assessing.batches import BatchUseCases
from gateway.assessing.cases import CaseUseCases
from gateway.assessing.cds import CdsUseCases
from gateway.assessing.dicom_results import DicomUseCases
from gateway.assessing.drift import DriftUseCases
from gateway.assessing.emergency_access import EmergencyAccessUseCases
from gateway.assessing.event_feed import EventFeed
from gateway.assessing.feedback import FeedbackUseCases
from gateway.assessing.films import FilmUseCases
from gateway.assessing.model_use import UseInForce
from gateway.assessing.patient_merges import PatientMergeUseCases
from gateway.assessing.patients import PatientUseCases
from gateway.assessing.recall import RecallUseCases
from gateway.assessing.results import ResultUseCases
from gateway.assessing.reviews import ReviewUseCases
from gateway.assessing.services import Services
from gateway.assessing.webhooks import WebhookUseCases
from gateway.platform.database.engine import Database
from gateway.settings import GatewaySettings


@dataclass(frozen=True)
class AppContext:
    """The use cases, and the few things that routes look at themselves."""

    settings: GatewaySettings
    database: Database
    services: Services
    use: UseInForce
    admission: Admission
    authentication: Authentication
    accounts: AccountUseCases
    keys: ApiKeyUseCases
    backend_services: BackendServices
    assessments: AssessmentUseCases
    cases: CaseUseCases
    reviews: ReviewUseCases
    feedback: FeedbackUseCases
    results: ResultUseCases
    dicom: DicomUseCases
    films: FilmUseCases
    drift: DriftUseCases
    recall: RecallUseCases
    cds: CdsUseCases
    patients: PatientUseCases
    emergency_access: EmergencyAccessUseCases
    patient_merges: PatientMergeUseCases
    batches: BatchUseCases
    audit_trail: AuditTrail
    events: EventFeed
    webhooks: WebhookUseCases


def get_context(request: Request) -> AppContext:
    """The context of the app that serves this request."""
    context: AppContext = request.app.state.context
    return context


Context = Annotated[AppContext, Depends(get_context)]
