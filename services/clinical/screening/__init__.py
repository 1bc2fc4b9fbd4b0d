"""The published screening scores, each exactly as published, one module each. FRAX is never computed."""

from services.clinical.screening.mores import mores
from services.clinical.screening.orai import orai
from services.clinical.screening.osiris import osiris
from services.clinical.screening.ost import ost
from services.clinical.screening.osta import osta
from services.clinical.screening.score import score
from shared.contracts.findings import ScreeningScores
from shared.contracts.record import ClinicalRecord

__all__ = ["mores", "orai", "osiris", "ost", "osta", "score", "screening_scores"]


def screening_scores(record: ClinicalRecord) -> ScreeningScores:
    """All six scores for one record; one that does not apply says why."""
    return ScreeningScores(
        ost=ost(record),
        osta=osta(record),
        orai=orai(record),
        osiris=osiris(record),
        score=score(record),
        mores=mores(record),
    )
