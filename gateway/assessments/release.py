"""What a patient's own account sees: everything at once, but medication only once a clinician has released it."""

from typing import Literal

from gateway.accounts.scopes import Principal
from shared.contracts.assessment import Assessment

ReleaseRule = Literal["by_clinician", "at_once"]


def shown_to(who: Principal, assessment: Assessment, rule: ReleaseRule) -> Assessment:
    """The assessment as this caller may see it.

    Args:
        who: a patient's account sees less than everybody else.
        assessment: as it is stored.
        rule: the site's choice; `at_once` shows medication without a release.
    """
    recommendation = assessment.recommendation
    if who.patient_id is None or rule == "at_once" or assessment.released_at or recommendation is None:
        return assessment
    items = [item for item in recommendation.items if item.kind != "medication"]
    # The letter is the clinician's, and tells of the drugs as well.
    withheld = recommendation.model_copy(update={"items": items, "letter": None})
    return assessment.model_copy(update={"recommendation": withheld})
