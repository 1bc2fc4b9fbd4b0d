"""What the training rests on: figures that agree with scikit-learn's, codes read as the codebooks define them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

pytestmark = pytest.mark.training

YES, NO, DONT_KNOW = 1, 2, 9


NOT_ASKED = [
    "MCQ190", "MCQ191", "MCQ195", "RHD042", "RHD043", "RHQ060", "SMQ040", "ALQ120Q", "ALQ120U", "ALQ130", "PAD200",
    "PAD320", "PAQ180", "DR1TVD", "DR1TCALC",
]  # fmt: skip
ASKED = [
    "OSQ010A", "OSQ010B", "OSQ010C", "OSQ080", "OSQ150", "OSQ170", "OSQ200", "MCQ160A", "MCQ160M", "MCQ160L", "DIQ010",
    "KIQ022", "RHQ031", "RHQ540", "SMQ020", "ALQ101", "ALQ110", "PAQ605", "PAQ620", "PAQ635", "PAQ650", "PAQ665",
]  # fmt: skip


def person(**codes: object) -> dict[str, object]:
    """One row of the table: a woman of 67 who answered "no" throughout."""
    row: dict[str, object] = dict.fromkeys(NOT_ASKED, np.nan)
    row |= dict.fromkeys(ASKED, NO)
    row |= {"RX_GLUCOCORTICOID": 0, "RX_ESTROGEN": 0, "BMXWT": 60.0, "BMXHT": 160.0, "WTMEC2YR": 1000.0}
    row |= {"CYCLE": "E", "RIAGENDR": 2, "RIDAGEYR": 67, "RIDRETH1": 3}
    row |= {"DXXNKBMD": 0.738, "DXXOFBMD": 0.9, "DXXOSBMD": np.nan}
    return row | codes


def test_codes_are_read_as_the_codebooks_define_them(tmp_path: Path) -> None:
    from services.clinical.training.nhanes import read_cohort

    rows = [
        person(),
        person(RIDAGEYR=85, OSQ010A=YES, OSQ150=DONT_KNOW, OSQ170=DONT_KNOW, OSQ200=DONT_KNOW, DIQ010=3),
        person(RHD042=7, SMQ020=YES, SMQ040=2, ALQ101=YES, ALQ120Q=2, ALQ120U=1, ALQ130=2, DXXNKBMD=0.55),
        person(RIAGENDR=1, RHQ031=np.nan, OSQ080=YES, MCQ160A=YES, MCQ195=2),
        person(RIDAGEYR=39),
        person(SMQ020=DONT_KNOW, ALQ101=YES, ALQ120Q=999, RHQ060=999, CYCLE="D", PAD320=YES),
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "nhanes_bone.csv", index=False)
    cohort = read_cohort(tmp_path)
    columns = cohort.columns
    assert len(cohort) == 5  # nobody under 40
    assert columns["age"].tolist() == [67, 80, 67, 67, 67]
    assert columns["major_fracture"].tolist() == [0, 1, 0, 0, 0]
    assert columns["fracture"].tolist() == [0, 1, 0, 1, 0]
    np.testing.assert_array_equal(columns["parental"], [0, np.nan, 0, 0, 0])
    np.testing.assert_array_equal(columns["diabetes"], [0, np.nan, 0, 0, 0])
    np.testing.assert_array_equal(columns["past_menopause"], [np.nan, np.nan, 1, np.nan, np.nan])
    np.testing.assert_array_equal(columns["smoker"], [0, 0, 1, 0, np.nan])
    np.testing.assert_allclose(columns["alcohol_units_per_day"], [0, 0, 2 * 52 * 2 / 365 * 1.75, 0, np.nan])
    np.testing.assert_array_equal(columns["rheumatoid_arthritis"], [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(columns["menopause_age"], np.full(5, np.nan))
    np.testing.assert_array_equal(columns["active"], [0, 0, 0, 0, 1])
    assert cohort.osteoporosis.tolist() == [0, 0, 1, 0, 0]
    np.testing.assert_allclose(cohort.lowest_t[0], -1.0)


def test_figures_agree_with_scikit_learn() -> None:
    from services.clinical.training.metrics import auc, calibration, calibration_error

    rng = np.random.default_rng(0)
    log_odds = np.round(rng.normal(-2, 1.5, 3000), 1)  # rounded, so that there are ties
    p = 1 / (1 + np.exp(-log_odds))
    y = (rng.uniform(size=3000) < p).astype(int)
    w = rng.uniform(0.1, 3, 3000)
    assert auc(y, p, w) == pytest.approx(metrics.roc_auc_score(y, p, sample_weight=w), abs=1e-12)
    slope, intercept = calibration(y, p)
    assert slope == pytest.approx(1, abs=0.1)
    assert intercept == pytest.approx(0, abs=0.2)
    assert calibration_error(y, p) < 0.02
    assert calibration(y, 1 / (1 + np.exp(-2 * log_odds)))[0] == pytest.approx(slope / 2, abs=1e-6)
    assert np.isnan(auc(np.ones(4, dtype=int), p[:4]))


def test_hiding_fields_hides_whole_fields_and_never_age_or_sex() -> None:
    from services.clinical.training.additive import masked
    from services.clinical.variables import FIELDS, VARIABLES

    columns = {name: np.ones(500) for name in VARIABLES}
    hidden = masked(columns, np.random.default_rng(0), 0.5)
    assert not np.isnan(hidden["age"]).any()
    assert not np.isnan(hidden["female"]).any()
    np.testing.assert_array_equal(np.isnan(hidden["fracture"]), np.isnan(hidden["major_fracture"]))
    for names in FIELDS.values():
        assert 0.35 < np.isnan(hidden[names[0]]).mean() < 0.65
    assert all(np.isnan(masked(columns, np.random.default_rng(0), 1.0)[n]).all() for f in FIELDS.values() for n in f)
