"""The tables. Times are UTC; documents are the contracts as JSON."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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

    `totp_step` is the last of its time steps that was used: a code works once.
    """

    __tablename__ = "accounts"

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
    """A person's session: until it is not used for `idle_s` seconds, until `ends_at`, or until it is revoked."""

    __tablename__ = "sign_ins"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    started_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)
    idle_s: Mapped[int]
    address: Mapped[str | None] = mapped_column(String(45))
    revoked_at: Mapped[dt.datetime | None]


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


class PatientRow(Table):
    """A patient of one organisation. Erasure empties `patient_number`, `account_id` and `data_key`; the id stays.

    `patient_number` is the hospital's own opaque identifier; `data_key` is wrapped by the key-encryption key. `seal`
    holds organisation, number, account and key together: a row that somebody else wrote, or moved, opens nothing.
    """

    __tablename__ = "patients"
    __table_args__ = (UniqueConstraint("organisation_id", "patient_number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    patient_number: Mapped[str | None] = mapped_column(String(64))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), unique=True)
    data_key: Mapped[bytes | None] = mapped_column(LargeBinary(128))
    seal: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    created_at: Mapped[dt.datetime]
    erased_at: Mapped[dt.datetime | None]


class AssessmentRow(Table):
    """One assessment as it was answered, with the record it was made from.

    `content` is encrypted with the key of the patient, or with the organisation's where no patient was named. Erasure
    deletes the row.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        Index("ix_assessments_organisation_id_patient_id", "organisation_id", "patient_id", "id"),
        UniqueConstraint("created_by", "idempotency_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    released_at: Mapped[dt.datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(100))


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
    __table_args__ = (
        Index("ix_batches_organisation_id_id", "organisation_id", "id"),
        UniqueConstraint("created_by", "idempotency_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(String(100))
    cancelled_at: Mapped[dt.datetime | None]
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class BatchCaseRow(Table):
    """One case of a batch. Its record and image are encrypted with the owner's key, and deleted when it has ended.

    Who works on it holds a lease; one that ran out, because the process ended, lets another take the case.
    """

    __tablename__ = "batch_cases"
    __table_args__ = (
        Index("ix_batch_cases_state_batch_id_position", "state", "batch_id", "position"),
        UniqueConstraint("batch_id", "position"),
        UniqueConstraint("batch_id", "reference"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"))
    position: Mapped[int]
    reference: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    record: Mapped[bytes | None] = mapped_column(LargeBinary)
    image: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[dt.datetime]
    leased_until: Mapped[dt.datetime | None]
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessments.id", ondelete="SET NULL"), index=True)
    problem: Mapped[dict[str, Any] | None]


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
    """Something to look at: a follow-up with its dates, or what got worse. The text is encrypted."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_organisation_id_closed_at_id", "organisation_id", "closed_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"), index=True)
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessments.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    due_from: Mapped[dt.date | None]
    due_by: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(100))


class AuditRow(Table):
    """Who did what to which thing, from where, and how it ended. Rows are added, never changed.

    It names people and things by their opaque ids, so it can stay whole when a patient is erased.
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


class AuditHeadRow(Table):
    """The end of the audit trail's chain: one row, which every writer locks in turn."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    length: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
