"""What the routes work with, put together: the one place that knows which part needs which."""

import datetime as dt

from gateway.assessing.accounts import AccountUseCases
from gateway.assessing.admission import Admission
from gateway.assessing.api_keys import ApiKeyUseCases
from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.audit_trail import AuditTrail
from gateway.assessing.authentication import Authentication
from gateway.assessing.backend_services import BackendServices
from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.batches import BatchUseCases
from gateway.assessing.cases import CaseUseCases
from gateway.assessing.cds import CdsUseCases
from gateway.assessing.dicom_results import DicomUseCases
from gateway.assessing.drift import DriftUseCases
from gateway.assessing.emergency_access import EmergencyAccessUseCases
from gateway.assessing.event_feed import EventFeed
from gateway.assessing.fair_turns import FairTurns
from gateway.assessing.feedback import FeedbackUseCases
from gateway.assessing.films import FilmUseCases
from gateway.assessing.measured import MeasuredFigures
from gateway.assessing.model_use import UseInForce
from gateway.assessing.patient_merges import PatientMergeUseCases
from gateway.assessing.patients import PatientUseCases
from gateway.assessing.provider_sign_in import ProviderSignIn
from gateway.assessing.recall import RecallUseCases
from gateway.assessing.results import ResultUseCases
from gateway.assessing.reviews import ReviewUseCases
from gateway.assessing.services import Services
from gateway.assessing.shadow import Shadows
from gateway.assessing.webhooks import WebhookUseCases
from gateway.assessing.workflow import Workflow
from gateway.context import AppContext
from gateway.platform.audit import Audit
from gateway.platform.database.engine import Database
from gateway.platform.database.idempotency import Repeats
from gateway.platform.encryption import installation_key
from gateway.platform.identity.access_tokens import AccessTokens
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.client_key_sets import ClientKeySets
from gateway.platform.identity.invitations import Invitations
from gateway.platform.identity.oidc_accounts import ProviderAccounts
from gateway.platform.identity.oidc_client import OidcClient
from gateway.platform.identity.oidc_provider import OidcProvider
from gateway.platform.identity.oidc_requests import SignInRequests
from gateway.platform.identity.passwords import Passwords
from gateway.platform.identity.published_keys import PublishedKeys
from gateway.platform.identity.rate_limits import RateLimits
from gateway.platform.identity.refresh_tokens import RefreshTokens
from gateway.platform.identity.second_factor import SecondFactors
from gateway.platform.identity.sign_in import SignIn
from gateway.platform.identity.sign_in_delays import SignInDelays
from gateway.platform.identity.used_tokens import UsedTokens
from gateway.records.alerts import Alerts
from gateway.records.assessments import Assessments
from gateway.records.batches import Batches
from gateway.records.cds_clients import CdsClients
from gateway.records.destinations import Destinations
from gateway.records.dicom_objects import SentObjects
from gateway.records.emergency_accesses import EmergencyAccesses
from gateway.records.events import Events
from gateway.records.feedback import FeedbackStore
from gateway.records.film_queue import FilmQueue
from gateway.records.films import Films
from gateway.records.late_orders import LateOrders
from gateway.records.model_use import ModelUses
from gateway.records.observations import Observations
from gateway.records.orders import Orders
from gateway.records.outbox import Outbox
from gateway.records.patient_merges import PatientMerges
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patients
from gateway.records.recall import Recall
from gateway.records.renderings import Renderings
from gateway.records.reviews import Reviews
from gateway.records.rule_sign_offs import RuleSignOffs
from gateway.records.shadow_answers import ShadowAnswers
from gateway.records.site_settings import SiteSettingsStore
from gateway.records.stored_data import StoredData
from gateway.records.work_list import WorkList
from gateway.settings import GatewaySettings


