"""Records made at random, the usual and the rough together, as a form, a hospital system or a slip may send them."""

import datetime as dt
from random import Random
from typing import Any, get_args

from shared.contracts.record import (
    BoneSite,
    DensityMethod,
    Ethnicity,
    FractureSite,
    FraxCountry,
    Gender,
    MedicalCondition,
    Medication,
    MenopausalStatus,
)
from tests.unit.answer.whole import TODAY

DENSITY_SITES: tuple[BoneSite, ...] = ("femoral_neck", "total_hip", "lumbar_spine", "distal_third_radius")
NUMBERS: dict[str, tuple[float, float]] = {
    "weight_kg": (35, 150), "height_cm": (140, 195), "height_loss_cm": (0, 8), "calcium_mg_per_day": (200, 2600),
    "vitamin_d_iu_per_day": (0, 5000), "alcohol_units_per_day": (0, 6), "egfr_ml_per_min": (10, 120),
    "creatinine_umol_per_l": (40, 300), "serum_calcium_mmol_per_l": (1.8, 3.6), "vitamin_d_25oh_nmol_per_l": (10, 400),
    "frax_major": (0.5, 45), "frax_hip": (0.1, 15), "bisphosphonate_years": (0, 14), "zoledronate_months_ago": (0, 40),
    "denosumab_last_dose_months_ago": (0, 30), "months_since_cardiovascular_event": (0, 200),
}  # fmt: skip
ANSWERS = (
    "family_history", "parent_hip_fracture", "oestrogen_use", "oestrogen_ever", "knee_pain", "hot_swollen_knee",
    "back_pain", "neurological_signs", "saddle_or_bladder_signs", "fever", "immunosuppression",
    "unexplained_weight_loss", "thigh_or_groin_pain", "pregnant", "breastfeeding", "gonadectomy",
)  # fmt: skip


def some_record(random: Random) -> dict[str, Any]:
    """One record; about half of the fields are left open."""
    age = float(random.randint(12, 96))
    record: dict[str, Any] = {"age": age, "gender": random.choices(get_args(Gender), (10, 8, 1, 1))[0]}
    for name, (low, high) in NUMBERS.items():
        if random.random() < 0.35:
            record[name] = round(random.uniform(low, high), 1)
    record |= {name: random.random() < 0.15 for name in ANSWERS if random.random() < 0.4}
    record |= _history(random, age)
    record |= _densities(random)
    if random.random() < 0.25:
        record |= {"glucocorticoid_mg_per_day": random.choice([0.0, 2.0, 2.5, 5.0, 7.5, 15.0, 30.0])}
        record |= {"glucocorticoid_months": random.choice([1.0, 3.0, 4.0, 12.0])} if random.random() < 0.8 else {}
    return record


def _history(random: Random, age: float) -> dict[str, Any]:
    choices: dict[str, tuple[Any, ...]] = {
        "menopausal_status": get_args(MenopausalStatus),
        "ethnicity": get_args(Ethnicity),
        "smoking": ("never", "former", "current"),
        "falls_past_year": (0, 1, 2, 4),
        "frax_country": get_args(FraxCountry),
        "denosumab_doses": (0, 1, 2, 6),
        "menopause_age": tuple(float(years) for years in range(12, 57) if years <= age),
    }
    found = {name: random.choice(values) for name, values in choices.items() if random.random() < 0.4}
    for name, vocabulary in (("medical_conditions", MedicalCondition), ("medications", Medication)):
        if random.random() < 0.7:
            found[name] = random.sample(get_args(vocabulary), random.choice([0, 0, 1, 1, 2, 3]))
    if random.random() < 0.7:
        found["prior_fractures"] = random.choice([False, True, _fractures(random, age), _fractures(random, age)])
    return found


def _fractures(random: Random, age: float) -> list[dict[str, Any]]:
    fractures = []
    for _ in range(random.choice([1, 1, 2, 3])):
        only: dict[str, Any] = {"site": random.choice(get_args(FractureSite))}
        if random.random() < 0.7:
            only["low_trauma"] = random.random() < 0.7
        if random.random() < 0.5:
            only["months_ago"] = float(random.randint(0, 60))
        elif random.random() < 0.5:
            only["age"] = float(random.randint(3, int(age)))
        fractures.append(only)
    return fractures


def _densities(random: Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, likely in (("t_scores", 0.6), ("z_scores", 0.25)):
        if random.random() < likely:
            found[name] = [_score(random) for _ in range(random.choice([1, 1, 2, 3]))]
    return found


def _score(random: Random) -> dict[str, Any]:
    usual = random.random() < 0.85
    score: dict[str, Any] = {
        "site": random.choice(DENSITY_SITES if usual else get_args(BoneSite)),
        "value": round(random.gauss(-1.6, 1.3), 1),
        "method": "dxa" if usual else random.choice(get_args(DensityMethod)),
    }
    if random.random() < 0.5:
        days = random.choice([20, 200, 500, 900, 2000, 4000, -400])
        score["date"] = (TODAY - dt.timedelta(days=days)).isoformat()
    return score
