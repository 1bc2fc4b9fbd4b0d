"""T-scores whose minus sign may have been lost, by what age, sex, weight and the other sites let one expect."""

from dataclasses import dataclass

from shared.clinic.density import HIP_SITES, Densities
from shared.clinic.expected import deviation
from shared.clinic.scores import Score
from shared.contracts.record import Sex

# Standard deviations over what is expected: of one site alone, and where another site is as high.
TOO_HIGH_SD, TOO_HIGH_SD_CONFIRMED, CONFIRMED_WITHIN = 3.0, 4.0, 1.0
TOO_HIGH_OVER_Z, OVER_Z_FROM_AGE = 1.5, 40
HIPS_APART, SITES_APART, SITES_AGREE, SPINE_OVER_HIP = 2.0, 3.5, 0.6, 3.0


@dataclass(frozen=True)
class ScoreSigns:
    """The scores of one person, each seen beside the others.

    Attributes:
        weight_kg: null where it is not known or itself in doubt.
    """

    densities: Densities
    sex: Sex
    age: float
    weight_kg: float | None

    def doubtful(self) -> list[Score]:
        """The T-scores whose sign is in doubt; they decide nothing that could lower a risk."""
        return [score for score in self.densities.t_scores if self.doubt(score)]

    def doubt(self, score: Score) -> str | None:
        """Why the sign of a T-score is in doubt, or None. Only a score above zero can be a minus sign lost."""
        if score.value <= 0:
            return None
        z = next((other.value for other in self.densities.z_scores if other.site == score.site), None)
        if z is not None and self.age > OVER_Z_FROM_AGE and score.value - z > TOO_HIGH_OVER_Z:
            return f"a T-score cannot lie {score.value - z:.1f} above the Z-score of the same site ({z:+g}) over 40"
        if score.site in HIP_SITES and (other := self._agrees_if_negative(score)) is not None:
            return f"with a minus sign it would agree with the other site ({other:+g})"
        return self._far_above(score)

    def is_spine_over_hip(self, score: Score) -> bool:
        """Whether a spine lies so far above the hip that something else may have raised it."""
        hips = [hip.value for hip in self.densities.t_scores if hip.site in HIP_SITES]
        return score.site == "lumbar_spine" and bool(hips) and score.value - max(hips) > SPINE_OVER_HIP

    def _far_above(self, score: Score) -> str | None:
        over = deviation(self.sex, score.site, score.value, self.age, self.weight_kg)
        others = [other.value for other in self.densities.t_scores if other.site != score.site]
        confirmed = any(score.value - other <= CONFIRMED_WITHIN for other in others)
        if over is None or over <= (TOO_HIGH_SD_CONFIRMED if confirmed else TOO_HIGH_SD):
            return None
        if self.is_spine_over_hip(score):
            return None
        flipped = deviation(self.sex, score.site, -score.value, self.age, self.weight_kg)
        if flipped is None or abs(flipped) >= over:
            return None
        return f"it lies {over:.1f} standard deviations above what age, sex and weight let one expect"

    def _agrees_if_negative(self, score: Score) -> float | None:
        """The score of another site that lies far below, and that this one would agree with if it had a minus sign."""
        for other in self.densities.t_scores:
            far = HIPS_APART if other.site in HIP_SITES else SITES_APART
            if score.value - other.value > far and abs(-score.value - other.value) <= SITES_AGREE:
                return other.value
        return None
