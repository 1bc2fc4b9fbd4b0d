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
    row |= {"SDMVSTRA": 44, "SDMVPSU": 1}
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
    np.testing.assert_allclose(cohort.t_scores["femoral_neck"][0], -1.0)
    assert np.isnan(cohort.t_scores["lumbar_spine"]).all()
    assert (cohort.stratum.tolist(), cohort.cluster.tolist()) == ([44] * 5, [1] * 5)


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


CYCLES = "DEFH"


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A survey of 1,600 people in four cycles whose bone follows age and weight by a known line."""
    rng, rows = np.random.default_rng(5), []
    for number in range(1600):
        age, weight, woman = rng.integers(40, 86), rng.normal(75, 14), number // 4 % 2 == 0
        t_score = 1.5 - 0.04 * age - 0.5 * woman + 0.02 * (weight - 75) + rng.normal(0, 0.8)
        rows.append(person(
            CYCLE=CYCLES[number % 4], RIAGENDR=2 if woman else 1, RIDAGEYR=age, BMXWT=round(weight, 1),
            RIDRETH1=1 + number % 5, WTMEC2YR=rng.uniform(500, 2000), SDMVSTRA=10 * (number % 4) + number % 7,
            SDMVPSU=1 + number % 3, DXXNKBMD=0.858 + 0.12 * t_score, DXXOFBMD=0.942 + 0.122 * t_score,
            DXXOSBMD=1.047 + 0.110 * (t_score + 1.5) if number % 5 else np.nan,
            RHQ060=rng.integers(40, 56), ALQ120Q=0,
        ))  # fmt: skip
    folder = tmp_path_factory.mktemp("survey")
    pd.DataFrame(rows).to_csv(folder / "nhanes_bone.csv", index=False)
    return folder


def test_shares_are_weighted_and_their_intervals_know_the_clusters(survey: Path) -> None:
    from dataclasses import replace

    from services.clinical.training.nhanes import read_cohort
    from services.clinical.training.survey import share

    people = read_cohort(survey)
    everybody = np.ones(len(people), dtype=bool)
    old = people.columns["age"] >= 70
    found = share(people, everybody, old)
    assert found.value == pytest.approx(np.average(old, weights=people.weight), abs=1e-4)
    assert 0.01 < found.high - found.low < 0.1
    alike = replace(people, cluster=np.where(old, 1, 2))  # everybody of a cluster answers the same
    clustered = share(alike, everybody, old)
    assert clustered.high - clustered.low > 3 * (found.high - found.low)
    assert share(people, ~everybody, old) is None
    women = people.columns["female"] == 1
    all_of_them = share(people, women, women)
    assert (all_of_them.value, all_of_them.high) == (1.0, 1.0)
    assert 0.98 < all_of_them.low < 1


def test_an_interval_is_clopper_and_pearsons_where_nothing_is_clustered() -> None:
    from scipy.stats import binomtest

    from services.clinical.training.nhanes import Cohort
    from services.clinical.training.survey import share

    size, hits = 2000, 300
    positive = np.arange(size) % size < hits
    shuffled = np.random.default_rng(0).permutation(positive)
    even = np.ones(size)
    people = Cohort(
        {}, {}, {}, np.full(size, "D"), even, np.full(size, "white"), np.zeros(size, int), np.arange(size)
    )  # fmt: skip
    found = share(people, even == 1, shuffled)
    exact = binomtest(hits, size).proportion_ci()
    assert found.low == pytest.approx(exact.low, abs=0.001)
    assert found.high == pytest.approx(exact.high, abs=0.001)


def test_each_sex_gets_cut_offs_that_keep_their_promise_and_never_cross(survey: Path) -> None:
    from services.clinical.training.candidates import additive
    from services.clinical.training.nhanes import read_cohort
    from services.clinical.training.selection import derive_cut_offs, members, predict_unseen, screened

    people = read_cohort(survey)
    predicted = predict_unseen(people, additive)
    cut_offs = derive_cut_offs(people, predicted)
    assert cut_offs["female"].high_from > cut_offs["male"].high_from
    for sex in ("female", "male"):
        rows = screened(people) & members(people, sex)
        case, p, w = people.osteoporosis[rows] == 1, predicted[rows, 0], people.weight[rows]
        found, spared = p >= cut_offs[sex].low_below, p < cut_offs[sex].high_from
        assert np.average(found[case], weights=w[case]) == pytest.approx(0.9, abs=0.06)
        assert np.average(spared[~case], weights=w[~case]) == pytest.approx(0.9, abs=0.02)
    # A model that never errs: the two would cross, and change places.
    perfect = np.column_stack([0.1 + 0.8 * people.osteoporosis, people.osteoporosis])
    for of_sex in derive_cut_offs(people, perfect).values():
        assert of_sex.low_below < of_sex.high_from


def test_companions_are_measured_on_people_whom_the_fit_has_not_seen(survey: Path) -> None:
    from services.clinical.training.categories import HIGH, OST, category_metrics
    from services.clinical.training.companions import HELD_OUT, derive
    from services.clinical.training.nhanes import read_cohort
    from shared.contracts.base import ModelReference

    derived = derive(read_cohort(survey), ModelReference(name="m", version="1"))
    parameters = derived.parameters
    assert set(derived.test.cycle) == {HELD_OUT}
    assert HELD_OUT not in derived.train.cycle
    women = parameters.cut_offs["female"]
    assert women.held_out.people == int(
        ((derived.test.columns["age"] >= 50) & (derived.test.columns["female"] == 1)).sum()
    )
    assert f"found {women.held_out.high.sensitivity.value:.0%} of women" in women.rule
    ages = [point.age for point in parameters.averages["female"]]
    assert ages == [42, 47, 52, 57, 62, 67, 72, 77, 80]
    assert parameters.average("female", 80) > parameters.average("female", 60) > parameters.average("female", 45)
    line = derived.expected_t["male"]["femoral_neck"]
    assert (line.per_year, line.per_kg, line.sd) == pytest.approx((-0.04, 0.02, 0.8), abs=0.01)
    assert line.without_weight.sd > line.sd
    metrics = category_metrics(derived)
    group = metrics["categories"]["held_out"]["women of 50 and over"]
    sensitivity = women.held_out.high.sensitivity
    assert group["answers"][HIGH]["sensitivity"] == [sensitivity.value, sensitivity.low, sensitivity.high]
    assert 0 < group["answers"][OST]["share"][0] < 1
    assert metrics["expected_t"]["women"]["femoral_neck"]["over_3_sd"]["value"] < 0.01


def test_the_figures_of_another_model_are_refused_and_those_of_this_one_renewed(survey: Path, tmp_path: Path) -> None:
    import shutil

    from services.clinical.parameters import read_bone_density
    from services.clinical.training.companions import derive
    from services.clinical.training.figures import SHIPPED, AnotherModel, renew, require_same
    from services.clinical.training.nhanes import read_cohort
    from shared.manifest import verify_manifest

    people, model = read_cohort(survey), tmp_path / "model"
    with pytest.raises(AnotherModel):
        require_same(people, SHIPPED / "bone_density.onnx")
    shutil.copytree(SHIPPED, model)
    before = (model / "bone_density.onnx").read_bytes()
    renew(derive(people, read_bone_density(model).model), model, tmp_path)
    verify_manifest(model)
    assert (model / "bone_density.onnx").read_bytes() == before
    assert read_bone_density(model).cut_offs["male"].rule in (tmp_path / "clinical.md").read_text(encoding="utf-8")
