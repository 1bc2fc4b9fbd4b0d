"""The tables. Times are UTC; documents are the contracts as JSON."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from gateway.platform.database.ids import uuid7

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A time with its zone; SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone has no place in the database")
        return value and value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Table(DeclarativeBase):
    """What every table has in common."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {dt.datetime: UtcDateTime, dict[str, Any]: JSON(none_as_null=True), list[str]: JSON}


class OrganisationRow(Table):
    """A clinic or hospital; every account, key and assessment belongs to one.

    `data_key`, wrapped by the key-encryption key and made when first needed, is for what belongs to no patient.
    """

    __tablename__ = "organisations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    created_at: Mapped[dt.datetime]
    data_key: Mapped[bytes | None] = mapped_column(LargeBinary(128))


class AccountRow(Table):
    """A person who signs in; `totp_secret`, wrapped by the key-encryption key, is of the second factor.

    `totp_step` is the last of its time steps that was used: a code works once. `issuer` and `subject` name the person
    at the hospital's provider, who then has no password here; `confirmed_at` is when the provider last stood by them.
    Until `link_until` the provider's person of the same e-mail address may take the account over.
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[dt.datetime]
    disabled_at: Mapped[dt.datetime | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary(128))
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    issuer: Mapped[str | None] = mapped_column(String(255))
    subject: Mapped[str | None] = mapped_column(String(255))
    confirmed_at: Mapped[dt.datetime | None]
    link_until: Mapped[dt.datetime | None]


class InvitationRow(Table):
    """A place for a member of staff, or for the patient it names; the hash of the token that takes it, once."""

    __tablename__ = "invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(20))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class RecoveryCodeRow(Table):
    """A code that stands in once for a second factor, by its hash."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)


class SignInRow(Table):
    """A person's session: until it is not used for `idle_s` seconds, until `ends_at`, or until it is revoked.

    `provider_session` is the session at the hospital's provider that it came of, and `provider_token`, wrapped by the
    key-encryption key, asks the provider whether it may go on; it did so last at `provider_checked_at`.
    """

    __tablename__ = "sign_ins"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    started_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)
    idle_s: Mapped[int]
    address: Mapped[str | None] = mapped_column(String(45))
    revoked_at: Mapped[dt.datetime | None]
    provider_session: Mapped[str | None] = mapped_column(String(255), index=True)
    provider_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    provider_checked_at: Mapped[dt.datetime | None]


class ProviderRequestRow(Table):
    """A sign-in by the hospital's provider that was begun in some browser and may be finished there, once."""

    __tablename__ = "provider_requests"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    onward: Mapped[str] = mapped_column(String(500))
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class SignInDelayRow(Table):
    """How a network address did with an account, under a hash of both: it is known, or waits after wrong passwords."""

    __tablename__ = "sign_in_delays"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    is_known: Mapped[bool]
    wait_until: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class RefreshTokenRow(Table):
    """A refresh token, by its hash. Those that replaced one another are of one session, their family."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    family: Mapped[UUID] = mapped_column(index=True)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class RateCountRow(Table):
    """How often something was done within a window of time; `key` is a hash of what and by whom."""

    __tablename__ = "rate_counts"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class ApiKeyRow(Table):
    """A hospital system's key, by the hash of its secret; after a rotation the one before is good for a while.

    `parent` is the actor who was shown the secret, whom the key hangs on; `previous_parent` was shown the one before.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    scopes: Mapped[list[str]]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    previous_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    previous_valid_until: Mapped[dt.datetime | None]
    parent: Mapped[str | None] = mapped_column(String(100), index=True)
    previous_parent: Mapped[str | None] = mapped_column(String(100))
    is_test: Mapped[bool] = mapped_column(default=False)


class ClientKeySetRow(Table):
    """The public keys with which a hospital system signs what it sends in place of a secret.

    They are here as it gave them (`jwks`, RFC 7517), or at an address where it publishes them (`jwks_url`).
    """

    __tablename__ = "client_key_sets"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    jwks: Mapped[dict[str, Any] | None]
    jwks_url: Mapped[str | None] = mapped_column(String(500))


