"""Which T-score age, sex and weight let one expect, so that a slip of the sign or of the unit can be noticed.

Least squares over adults of 40 and over of the US survey (NHANES 2005-2010 and 2013-2014), T-scores by the references
of `reference.py`. `make clinical-figures` prints the fit anew. Nobody's T-score is ever estimated by it.
"""

from dataclasses import dataclass

from shared.contracts.record import BoneSite, Sex


@dataclass(frozen=True)
class Line:
    """T = intercept + per_year x age + per_kg x weight, with the standard deviation around it."""

    intercept: float
    per_year: float
    per_kg: float
    sd: float

    def at(self, age: float, weight_kg: float) -> float:
        """The T-score expected at an age in years and a weight in kg."""
        return self.intercept + self.per_year * age + self.per_kg * weight_kg


# With the weight known, and by age alone.
BY_WEIGHT: dict[Sex, dict[BoneSite, Line]] = {
    "female": {
        "femoral_neck": Line(-0.678, -0.0389, 0.0290, 0.943),
        "total_hip": Line(-0.679, -0.0375, 0.0327, 0.965),
        "lumbar_spine": Line(-0.608, -0.0376, 0.0291, 1.264),
    },
    "male": {
        "femoral_neck": Line(-0.932, -0.0240, 0.0246, 1.042),
        "total_hip": Line(-1.007, -0.0167, 0.0296, 1.082),
        "lumbar_spine": Line(-2.913, 0.0116, 0.0270, 1.345),
    },
}
BY_AGE: dict[Sex, dict[BoneSite, Line]] = {
    "female": {
        "femoral_neck": Line(1.865, -0.0457, 0.0, 1.066),
        "total_hip": Line(2.189, -0.0452, 0.0, 1.115),
        "lumbar_spine": Line(1.906, -0.0435, 0.0, 1.367),
    },
    "male": {
        "femoral_neck": Line(1.494, -0.0293, 0.0, 1.123),
        "total_hip": Line(1.914, -0.0232, 0.0, 1.193),
        "lumbar_spine": Line(-0.320, 0.0066, 0.0, 1.422),
    },
}
YOUNGEST, OLDEST = 40.0, 80.0


def deviation(sex: Sex, site: BoneSite, t_score: float, age: float, weight_kg: float | None) -> float | None:
    """How many standard deviations a T-score lies above what is expected; None below 40 or at another site."""
    lines = BY_AGE if weight_kg is None else BY_WEIGHT
    line = lines[sex].get(site)
    if line is None or age < YOUNGEST:
        return None
    return (t_score - line.at(min(age, OLDEST), weight_kg or 0.0)) / line.sd
