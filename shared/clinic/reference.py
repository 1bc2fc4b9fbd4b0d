"""T-scores from bone mineral density, only where maker and site have a published reference.

T = (BMD - mean) / SD on the maker's own scale. The femoral reference is NHANES III, white women of 20 to 29 (Looker
1998, Osteoporos Int 8:468), which ISCD 2023 asks for in women and men of every ethnic group; the spine reference is
the scanner maker's own. No value is guessed: every other maker or site gives None.
"""

from dataclasses import dataclass

from shared.clinic.scores import Score
from shared.contracts.record import BoneSite, DensityMeasurement


@dataclass(frozen=True)
class YoungReference:
    """Mean and SD of young women, g/cm2, on the Hologic scale, and how sure the numbers are."""

    mean: float
    sd: float
    source: str

    def t_score(self, bmd: float) -> float:
        """Standard deviations from the young mean, for a BMD in g/cm2 on the Hologic scale."""
        return (bmd - self.mean) / self.sd


_NHANES_III = "NHANES III white women 20-29, Hologic (Looker 1998; numbers from secondary sources)"
HOLOGIC: dict[BoneSite, YoungReference] = {
    "femoral_neck": YoungReference(0.858, 0.120, _NHANES_III),
    "total_hip": YoungReference(0.942, 0.122, _NHANES_III),
    "lumbar_spine": YoungReference(
        1.047, 0.110, "Hologic's own reference for L1-L4 (widely quoted; awaits a clinician's sign-off)"
    ),
}


def lunar_neck_on_hologic_scale(bmd: float) -> float:
    """A GE Lunar femoral neck BMD (g/cm2) on the Hologic scale, as published cohort analyses convert it."""
    return ((0.939 * bmd - 0.023) - 0.019) / 1.087


def t_score_of(measurement: DensityMeasurement) -> Score | None:
    """The T-score of one BMD, rounded to two places, or None where maker and site have no reference here."""
    reference, bmd = HOLOGIC.get(measurement.site), measurement.g_per_cm2
    if reference is None:
        return None
    source = reference.source
    if measurement.device == "ge_lunar" and measurement.site == "femoral_neck":
        bmd, source = lunar_neck_on_hologic_scale(bmd), f"{source}, converted from GE Lunar"
    elif measurement.device != "hologic":
        return None
    # Two places, so that a BMD printed at the boundary is not pushed over it by binary fractions.
    value = round(reference.t_score(bmd), 2)
    return Score(measurement.site, value, measurement.date, f", computed against {source}")
