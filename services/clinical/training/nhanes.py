"""NHANES examinations with DXA, read into the clinical service's variables and outcomes.

Codes are those of the NCHS codebooks; 7 and 9 (and their longer forms) are "refused" and "don't know", so unknown.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from services.clinical.variables import VARIABLES
from shared.clinic.expected import OLDEST_AGE, YOUNGEST_AGE
from shared.clinic.reference import HOLOGIC
from shared.contracts.record import BoneSite

FILE = "nhanes_bone.csv"
UNITS_A_DRINK = 14 / 8  # grams of alcohol: a US drink, a UK unit
DAYS_A_YEAR = 365
BMD_COLUMNS: dict[BoneSite, str] = {"femoral_neck": "DXXNKBMD", "total_hip": "DXXOFBMD", "lumbar_spine": "DXXOSBMD"}
ETHNICITY = {1: "hispanic", 2: "hispanic", 3: "white", 4: "black", 5: "asian or other"}
OSTEOPOROSIS_AT, LOW_BONE_MASS_BELOW = -2.5, -1.0


@dataclass(frozen=True)
class Cohort:
    """Adults of 40 and over with at least one valid DXA site; arrays run in parallel, one value a person."""

    columns: dict[str, NDArray[np.float64]]
    extra: dict[str, NDArray[np.float64]]  # calcium and vitamin D: compared, not used
    t_scores: dict[BoneSite, NDArray[np.float64]]  # unrounded: rounding would move people over a boundary
    cycle: NDArray[np.str_]
    weight: NDArray[np.float64]  # survey weight, mean 1 within its cycle
    ethnicity: NDArray[np.str_]
    stratum: NDArray[np.int_]  # the survey's design: strata, and the clusters drawn in each
    cluster: NDArray[np.int_]

    @property
    def lowest_t(self) -> NDArray[np.float64]:
        """The lowest T-score of the measured sites."""
        return np.asarray(np.nanmin(np.column_stack(list(self.t_scores.values())), axis=1))

    @property
    def osteoporosis(self) -> NDArray[np.int_]:
        """T <= -2.5 at any measured site."""
        return (self.lowest_t <= OSTEOPOROSIS_AT).astype(int)

    @property
    def low_bone_mass(self) -> NDArray[np.int_]:
        """T below -1.0 at any measured site, osteoporosis included."""
        return (self.lowest_t < LOW_BONE_MASS_BELOW).astype(int)

    def __len__(self) -> int:
        return len(self.cycle)

    def where(self, rows: NDArray[np.bool_]) -> "Cohort":
        """The people whose row is true."""
        return Cohort(
            {k: v[rows] for k, v in self.columns.items()},
            {k: v[rows] for k, v in self.extra.items()},
            {k: v[rows] for k, v in self.t_scores.items()},
            self.cycle[rows],
            self.weight[rows],
            self.ethnicity[rows],
            self.stratum[rows],
            self.cluster[rows],
        )

    def seen_through(self, columns: dict[str, NDArray[np.float64]]) -> "Cohort":
        """The same people with other columns, such as hidden fields."""
        return replace(self, columns=columns)


def read_cohort(data: Path, limit: int | None = None) -> Cohort:
    """Read the cohort.

    Args:
        data: the folder that holds `nhanes_bone.csv`.
        limit: at most so many people a cycle, for a quick run.
    """
    table = pd.read_csv(data / FILE)
    table = table[table.RIDAGEYR >= YOUNGEST_AGE]
    if limit:
        table = table.groupby("CYCLE").head(limit)
    table = table.reset_index(drop=True)
    columns = _columns(table)
    weight = table.WTMEC2YR / table.groupby("CYCLE").WTMEC2YR.transform("mean")
    return Cohort(
        {name: columns[name].to_numpy(float) for name in VARIABLES},
        {"calcium_mg_per_day": table.DR1TCALC.to_numpy(float), "vitamin_d_ug_per_day": table.DR1TVD.to_numpy(float)},
        {site: _t_scores(table[column], site) for site, column in BMD_COLUMNS.items()},
        table.CYCLE.to_numpy(str),
        weight.to_numpy(float),
        table.RIDRETH1.map(ETHNICITY).to_numpy(str),
        table.SDMVSTRA.to_numpy(int),
        table.SDMVPSU.to_numpy(int),
    )


def _t_scores(bmd: pd.Series, site: BoneSite) -> NDArray[np.float64]:
    return ((bmd - HOLOGIC[site].mean) / HOLOGIC[site].sd).to_numpy(float)


def _columns(table: pd.DataFrame) -> dict[str, pd.Series]:
    any_major = _any(table, "OSQ010A", "OSQ010B", "OSQ010C")
    return {
        "female": (table.RIAGENDR == 2).astype(float),
        "age": table.RIDAGEYR.clip(upper=OLDEST_AGE),
        "weight_kg": table.BMXWT,
        "height_cm": table.BMXHT,
        "past_menopause": _past_menopause(table),
        "menopause_age": table.RHQ060.where(table.RHQ060 <= 70),
        "parental": _any(table, "OSQ150", "OSQ170", "OSQ200"),
        "fracture": _any(table, "OSQ010A", "OSQ010B", "OSQ010C", "OSQ080"),
        "major_fracture": any_major,
        "glucocorticoids": table.RX_GLUCOCORTICOID.astype(float),
        "thyroid_disease": _yes(table.MCQ160M),
        "rheumatoid_arthritis": _rheumatoid(table),
        "diabetes": _yes(table.DIQ010),
        "kidney_disease": _yes(table.KIQ022),
        "liver_disease": _yes(table.MCQ160L),
        "oestrogen_use": table.RX_ESTROGEN.astype(float),
        "oestrogen_ever": _yes(table.RHQ540),
        "smoker": _smoker(table),
        "alcohol_units_per_day": _alcohol(table),
        "active": _active(table),
    }


def _yes(codes: pd.Series) -> pd.Series:
    # 3 is "borderline" (diabetes only): no diagnosis, but no clear "no" either.
    return codes.map({1: 1.0, 2: 0.0})


def _any(table: pd.DataFrame, *names: str) -> pd.Series:
    return pd.concat([_yes(table[name]) for name in names], axis=1).max(axis=1)


def _past_menopause(table: pd.DataFrame) -> pd.Series:
    """RHQ031: periods in the past year. "No" needs a reason: menopause, hysterectomy or an age at the last one."""
    reason = (table.RHD042 == 7) | table.RHD043.isin([3, 7]) | (table.RHQ060 < 990)
    stopped = (table.RHQ031 == 2) & reason
    value = pd.Series(np.nan, index=table.index)
    value[table.RHQ031 == 1] = 0.0
    value[stopped] = 1.0
    return value.where(table.RIAGENDR == 2)


def _rheumatoid(table: pd.DataFrame) -> pd.Series:
    """The kind of arthritis is asked under another name, with other codes, in each cycle."""
    value = ((table.MCQ190 == 1) | (table.MCQ191 == 1) | (table.MCQ195 == 2)).astype(float)
    return value.where(_yes(table.MCQ160A).notna())


def _smoker(table: pd.DataFrame) -> pd.Series:
    """Smoking now. SMQ020: 100 cigarettes in life; SMQ040: now every day (1), some days (2), not at all (3)."""
    value = table.SMQ040.isin([1, 2]).astype(float)
    return value.where(table.SMQ040.isin([1, 2, 3]) | (table.SMQ020 == 2))


def _alcohol(table: pd.DataFrame) -> pd.Series:
    """UK units a day, from days drunk in a period and drinks on such a day."""
    days = table.ALQ120Q.where(table.ALQ120Q <= DAYS_A_YEAR) * table.ALQ120U.map({1: 52.0, 2: 12.0, 3: 1.0})
    drinks = table.ALQ130.where(table.ALQ130 < 90)
    units = days * drinks / DAYS_A_YEAR * UNITS_A_DRINK
    never = (table.ALQ120Q == 0) | ((table.ALQ101 == 2) & (table.ALQ110 == 2))
    return units.mask(never, 0.0)


def _active(table: pd.DataFrame) -> pd.Series:
    """Any vigorous or moderate work, leisure or transport activity; 2005-06 asked it in other words."""
    first = (table.PAD200 == 1) | (table.PAD320 == 1) | table.PAQ180.isin([3, 4])
    later = pd.concat([table[f"PAQ{n}"] == 1 for n in (605, 620, 635, 650, 665)], axis=1).any(axis=1)
    return first.where(table.CYCLE == "D", later).astype(float)
