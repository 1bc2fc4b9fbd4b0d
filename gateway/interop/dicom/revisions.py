"""Which state of a result its DICOM objects tell: as the software gave it, or after so many steps of its review."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.uids import uid
from gateway.platform.identity.scopes import ACCOUNT
from shared.contracts.review import AmendedFindings, ReviewStatus

# Characters of a person's name, of which no part may be left out (PS3.5 6.2).
LONGEST_NAME = 64
DELIMITERS = frozenset("\\^=")


@dataclass(frozen=True)
class Revision:
    """A state of a result.

    Args:
        number: of steps that led to it; 0 is the software's answer, which nobody has signed.
        at: when it came to be.
        by: who made the last step, as DICOM names people; null for the software's answer.
        reason: of the last step.
        grades: Kellgren-Lawrence grades that clinicians gave up to here, the last one for each side.
        bone: how a clinician found that the bone looks.
    """

    organisation_id: UUID
    assessment_id: UUID
    number: int
    status: ReviewStatus
    at: dt.datetime
    by: str | None = None
    reason: str | None = None
    grades: Mapping[str, int] = field(default_factory=dict)
    bone: Literal["normal", "low"] | None = None

    @property
    def is_verified(self) -> bool:
        """Whether a clinician stands by it."""
        return self.status in ("signed", "amended")

    def series_uid(self, kind: str) -> str:
        """The series that a result's objects of a kind are in, through all of its states."""
        return uid(self.organisation_id, "series", str(self.assessment_id), kind)

    def sop_uid(self, kind: str, *more: str) -> str:
        """The object of a kind that tells this state."""
        state = f"{self.number}.{self.status}"
        return uid(self.organisation_id, "instance", str(self.assessment_id), kind, state, *more)


def revisions_of(content: DicomContent) -> list[Revision]:
    """Every state that a result was in, the software's answer first and how it stands last."""
    assessment, ours = content.assessment, (content.organisation_id, content.assessment.id)
    found = [Revision(*ours, 0, "preliminary", assessment.created_at)]
    for number, step in enumerate(assessment.review.steps, start=1):
        before, by = found[-1], person_name(content.names.get(step.by), step.by)
        given = step.findings or AmendedFindings()
        grades = dict(before.grades) | {knee.side: knee.kl_grade for knee in given.knees}
        bone = given.bone or before.bone
        found.append(Revision(*ours, number, step.action, step.at, by, step.reason, grades, bone))
    return found


def current(content: DicomContent) -> Revision:
    """How a result stands."""
    return revisions_of(content)[-1]


def person_name(email: str | None, actor: str) -> str:
    """A person as a DICOM name: the e-mail address, or the account's id where the address cannot be one.

    An account has no other name. It stands in the place of the family name; the delimiter says that there is no more.
    """
    fits = email is not None and len(email) < LONGEST_NAME and not DELIMITERS & set(email)
    return f"{email if fits else actor.removeprefix(ACCOUNT)}^"
