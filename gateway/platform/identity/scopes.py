"""What a credential may do. Nothing is allowed that no scope grants."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from shared.problems import InvalidInput, NotAuthorised

Scope = Literal[
    "assessments:write", "assessments:read", "patients:read", "patients:write", "models:read", "audit:read", "admin"
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
Role = Literal["patient", "clinician", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

# What a patient's scopes reach is narrowed further, to the patient's own records: see `Principal.patient_id`.
SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    "patient": frozenset({"assessments:write", "assessments:read", "patients:read", "models:read"}),
    "clinician": frozenset({"assessments:write", "assessments:read", "patients:read", "patients:write", "models:read"}),
    "administrator": frozenset(SCOPES),
}


ACCOUNT, API_KEY, OPERATOR = "account:", "key:", "operator"


def account_actor(account_id: UUID) -> str:
    """How the audit trail names a person."""
    return f"{ACCOUNT}{account_id}"


def key_actor(key_id: str) -> str:
    """How the audit trail names a hospital system."""
    return f"{API_KEY}{key_id}"


@dataclass(frozen=True)
class Principal:
    """Who is asking: a person or a hospital system, the organisation they belong to and what they may do.

    Args:
        id: `account:<id>` or `key:<id>`, as the audit trail names them.
        role: a person's, or `system` for a hospital's.
        patient_id: the internal id of the patient whose own account it is, who sees nothing of other patients.
        ends_at: when the credential ends by itself; null for never.
        owes: what a person has to do in the browser before anything else.
    """

    id: str
    organisation_id: UUID
    scopes: frozenset[str]
    role: Literal["patient", "clinician", "administrator", "system"]
    patient_id: UUID | None = None
    ends_at: dt.datetime | None = None
    owes: Literal["password", "second factor"] | None = None

    @property
    def is_patient(self) -> bool:
        """Whether it is a patient's own account, which sees that patient alone and in plain words."""
        return self.patient_id is not None

    @property
    def account_id(self) -> UUID | None:
        """A person's account; null for a hospital system."""
        return UUID(self.id.removeprefix(ACCOUNT)) if self.id.startswith(ACCOUNT) else None

    def must_have(self, scope: Scope) -> None:
        """Raise `NotAuthorised` unless the scope was granted."""
        if scope not in self.scopes:
            raise NotAuthorised(f"This credential lacks the scope '{scope}'.", scope=scope)


def operator_of(organisation_id: UUID) -> Principal:
    """Whoever holds the installation's own machine, as one organisation's: may do everything, and has no credential."""
    return Principal(OPERATOR, organisation_id, frozenset(SCOPES), "administrator")


def read_scopes(text: str) -> list[Scope]:
    """Scopes separated by spaces or commas.

    Raises:
        InvalidInput: one is unknown, or there is none.
    """
    named = text.replace(",", " ").split()
    known = [scope for scope in SCOPES if scope in named]
    if unknown := sorted(set(named) - set(SCOPES)):
        raise InvalidInput(f"There is no scope {', '.join(unknown)}; there are: {', '.join(SCOPES)}.")
    if not known:
        raise InvalidInput(f"Name at least one scope of: {', '.join(SCOPES)}.")
    return known
