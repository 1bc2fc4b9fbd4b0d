"""What the routes work with, put together: the one place that knows which part needs which."""

import datetime as dt

from gateway.assessing.accounts import AccountUseCases
from gateway.assessing.admission import Admission
from gateway.assessing.api_keys import ApiKeyUseCases
from gateway.assessing.assessments import AssessmentUseCases
from gateway.assessing.audit_trail import AuditTrail
from gateway.assessing.authentication import Authentication
from gateway.assessing.batch_signals import BatchSignals
from gateway.assessing.batches import BatchUseCases
from gateway.assessing.fair_turns import FairTurns
from gateway.assessing.patients import PatientUseCases
from gateway.assessing.services import Services
from gateway.assessing.workflow import Workflow
from gateway.context import AppContext
from gateway.platform.audit import Audit
from gateway.platform.database.engine import Database
from gateway.platform.encryption import KeyEncryptionKey
from gateway.platform.identity.access_tokens import AccessTokens
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.api_keys import ApiKeys
from gateway.platform.identity.invitations import Invitations
from gateway.platform.identity.passwords import Passwords
from gateway.platform.identity.rate_limits import RateLimits
from gateway.platform.identity.refresh_tokens import RefreshTokens
from gateway.platform.identity.second_factor import SecondFactors
from gateway.platform.identity.sign_in import SignIn
from gateway.platform.identity.sign_in_delays import SignInDelays
from gateway.records.alerts import Alerts
from gateway.records.assessments import Assessments
from gateway.records.batches import Batches
from gateway.records.patient_records import PatientRecords
from gateway.records.patients import Patients
from gateway.records.renderings import Renderings
from gateway.records.stored_data import StoredData
from gateway.settings import GatewaySettings


def create_context(
    settings: GatewaySettings, database: Database, services: Services, signals: BatchSignals
) -> AppContext:
    """Everything the routes work with."""
    sessions, kek = database.sessions, KeyEncryptionKey(settings.data_key())
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
    patients, assessments = Patients(sessions, kek), Assessments(sessions, kek)
    workflow = Workflow(services, settings.max_in_flight, policy=settings.clinic_policy())
    turns = FairTurns(
        settings.max_in_flight, settings.staff_share, settings.max_in_flight_per_caller, settings.place_wait_s
    )
    admission = Admission(shared_limits, RateLimits.of_this_process(), turns, settings)
    return AppContext(
        admission=admission,
        settings=settings,
        database=database,
        services=services,
        authentication=Authentication(
            accounts, keys, access_tokens, refresh_tokens, sign_in, delays, audit, admission, settings
        ),
        accounts=AccountUseCases(
            accounts,
            Invitations(sessions),
            patients,
            passwords,
            sign_in,
            delays,
            refresh_tokens,
            second_factors,
            audit,
            settings,
        ),
        keys=ApiKeyUseCases(keys, audit),
        assessments=AssessmentUseCases(
            assessments, Renderings(sessions, kek), patients, workflow, admission, database, settings
        ),
        patients=PatientUseCases(
            PatientRecords(sessions, patients),
            assessments,
            Alerts(sessions, kek),
            StoredData(sessions),
            database,
            settings,
        ),
        batches=BatchUseCases(Batches(sessions, patients), signals),
        audit_trail=AuditTrail(audit),
    )
