"""What a clinician knows of a finding better than the software did: the truth that a site's own figures rest on.

It is kept apart from the record and from the review: it changes no answer.
"""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Contract, ModelReference
from shared.label_table import T_SCORES

Part = Literal["imaging", "staging", "clinical"]
KneeSide = Literal["left", "right"]
Region = Literal["lumbar_spine", "femoral_neck", "total_hip", "distal_third_radius"]
LONGEST_NOTE = 1000


class Mark(Contract):
    """A finding was right, or it was wrong."""

    kind: Literal["mark"] = "mark"
    part: Part
    right: bool
    note: Annotated[str | None, Field(max_length=LONGEST_NOTE)] = None


class Grade(Contract):
    """The Kellgren-Lawrence grade that a clinician gives to a knee."""

    kind: Literal["grade"] = "grade"
    side: Annotated[KneeSide | None, Field(description="Null: the film shows one knee, or the worse one is meant")] = (
        None
    )
    kl_grade: Annotated[int, Field(ge=0, le=4)]
    blind: Annotated[bool, Field(description="Given before the software's grade was seen")] = False
    note: Annotated[str | None, Field(max_length=LONGEST_NOTE)] = None


class Dxa(Contract):
    """The DXA result that came later."""

    kind: Literal["dxa"] = "dxa"
    t_score: Annotated[float, Field(ge=T_SCORES[0], le=T_SCORES[1])]
    region: Region
    date: dt.date
    note: Annotated[str | None, Field(max_length=LONGEST_NOTE)] = None


Feedback = Annotated[Mark | Grade | Dxa, Field(discriminator="kind")]


class Answered(Contract):
    """What the software had answered: the grade of that knee, or whether the film was called osteoporosis."""

    model: ModelReference
    kl_grade: int | None = None
    osteoporosis: bool | None = None


class StoredFeedback(Contract):
    """One piece of feedback. The newest of one person about one thing counts; the others stay to be seen."""

    id: UUID
    assessment_id: UUID
    at: dt.datetime
    by: Annotated[str, Field(description="`account:<id>`, as the audit trail names people; patients read `clinician`")]
    feedback: Feedback
    answered: Annotated[
        Answered | None, Field(description="Null where the software had not answered that question")
    ] = None