def create_context(
    settings: GatewaySettings, database: Database, durable: Database, services: Services, signals: BatchSignals
) -> AppContext:
    """Everything the routes work with.

    Args:
        durable: the same database, with commits that last whatever happens: what others rely on is stored by it.
    """
    sessions, kek = database.sessions, installation_key(settings)
    asks_second_factor = settings.second_factor == "staff"
    accounts, keys, passwords = Accounts(sessions, asks_second_factor), ApiKeys(sessions), Passwords()
    audit, second_factors, shared_limits = Audit(sessions), SecondFactors(sessions, kek), RateLimits.shared(database)
    delays = SignInDelays(
        sessions,
        shared_limits,
        settings.logins_per_minute,
        settings.logins_per_address_per_minute,
        settings.lockout_failures,
        dt.timedelta(minutes=settings.lockout_minutes),
    )
    sign_in = SignIn(accounts, passwords, audit, delays, second_factors, asks_second_factor)
    access_tokens = AccessTokens(settings.token_key(), dt.timedelta(minutes=settings.access_token_minutes))
    refresh_tokens = RefreshTokens(sessions)
    published, used_tokens = PublishedKeys(settings.allowed_private_networks), UsedTokens(sessions)
    patients, assessments, reviews = Patients(sessions, kek), Assessments(sessions, kek), Reviews(sessions, kek)
    records, emergency_accesses = PatientRecords(sessions, patients), EmergencyAccesses(sessions, kek)
    merges, feedback = PatientMerges(sessions, patients), FeedbackStore(sessions, kek)
    use, shadow_answers = UseInForce(ModelUses(sessions)), ShadowAnswers(sessions, kek)
    services = services.with_versions(use.serving)
    workflow = Workflow(services, settings.max_in_flight, policy=settings.clinic_policy())
    turns = FairTurns(
        settings.max_in_flight, settings.staff_share, settings.max_in_flight_per_caller, settings.place_wait_s
    )
    repeats, observations = Repeats(sessions), Observations(sessions)
    destinations, outbox, orders = Destinations(sessions, patients), Outbox(sessions), Orders(sessions, patients)
    admission = Admission(shared_limits, RateLimits.of_this_process(), turns, settings)
    client, provider = _oidc_client(settings), None
    if client is not None:
        requests, provider_accounts = SignInRequests(sessions), ProviderAccounts(sessions, kek)
        provider = ProviderSignIn(client, requests, provider_accounts, accounts, delays, shared_limits, audit, settings)
    assessing = AssessmentUseCases(
        assessments,
        Renderings(sessions, kek),
        RuleSignOffs(sessions),
        SiteSettingsStore(sessions),
        observations,
        patients,
        orders,
        LateOrders(sessions, kek, orders),
        workflow,
        admission,
        database,
        settings,
        MeasuredFigures(services),
        Shadows(use, services, workflow, shadow_answers),
    )
    return AppContext(
        admission=admission,
        settings=settings,
        database=database,
        services=services,
        use=use,
        authentication=Authentication(
            accounts, keys, access_tokens, refresh_tokens, sign_in, delays, audit, admission, settings, provider
        ),
        accounts=AccountUseCases(
            accounts,
            Invitations(sessions),
            patients,
            records,
            passwords,
            sign_in,
            delays,
            refresh_tokens,
            second_factors,
            audit,
            repeats,
            settings,
        ),
        keys=ApiKeyUseCases(keys, audit, repeats),
        backend_services=BackendServices(
            keys, ClientKeySets(sessions), published, used_tokens, access_tokens, delays, audit
        ),
        assessments=assessing,
        cases=CaseUseCases(WorkList(sessions, kek), assessments, accounts),
        reviews=ReviewUseCases(reviews),
        feedback=FeedbackUseCases(feedback),
        drift=DriftUseCases(observations),
        recall=RecallUseCases(Recall(sessions, kek)),
        dicom=DicomUseCases(assessing, accounts, destinations, outbox, SentObjects(sessions), reviews, repeats),
        films=FilmUseCases(Films(durable.sessions, patients), FilmQueue(sessions, patients), outbox, audit, orders),
        cds=CdsUseCases(CdsClients(sessions), published, used_tokens, accounts, assessing, admission, audit),
        results=ResultUseCases(assessments, patients, settings),
        patients=PatientUseCases(
            records,
            assessments,
            Alerts(sessions, kek),
            StoredData(sessions, patients),
            feedback,
            shadow_answers,
            emergency_accesses,
            merges,
            repeats,
            database,
            settings,
        ),
        emergency_access=EmergencyAccessUseCases(records, emergency_accesses, shared_limits, audit, repeats, settings),
        patient_merges=PatientMergeUseCases(merges, records, assessments, audit),
        batches=BatchUseCases(Batches(sessions, patients), signals),
        audit_trail=AuditTrail(audit),
        events=EventFeed(Events(sessions)),
        webhooks=WebhookUseCases(destinations, outbox, audit, repeats, settings),
    )


def _oidc_client(settings: GatewaySettings) -> OidcClient | None:
    """This installation as the hospital's provider knows it; null where there is none. Asks it nothing yet."""
    secret = settings.oidc_client_secret
    if settings.oidc_issuer is None or settings.oidc_client_id is None or secret is None or settings.public_url is None:
        return None
    return OidcClient(
        OidcProvider(settings.oidc_issuer),
        settings.oidc_client_id,
        secret.get_secret_value(),
        settings.public_url,
        settings.oidc_scopes,
        settings.oidc_groups_claim,
    )
