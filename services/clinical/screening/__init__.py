"""The published screening scores, each exactly as published, one module each. FRAX is never computed."""

from services.clinical.screening.mores import mores
from services.clinical.screening.orai import orai
from services.clinical.screening.osiris import osiris
from services.clinical.screening.ost import ost
from services.clinical.screening.osta import osta
from services.clinical.screening.score import score
from shared.clinic.reading import Reading
from shared.contracts.findings import ScreeningScores

__all__ = ["mores", "orai", "osiris", "ost", "osta", "score", "screening_scores"]


def screening_scores(reading: Reading) -> ScreeningScores:
    """All six scores of a reading; a score that does not apply says why."""
    return ScreeningScores(
        ost=ost(reading),
        osta=osta(reading),
        orai=orai(reading),
        osiris=osiris(reading),
        score=score(reading),
        mores=mores(reading),
    )
