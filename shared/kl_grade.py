"""From the probabilities of the five Kellgren-Lawrence grades to the grade that is stated."""

from collections.abc import Sequence

from shared.contracts.base import ModelReference
from shared.contracts.findings import KL_NAMES, STAGE_LABELS, Knee, StagingFinding

# A grade with less than this probability is called uncertain: readers themselves agree on half of the knees.
CONFIDENT = 0.5
NO_CLEAR_GRADE = "No grade is likelier than all others together; the middle of the probabilities is given."


def median_grade(probabilities: Sequence[float]) -> int:
    """The median: the lowest grade that, with those below it, has half of the probability.

    Of all grades it has the least expected distance to the reader's; docs/model-cards/staging.md compares it with the
    likeliest grade.
    """
    half, so_far = 0.5 * sum(probabilities), 0.0
    for grade, probability in enumerate(probabilities):
        so_far += probability
        if so_far >= half:
            return grade
    return len(probabilities) - 1


def finding_of(knees: Sequence[Knee], model: ModelReference) -> StagingFinding:
    """The worse knee stands for the radiograph: the highest grade, then the higher mean grade."""
    worst = max(knees, key=lambda knee: (knee.stage, sum(g * p for g, p in enumerate(knee.probabilities))))
    return StagingFinding(
        stage=worst.stage,
        label=STAGE_LABELS[worst.stage],
        kl_grade=worst.stage,
        kl_name=KL_NAMES[worst.stage],
        probabilities=worst.probabilities,
        knees=list(knees),
        model=model,
    )
