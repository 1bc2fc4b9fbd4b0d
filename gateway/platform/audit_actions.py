"""What the audit trail can say was done: a closed list, in words that stay as they are once they stand in a trail."""

from enum import StrEnum

from gateway.platform.identity.scopes import Role


class AuditAction(StrEnum):
    """An action; each stands for one kind of access or change."""

    ACCESS = "access"
    ACCOUNT_DISABLED = "account disabled"
    ACCOUNT_ENABLED = "account enabled"
    ACCOUNTS_LISTED = "accounts listed"
    ADMINISTRATOR_ACCOUNT_MADE = "administrator account made"
    ADMINISTRATOR_INVITED = "administrator invited"
    ALERT_CLOSED = "alert closed"
    ALERTS_LISTED = "alerts listed"
    ASSESSMENT_ERASED = "assessment erased"
    ASSESSMENT_MADE = "assessment made"
    ASSESSMENT_READ = "assessment read"
    ASSESSMENT_RELEASED = "assessment released"
    ASSESSMENTS_LISTED = "assessments listed"
    AUDIT_TRAIL_READ = "audit trail read"
    BATCH_CANCELLED = "batch cancelled"
    BATCH_FOLLOWED = "batch followed"
    BATCH_MADE = "batch made"
    BATCH_READ = "batch read"
    BATCHES_LISTED = "batches listed"
    CLINICIAN_ACCOUNT_MADE = "clinician account made"
    CLINICIAN_INVITED = "clinician invited"
    INVITATION_ACCEPTED = "invitation accepted"
    INVITATION_REVOKED = "invitation revoked"
    INVITATIONS_LISTED = "invitations listed"
    KEY_MADE = "key made"
    KEY_REVOKED = "key revoked"
    KEY_ROTATED = "key rotated"
    KEYS_LISTED = "keys listed"
    MEASUREMENT_ADDED = "measurement added"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 -- an action
    PATIENT_ACCOUNT_MADE = "patient account made"
    PATIENT_ERASED = "patient erased"
    PATIENT_EXPORTED = "patient exported"
    PATIENT_INVITED = "patient invited"
    PATIENT_MADE = "patient made"
    PATIENT_READ = "patient read"
    PATIENTS_LISTED = "patients listed"
    RECOVERY_CODE_USED = "recovery code used"
    RENDERING_READ = "picture read"
    REFRESH_TOKEN_REUSED = "refresh token reused"  # noqa: S105
    SECOND_FACTOR_RESET = "second factor reset"
    SECOND_FACTOR_SET = "second factor set"
    SESSION_ENDED = "session ended"
    SIGN_IN = "sign-in"
    SIGN_IN_LOCKED = "sign-in to a locked account"  # up to version 0.1.0
    SIGN_OUT = "sign-out"
    TIMELINE_READ = "timeline read"


def account_made(role: Role) -> AuditAction:
    """An account of this role was made."""
    return AuditAction(f"{role} account made")


def invited(role: Role) -> AuditAction:
    """Somebody was invited to an account of this role."""
    return AuditAction(f"{role} invited")
