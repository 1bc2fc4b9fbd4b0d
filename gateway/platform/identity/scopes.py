"""What a credential may do. Nothing is allowed that no scope grants."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from shared.problems import InvalidInput, NotAuthorised

Scope = Literal[
    "assessments:write",
    "assessments:read",
    "patients:read",
    "patients:write",
    "patients:restricted",
    "models:read",
    "audit:read",
    "admin",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# Opens restricted patients' records without emergency access. No role has it: the operator alone gives it to a system.
RESTRICTED: Scope = "patients:restricted"
Role = Literal["patient", "clinician", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

# What a patient's scopes reach is narrowed further, to the patient's own records: see `Principal.patient_id`.
SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    "patient": frozenset({"assessments:write", "assessments:read", "patients:read", "models:read"}),
    "clinician": frozenset({"assessments:write", "assessments:read", "patients:read", "patients:write", "models:read"}),
    "administrator": frozenset(SCOPES) - {RESTRICTED},
}


ACCOUNT, API_KEY, OPERATOR, PROVIDER = "account:", "key:", "operator", "provider"


def account_actor(account_id: UUID) -> str:
    """How the audit trail names a person."""
    return f"{ACCOUNT}{account_id}"


def key_actor(key_id: str) -> str:
    """How the audit trail names a hospital system."""
    return f"{API_KEY}{key_id}"


def destination_actor(destination_id: UUID) -> str:
    """How the audit trail names a destination that results are sent to."""
    return f"destination:{destination_id}"


def cds_actor(client: UUID | str) -> str:
    """How the audit trail names a system that asks for CDS cards."""
    return f"cds:{client}"


@dataclass(frozen=True)
class Principal:
    """Who is asking: a person or a hospital system, the organisation they belong to and what they may do.

    Args:
        id: `account:<id>`, `key:<id>`, `destination:<id>` or `cds:<id>`, as the audit trail names them.
        role: a person's, or `system` for a hospital's.
        patient_id: the internal id of the patient whose own account it is, who sees nothing of other patients.
        ends_at: when the credential ends by itself; null for never.
        owes: what a person has to do in the browser before anything else.
        is_test: a system that tries the API out: it makes and sees test assessments alone.
    """

    id: str
    organisation_id: UUID
    scopes: frozenset[str]
    role: Literal["patient", "clinician", "administrator", "system"]
    patient_id: UUID | None = None
    ends_at: dt.datetime | None = None
    owes: Literal["password", "second factor"] | None = None
    is_test: bool = False

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


# What a test key may do: whatever else there is, is of real patients.
TEST_SCOPES: frozenset[Scope] = frozenset({"assessments:write", "assessments:read", "models:read"})


def check_test_scopes(scopes: Iterable[str]) -> None:
    """Raise `InvalidInput` for a scope that no test key may have."""
    if beyond := sorted(set(scopes) - TEST_SCOPES):
        raise InvalidInput(
            f"scopes: a test key has no {', '.join(beyond)}; it may have {', '.join(sorted(TEST_SCOPES))}.",
            field="scopes",
        )


def refuse_test_keys(who: Principal) -> None:
    """Raise `NotAuthorised` for a test key, where something would reach real patients' results or other systems."""
    if who.is_test:
        raise NotAuthorised("A test key assesses one case at a time, and nothing of it goes to other systems.")


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
