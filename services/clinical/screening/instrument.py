"""What every published score has in common: a population, a citation, and a reason where it does not apply."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.clinic.reading import Reading
from shared.contracts.findings import RiskCategory, ScreeningScore

KG_PER_POUND = 0.45359237
Inputs = Mapping[str, float | bool | str | None]


@dataclass(frozen=True)
class Instrument:
    """One published score's fixed facts."""

    population: str
    cut_off: str
    citation: str

    def not_applicable(self, reason: str) -> ScreeningScore:
        """The answer for a person outside the score's population, or with an input missing."""
        return ScreeningScore(
            applicable=False, reason=reason, cut_off=self.cut_off, population=self.population, citation=self.citation
        )

    def result(
        self,
        value: float,
        inputs: Inputs,
        *,
        refer: bool,
        band: RiskCategory | None = None,
        notes: str | None = None,
    ) -> ScreeningScore:
        """The answer for a person the score was made for."""
        return ScreeningScore(
            applicable=True,
            value=round(value, 4),
            band=band,
            refer_for_dxa=refer,
            cut_off=self.cut_off,
            population=self.population,
            inputs=dict(inputs),
            citation=self.citation,
            notes=notes,
        )


def missing(**values: object) -> str | None:
    """Which inputs are unknown, in words, or None where all are there."""
    names = [name for name, value in values.items() if value is None]
    return f"needs {', '.join(names)}" if names else None


def why_not_postmenopausal(reading: Reading) -> str | None:
    """Why a score for postmenopausal women does not apply, or None where it does."""
    if reading.sex == "male":
        return "made for women"
    past = reading.postmenopausal
    if past is None:
        return "needs menopausal_status: made for postmenopausal women, and it is not assumed here"
    return None if past else "made for postmenopausal women"


def assumption(reading: Reading) -> str:
    """The note that a woman without a stated status was taken as postmenopausal."""
    if reading.assumes_menopause:
        return f"Menopausal status not given; taken as postmenopausal from {reading.policy.postmenopausal_from} on. "
    return ""


def in_words(*parts: str) -> str | None:
    """Notes joined, or None where there are none."""
    return " ".join(part.strip() for part in parts if part) or None
