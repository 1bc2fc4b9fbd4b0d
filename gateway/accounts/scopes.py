"""What a credential may do. Nothing is allowed that no scope grants."""

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from shared.problems import InvalidInput, NotAuthorised

Scope = Literal[
    "assessments:write", "assessments:read", "patients:read", "patients:write", "models:read", "audit:read", "admin"
]  # fmt: skip
SCOPES: tuple[Scope, ...] = get_args(Scope)
Role = Literal["clinician", "administrator"]

SCOPES_OF_ROLE: dict[str, frozenset[str]] = {
    "clinician": frozenset({"assessments:write", "assessments:read", "patients:read", "patients:write", "models:read"}),
    "administrator": frozenset(SCOPES),
}


@dataclass(frozen=True)
class Principal:
    """Who is asking: a person or a hospital system, the organisation they belong to and what they may do."""

    id: str
    organisation_id: UUID
    scopes: frozenset[str]

    def must_have(self, scope: Scope) -> None:
        """Raise `NotAuthorised` unless the scope was granted."""
        if scope not in self.scopes:
            raise NotAuthorised(f"This credential lacks the scope '{scope}'.", scope=scope)


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
