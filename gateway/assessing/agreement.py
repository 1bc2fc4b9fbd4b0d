"""How far the software agreed with what clinicians and DXA said later, month by month."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, Field

from gateway.records.feedback import GivenFeedback
from shared.clinic.density import OSTEOPOROSIS_TO
from shared.contracts.feedback import Dxa, Feedback, Grade, Mark
from shared.proportions import wilson

Question = Literal["marked_right", "same_grade", "grade_within_one", "density"]
Outcome = tuple[Question, str, bool]


class Share(BaseModel):
    """So many of so many, with the 95 % interval of Wilson (1927). Feedback of one patient counts as several."""

    agreed: int
    of: int
    share: float
    low: float
    high: float


class MonthOfAgreement(BaseModel):
    """Assessments of one month, by when they were made."""

    month: str = Field(description="As 2026-11")
    part: str = Field(description="imaging, staging or clinical")
    agreement: Share


class Agreement(BaseModel):
    """One question over time: whether a finding was marked right, a grade was the same, a film's call was DXA's."""

    question: Question
    overall: list[MonthOfAgreement] = Field(description="Of all months, by part; `month` is empty")
    months: list[MonthOfAgreement]


class AgreementView(BaseModel):
    """Agreement over time, of what was fed back: whoever gives feedback on errors alone will see errors alone."""

    feedback: int = Field(description="Pieces that counted: the newest of one person about one thing")
    questions: list[Agreement]


def agreement(given: Iterable[GivenFeedback]) -> AgreementView:
    """The figures, of the newest that one person said about one thing."""
    newest = {_about(one): one for one in given}
    counts: dict[Question, dict[tuple[str, str], list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in newest.values():
        month = f"{one.assessed_at:%Y-%m}"
        for question, part, agreed in _outcomes(one):
            counts[question][(part, month)].append(agreed)
            counts[question][(part, "")].append(agreed)
    return AgreementView(feedback=len(newest), questions=[_question(name, of) for name, of in sorted(counts.items())])


def subject_of(feedback: Feedback) -> str | None:
    """What feedback is about within its kind: a part, a knee's side, a region of the skeleton."""
    match feedback:
        case Mark():
            return feedback.part
        case Grade():
            return feedback.side
        case Dxa():
            return feedback.region


def _about(given: GivenFeedback) -> tuple[object, ...]:
    stored = given.stored
    return stored.assessment_id, stored.by, stored.feedback.kind, subject_of(stored.feedback)


def _outcomes(given: GivenFeedback) -> Iterable[Outcome]:
    feedback, answered = given.stored.feedback, given.stored.answered
    match feedback:
        case Mark():
            yield "marked_right", feedback.part, feedback.right
        case Grade() if answered is not None and answered.kl_grade is not None:
            yield "same_grade", "staging", feedback.kl_grade == answered.kl_grade
            yield "grade_within_one", "staging", abs(feedback.kl_grade - answered.kl_grade) <= 1
        case Dxa() if answered is not None and answered.osteoporosis is not None:
            yield "density", "imaging", (feedback.t_score <= OSTEOPOROSIS_TO) == answered.osteoporosis


def _question(name: Question, counts: dict[tuple[str, str], list[bool]]) -> Agreement:
    rows = [
        MonthOfAgreement(month=month, part=part, agreement=_share(found))
        for (part, month), found in sorted(counts.items(), key=lambda item: item[0][::-1])
    ]
    return Agreement(
        question=name, overall=[row for row in rows if not row.month], months=[row for row in rows if row.month]
    )


def _share(found: list[bool]) -> Share:
    low, high = wilson(sum(found), len(found))
    return Share(agreed=sum(found), of=len(found), share=sum(found) / len(found), low=low, high=high)
