"""What of an assessment stands beside its encrypted content in the clear, so that the database can order a work list.

It is little, and as coarse as the list needs it: how soon somebody should act, the category, and two flags.
"""

from typing import Any

from shared.contracts.assessment import Assessment
from shared.contracts.recommendation import Urgency

RANKS: dict[Urgency | None, int] = {None: 0, "routine": 1, "soon": 2, "urgent": 3, "emergency": 4}
# Below every urgency: what is over comes last.
OVER = -1


def list_columns(assessment: Assessment) -> dict[str, Any]:
    """The columns of an assessment's row, by name."""
    recommendation, imaging = assessment.recommendation, assessment.imaging
    urgency = RANKS[recommendation.consult.urgency if recommendation else None]
    items = recommendation.items if recommendation else []
    return {
        "urgency": urgency,
        "rank": urgency,
        "category": assessment.combined.category,
        "is_unclear": bool(imaging and imaging.indeterminate),
        "has_medicines": any(item.kind == "medication" for item in items),
    }