class UsedTokenRow(Table):
    """A signed token that is good once and was used; `key` is a hash of what it was for, its issuer and its id."""

    __tablename__ = "used_tokens"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class CdsClientRow(Table):
    """A system, such as a record system, that asks for CDS cards: who it says it is, and the keys it signs with.

    `fhir_servers` are the base addresses at which missing data may be asked for with the token that it sends along.
    """

    __tablename__ = "cds_clients"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    issuer: Mapped[str] = mapped_column(String(500), unique=True)
    jwks: Mapped[dict[str, Any] | None]
    jwks_url: Mapped[str | None] = mapped_column(String(500))
    fhir_servers: Mapped[list[str]]
    created_at: Mapped[dt.datetime]


class PatientRow(Table):
    """A patient of one organisation. Erasure empties `patient_number`, `account_id` and `data_key`; the id stays.

    `patient_number` is the hospital's own opaque identifier; `data_key` is wrapped by the key-encryption key. `seal`
    holds all but the moments together: a row that somebody else wrote, or moved, opens nothing. The record of a patient
    with `restricted_at` is opened by emergency access alone. What was stored under a number that turned out to be
    another patient's second one lies with that patient, `merged_into`, who is never merged into anybody.
    """

    __tablename__ = "patients"
    __table_args__ = (
        UniqueConstraint("organisation_id", "patient_number"),
        Index("ix_patients_organisation_id_id", "organisation_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    patient_number: Mapped[str | None] = mapped_column(String(64))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), unique=True)
    data_key: Mapped[bytes | None] = mapped_column(LargeBinary(128))
    seal: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created_at: Mapped[dt.datetime]
    erased_at: Mapped[dt.datetime | None]
    restricted_at: Mapped[dt.datetime | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"), index=True)


class PatientMergeRow(Table):
    """Two numbers are said to be one patient's; a person merges them or refuses, and can undo it.

    `note` is encrypted with the organisation's key; erasure of the patient empties it. `moved` names the rows that
    changed their patient, as `table:id`, and `repointed` the patients who had been merged into the retired one before.
    """

    __tablename__ = "patient_merges"
    __table_args__ = (Index("ix_patient_merges_organisation_id_status_id", "organisation_id", "status", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    surviving_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    retired_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    status: Mapped[str] = mapped_column(String(10))
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    proposed_at: Mapped[dt.datetime]
    proposed_by: Mapped[str] = mapped_column(String(100))
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(100))
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(100))
    moved: Mapped[list[str]]
    repointed: Mapped[list[str]]


class EmergencyAccessRow(Table):
    """A restricted patient's record, opened by one person until `ends_at`, and what somebody else said to it later.

    `content` has both people's words, encrypted with the patient's key. Erasure empties it; that it happened stays.
    """

    __tablename__ = "emergency_accesses"
    __table_args__ = (
        Index("ix_emergency_accesses_opened_by_ends_at", "opened_by", "ends_at"),
        Index("ix_emergency_accesses_organisation_id_reviewed_at_id", "organisation_id", "reviewed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    opened_by: Mapped[str] = mapped_column(String(100))
    opened_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    reason: Mapped[str] = mapped_column(String(30))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    reviewed_at: Mapped[dt.datetime | None]
    reviewed_by: Mapped[str | None] = mapped_column(String(100))


class AssessmentRow(Table):
    """One assessment as it was answered, with the record it was made from.

    `content` is encrypted with the key of the patient, or with the organisation's where no patient was named. Erasure
    deletes the row. What a test key made belongs to no patient, and is seen by test keys alone.

    `urgency` (0 none to 4 emergency), `category`, `is_unclear` and `has_medicines` repeat in the clear what the work
    list is filtered and ordered by; `case_status` says how far staff are: `new`, `seen` or `closed`. `rank` is the
    list's order: the urgency, and below every urgency what is closed or withdrawn. `accession_hash`, made with the
    organisation's key, is where an order finds the films that it was for.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        Index("ix_assessments_organisation_id_patient_id", "organisation_id", "patient_id", "id"),
        Index("ix_assessments_patient_id_id", "patient_id", "id"),
        Index("ix_assessments_organisation_id_id", "organisation_id", "id"),
        Index("ix_assessments_organisation_id_rank_id", "organisation_id", "rank", "id"),
        Index("ix_assessments_organisation_id_urgency", "organisation_id", "case_status", "urgency", "id"),
        Index("ix_assessments_organisation_id_accession_hash", "organisation_id", "accession_hash"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(10))
    is_test: Mapped[bool] = mapped_column(default=False)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"))
    accession_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    released_at: Mapped[dt.datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(100))
    urgency: Mapped[int] = mapped_column(default=0, server_default="0")
    category: Mapped[str | None] = mapped_column(String(10))
    is_unclear: Mapped[bool] = mapped_column(default=False, server_default=false())
    has_medicines: Mapped[bool] = mapped_column(default=False, server_default=false())
    case_status: Mapped[str] = mapped_column(String(6), default="new", server_default="new")
    case_status_at: Mapped[dt.datetime | None]
    case_status_by: Mapped[str | None] = mapped_column(String(100))
    rank: Mapped[int] = mapped_column(default=0, server_default="0")
    reviews: Mapped[list["AssessmentReviewRow"]] = relationship(
        lazy="selectin", order_by="AssessmentReviewRow.id", passive_deletes=True
    )


class AssessmentReviewRow(Table):
    """A clinician signed, amended or withdrew an assessment: why, and what is right instead, encrypted with its key."""

    __tablename__ = "assessment_reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"), index=True)
    action: Mapped[str] = mapped_column(String(10))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime]
    by: Mapped[str] = mapped_column(String(100))


class ObservationRow(Table):
    """What one case looked like in coarse bins, on which day; neither whose it was nor which assessment."""

    __tablename__ = "observations"
    __table_args__ = (Index("ix_observations_organisation_id_id", "organisation_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    day: Mapped[dt.date]
    content: Mapped[dict[str, Any]]


class DriftReferenceRow(Table):
    """How often the first cases had each value of each feature; later cases come after `until_id`."""

    __tablename__ = "drift_references"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    counts: Mapped[dict[str, Any]]
    cases: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    until_id: Mapped[int] = mapped_column(BigInteger)


class SiteSettingsRow(Table):
    """A version of a site's own settings, as its contract in JSON: figures and thresholds, nothing of a patient."""

    __tablename__ = "site_settings"
    __table_args__ = (UniqueConstraint("organisation_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    version: Mapped[str] = mapped_column(String(50))
    content: Mapped[dict[str, Any]]


class SiteSettingsChangeRow(Table):
    """A version of the site's settings was put in use, or none, and what was in use before it."""

    __tablename__ = "site_settings_changes"
    __table_args__ = (Index("ix_site_settings_changes_organisation_id_id", "organisation_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    version: Mapped[str | None] = mapped_column(String(50))
    previous: Mapped[str | None] = mapped_column(String(50))
    name: Mapped[str | None] = mapped_column(String(100))
    role: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[dt.datetime]


class AssessmentFeedbackRow(Table):
    """What somebody knew better of an assessment, encrypted with its key; kept apart from the record and the review."""

    __tablename__ = "assessment_feedback"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime]
    by: Mapped[str] = mapped_column(String(100))


class ModelChangeRow(Table):
    """What reads films since when, of one service: the version that serves, and the one in its shadow.

    A null `serving` is the version of the service's settings. The newest row of a service is how it stands.
    """

    __tablename__ = "model_changes"
    __table_args__ = (Index("ix_model_changes_service_id", "service", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(20))
    serving: Mapped[str | None] = mapped_column(String(64))
    previous: Mapped[str | None] = mapped_column(String(64))
    shadow: Mapped[str | None] = mapped_column(String(64))
    share: Mapped[float | None]
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[dt.datetime]


class ShadowAnswerRow(Table):
    """What a version in the shadow answered to a case, encrypted with the assessment's key; nobody is shown it."""

    __tablename__ = "shadow_answers"
    __table_args__ = (UniqueConstraint("assessment_id", "service", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"))
    service: Mapped[str] = mapped_column(String(20))
    version: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime]


class RenderingRow(Table):
    """A preview or heat map of an assessment, encrypted with the same key, until it expires."""

    __tablename__ = "renderings"

    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class BatchRow(Table):
    """Many cases handed in as one job."""

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_organisation_id_id", "organisation_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    cancelled_at: Mapped[dt.datetime | None]


class BatchCaseRow(Table):
    """One case of a batch. Its record and image are encrypted with the owner's key, and deleted when it has ended.

    The sender's name for it, and what was wrong with it, are encrypted with the organisation's.

    Who works on it holds a lease; one that ran out, because the process ended, lets another take the case.
    `services_ended` counts how often a service ended while it had the image.
    """

    __tablename__ = "batch_cases"
    __table_args__ = (
        Index("ix_batch_cases_state_batch_id_position", "state", "batch_id", "position"),
        UniqueConstraint("batch_id", "position"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"))
    position: Mapped[int]
    reference_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    record: Mapped[bytes | None] = mapped_column(LargeBinary)
    image: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(default=0)
    services_ended: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessments.id", ondelete="SET NULL"), index=True)
    problem_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)


class MeasurementRow(Table):
    """A T-score, a bone density or a fracture that was added by hand, encrypted with the patient's key."""

    __tablename__ = "measurements"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LargeBinary)


class AlertRow(Table):
    """Something to look at: a follow-up with its dates, or what got worse.

    The text is encrypted with the patient's key, or with the organisation's where no patient was named: then it is an
    emergency, and goes with its assessment.

    Of an emergency, `acknowledged_at` is when a clinician said to be looking at it, and `escalated_at` when a second
    alarm went out, as nobody had.
    """

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_organisation_id_closed_at_id", "organisation_id", "closed_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"), index=True)
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    due_from: Mapped[dt.date | None]
    due_by: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(100))
    acknowledged_at: Mapped[dt.datetime | None]
    acknowledged_by: Mapped[str | None] = mapped_column(String(100))
    escalated_at: Mapped[dt.datetime | None]


class AuditRow(Table):
    """Who did what to which thing, from where, and how it ended. Rows are added, never changed.

    It names people and things by their opaque ids, so it can stay whole when a patient is erased. `hash` chains it to
    the row before; `mac` shows that this installation wrote it.
    """

    __tablename__ = "audit"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[dt.datetime]
    organisation_id: Mapped[UUID | None]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(50))
    subject: Mapped[str | None] = mapped_column(String(100))
    outcome: Mapped[str] = mapped_column(String(20))
    address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(128))
    sequence: Mapped[int] = mapped_column(BigInteger, unique=True)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditHeadRow(Table):
    """The end of the audit trail's chain: one row, which every writer locks in turn.

    `mac_key`, wrapped by the key-encryption key, makes the `mac` of every row and of this one.
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    mac_key: Mapped[bytes] = mapped_column(LargeBinary(128))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditStreamRow(Table):
    """How much of the trail was sent to the site's log server, and which gateway sends: one row."""

    __tablename__ = "audit_stream"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sent: Mapped[int] = mapped_column(BigInteger)
    sender: Mapped[UUID | None]
    leased_until: Mapped[dt.datetime | None]


class EventRow(Table):
    """Something that happened, for hospital systems: what to which thing, and nothing about a patient."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_organisation_id_id", "organisation_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    type: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(100))
    at: Mapped[dt.datetime]
    is_test: Mapped[bool] = mapped_column(default=False)


class DestinationRow(Table):
    """Where an organisation's results go; `content` (address, secrets) is encrypted with the organisation's key."""

    __tablename__ = "destinations"
    __table_args__ = (Index("ix_destinations_organisation_id_kind", "organisation_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    events: Mapped[list[str]]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    removed_at: Mapped[dt.datetime | None]


class DeliveryRow(Table):
    """One event that waits to be sent to one destination, or was; it holds ids, and no content.

    `commitment_uid` names the last request for storage commitment, in DICOM's own terms its transaction.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("destination_id", "event_id"),
        Index("ix_deliveries_state_next_at", "state", "next_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destinations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    event_type: Mapped[str] = mapped_column(String(40))
    event_id: Mapped[UUID]
    subject: Mapped[str] = mapped_column(String(100), index=True)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int]
    next_at: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    commitment_uid: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class IdempotentRequestRow(Table):
    """What came of a request that may be sent again: `subject` was made by it, under a hash of the caller and its key.

    `secret` is what was shown once, encrypted, for a day.
    """

    __tablename__ = "idempotent_requests"

    made: Mapped[str] = mapped_column(String(20), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    subject: Mapped[str] = mapped_column(String(36), index=True)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime] = mapped_column(index=True)


class ModelVersionRow(Table):
    """The version of a model, or of the rules, that the installation had last."""

    __tablename__ = "model_versions"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    version: Mapped[str] = mapped_column(String(50))


class RuleSignOffRow(Table):
    """A clinician read this version of the rules and stands by it, for one organisation."""

    __tablename__ = "rule_sign_offs"
    __table_args__ = (Index("ix_rule_sign_offs_organisation_id_version", "organisation_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    version: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(100))
    at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class DicomObjectRow(Table):
    """A DICOM object of an assessment that went to a destination; the UIDs are ours and name nobody."""

    __tablename__ = "dicom_objects"

    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destinations.id"), primary_key=True)
    sop_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    sent_at: Mapped[dt.datetime]


class FilmRow(Table):
    """A radiograph that came in by itself, until it is assessed, and afterwards that it came.

    `header` and `content` (the DICOM file) are encrypted with the organisation's key and deleted when it has ended.
    What is hashed, is so with that key: whose film it is can be asked, and not read. Who works on it holds a lease.
    """

    __tablename__ = "films"
    __table_args__ = (
        UniqueConstraint("organisation_id", "uid_hash", "pixels_hash"),
        Index("ix_films_state_priority_id", "state", "priority", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    source: Mapped[str] = mapped_column(String(100))
    uid_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    pixels_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    encoding: Mapped[str] = mapped_column(String(64))
    patient_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    state: Mapped[str] = mapped_column(String(10))
    priority: Mapped[int]
    reason: Mapped[str | None] = mapped_column(String(60))
    last_error: Mapped[str | None] = mapped_column(String(300))
    header: Mapped[bytes | None] = mapped_column(LargeBinary)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    arrived_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessments.id", ondelete="SET NULL"), index=True)


class FilmSourceRow(Table):
    """How far an archive that is asked for films was read."""

    __tablename__ = "film_sources"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    cursor: Mapped[str] = mapped_column(String(100))
    at: Mapped[dt.datetime]


class FilmsTurnedAwayRow(Table):
    """How often something was turned away before it was a film, by reason."""

    __tablename__ = "films_turned_away"

    reason: Mapped[str] = mapped_column(String(60), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[dt.datetime]


class OrderRow(Table):
    """An imaging order that was announced and waits for its film, encrypted with the organisation's key.

    What is hashed, is so with that key: an order is found by its accession number, and a patient's by the number.
    """

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("organisation_id", "accession_hash"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    accession_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    patient_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[dt.datetime]


class MessageRow(Table):
    """An HL7 v2 message that was done, by a hash, so that the same one does nothing again."""

    __tablename__ = "messages"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    received_at: Mapped[dt.datetime] = mapped_column(index=True)
