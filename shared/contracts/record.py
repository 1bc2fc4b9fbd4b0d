"""The clinical record: what a clinician knows about the patient.

Only `age` and `gender` are required. An absent field is unknown and is never read as "no". An empty list means
"none known"; a list that names one condition says nothing of the others. `shared/clinic` is the one place that reads
a meaning into it.
"""

import datetime as dt
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, Strict, StrictBool, ValidationInfo, field_validator

from shared.contracts.base import Contract

Gender = Literal["female", "male", "other", "unknown"]
Sex = Literal["female", "male"]
MenopausalStatus = Literal["premenopausal", "perimenopausal", "postmenopausal"]
Ethnicity = Literal["asian", "black", "hispanic", "white", "other"]
FractureSite = Literal[
    "hip", "vertebra", "wrist", "proximal_humerus", "pelvis", "rib", "ankle", "lower_leg", "hand_or_foot", "other"
]
BoneSite = Literal[
    "femoral_neck", "total_hip", "lumbar_spine", "distal_third_radius", "ultradistal_radius", "total_forearm",
    "trochanter", "wards_triangle", "calcaneus", "knee", "other",
]  # fmt: skip
DensityMethod = Literal["dxa", "qct", "ultrasound", "other"]
DensityDevice = Literal["hologic", "ge_lunar", "norland", "other"]
MedicalCondition = Literal[
    "rheumatoid_arthritis", "hyperthyroidism", "hypothyroidism", "primary_hyperparathyroidism", "hypoparathyroidism",
    "diabetes_type_1", "diabetes_type_2", "chronic_kidney_disease", "dialysis", "kidney_stones", "hypercalcaemia",
    "hypocalcaemia", "vitamin_d_deficiency", "coeliac_disease", "inflammatory_bowel_disease", "malabsorption",
    "bariatric_surgery", "chronic_liver_disease", "copd", "hiv", "hypogonadism", "premature_menopause",
    "osteogenesis_imperfecta", "ankylosing_spondylitis", "systemic_lupus", "epilepsy", "stroke",
    "myocardial_infarction", "coronary_heart_disease", "heart_failure", "uncontrolled_hypertension",
    "venous_thromboembolism", "thrombophilia", "breast_cancer", "endometrial_cancer", "prostate_cancer",
    "bone_metastases", "multiple_myeloma", "other_cancer", "skeletal_radiation", "paget_disease",
    "oesophageal_stricture", "achalasia", "barretts_oesophagus", "gastro_oesophageal_reflux", "peptic_ulcer",
    "cannot_sit_upright_30_min", "porphyria", "undiagnosed_vaginal_bleeding", "dementia", "parkinson_disease",
    "depression", "anorexia_nervosa", "transplant", "knee_osteoarthritis", "atypical_femoral_fracture",
    "osteonecrosis_of_jaw", "raised_alkaline_phosphatase", "frailty",
]  # fmt: skip
Medication = Literal[
    "glucocorticoids", "aromatase_inhibitors", "androgen_deprivation", "anticonvulsants", "proton_pump_inhibitors",
    "ssri", "thyroid_hormone", "heparin", "thiazolidinediones", "calcineurin_inhibitors", "loop_diuretics",
    "nsaids", "anticoagulants", "depot_medroxyprogesterone", "tenofovir", "oral_bisphosphonate", "iv_bisphosphonate",
    "denosumab", "teriparatide", "abaloparatide", "romosozumab", "raloxifene", "hormone_therapy", "calcium",
    "vitamin_d",
]  # fmt: skip
FraxCountry = Literal["us", "uk", "india", "other"]


class OtherUnit(NamedTuple):
    """Values that are impossible in a field's own unit and usual in another one."""

    low: float
    high: float
    unit: str
    factor: float


OTHER_UNITS = {
    "creatinine_umol_per_l": OtherUnit(0.2, 9.99, "mg/dL and umol/L is needed", 88.4),
    "serum_calcium_mmol_per_l": OtherUnit(6.01, 20, "mg/dL and mmol/L is needed", 0.2495),
    "height_cm": OtherUnit(1.2, 2.4, "metres and centimetres are needed", 100),
}

Number = Annotated[float, Strict()]
Whole = Annotated[int, Strict()]


class Fracture(Contract):
    """One earlier fracture; `low_trauma` is a fall from standing height or less."""

    site: FractureSite
    age: Annotated[Number | None, Field(ge=0, le=120, description="Age at the fracture, years")] = None
    low_trauma: StrictBool | None = None
    months_ago: Annotated[Number | None, Field(ge=0, le=1440)] = None


class DensityScore(Contract):
    """A T- or Z-score as printed on the report, in standard deviations."""

    site: BoneSite
    value: Annotated[Number, Field(ge=-10, le=10)]
    method: DensityMethod = "dxa"
    date: dt.date | None = None


class DensityMeasurement(Contract):
    """An areal bone mineral density as printed on the report; without the device no T-score can be computed."""

    site: BoneSite
    g_per_cm2: Annotated[Number, Field(gt=0, le=3)]
    device: DensityDevice | None = None
    date: dt.date | None = None


class ClinicalRecord(Contract):
    """What is known about the patient. Units are in the names; unknown is absent."""

    age: Annotated[Number, Field(ge=0, le=120, description="Age, years", examples=[67])]
    gender: Gender
    sex_recorded_at_birth: Annotated[
        Sex | None, Field(description="Where it differs from `gender`, or `gender` is other or unknown")
    ] = None
    gonadectomy: Annotated[StrictBool | None, Field(description="Ovaries or testes removed")] = None
    gender_affirming_hormones: Annotated[
        StrictBool | Literal["oestrogen", "testosterone"] | None, Field(description="Taken now; which, where known")
    ] = None
    menopausal_status: MenopausalStatus | None = None
    menopause_age: Annotated[Number | None, Field(ge=10, le=70, description="Age at the last period, years")] = None
    family_history: Annotated[StrictBool | None, Field(description="Osteoporosis in a parent")] = None
    parent_hip_fracture: StrictBool | None = None
    ethnicity: Ethnicity | None = None
    weight_kg: Annotated[Number | None, Field(ge=20, le=400)] = None
    height_cm: Annotated[Number | None, Field(ge=50, le=260)] = None
    height_loss_cm: Annotated[Number | None, Field(ge=0, le=40, description="Loss since early adult life")] = None
    calcium_mg_per_day: Annotated[Number | None, Field(ge=0, le=10_000, description="Diet and supplements")] = None
    vitamin_d_iu_per_day: Annotated[Number | None, Field(ge=0, le=100_000, description="Diet and supplements")] = None
    physical_activity: Literal["sedentary", "active"] | None = None
    smoking: Literal["never", "former", "current"] | None = None
    alcohol_units_per_day: Annotated[Number | None, Field(ge=0, le=100)] = None
    falls_past_year: Annotated[Whole | None, Field(ge=0, le=365)] = None
    medical_conditions: list[MedicalCondition] | None = None
    medical_conditions_excluded: Annotated[
        list[MedicalCondition] | None, Field(description="Asked for and known to be absent")
    ] = None
    medications: list[Medication] | None = None
    medications_excluded: Annotated[
        list[Medication] | None, Field(description="Asked for and known not to be taken")
    ] = None
    glucocorticoid_mg_per_day: Annotated[Number | None, Field(ge=0, le=200, description="Prednisolone equivalent")] = (
        None
    )
    glucocorticoid_months: Annotated[Number | None, Field(ge=0, le=1200)] = None
    denosumab_doses: Annotated[Whole | None, Field(ge=0, le=100)] = None
    denosumab_last_dose_months_ago: Annotated[Number | None, Field(ge=0, le=600)] = None
    zoledronate_months_ago: Annotated[
        Number | None, Field(ge=0, le=600, description="Since the last infusion of zoledronate")
    ] = None
    bisphosphonate_years: Annotated[Number | None, Field(ge=0, le=60)] = None
    prior_fractures: StrictBool | list[Fracture] | None = None
    oestrogen_use: Annotated[StrictBool | None, Field(description="Current oestrogen therapy")] = None
    oestrogen_ever: StrictBool | None = None
    pregnant: StrictBool | None = None
    breastfeeding: StrictBool | None = None
    egfr_ml_per_min: Annotated[Number | None, Field(ge=0, le=250, description="Per 1.73 m2")] = None
    creatinine_umol_per_l: Annotated[Number | None, Field(ge=10, le=3000)] = None
    serum_calcium_mmol_per_l: Annotated[Number | None, Field(ge=0.5, le=6, description="Albumin-adjusted")] = None
    vitamin_d_25oh_nmol_per_l: Annotated[Number | None, Field(ge=0, le=1000)] = None
    months_since_cardiovascular_event: Annotated[
        Number | None, Field(ge=0, le=1440, description="Since the last myocardial infarction or stroke")
    ] = None
    knee_pain: StrictBool | None = None
    hot_swollen_knee: StrictBool | None = None
    back_pain: Annotated[StrictBool | None, Field(description="New or sudden back pain")] = None
    neurological_signs: Annotated[
        StrictBool | None,
        Field(description="New bladder or bowel trouble, saddle numbness, weak or numb legs"),
    ] = None
    saddle_or_bladder_signs: Annotated[
        StrictBool | None, Field(description="Numb between the legs, or new trouble holding or passing urine or stool")
    ] = None
    fever: Annotated[StrictBool | None, Field(description="Now, without another cause")] = None
    immunosuppression: Annotated[StrictBool | None, Field(description="By disease or medicine, or injected drugs")] = (
        None
    )
    unexplained_weight_loss: StrictBool | None = None
    thigh_or_groin_pain: Annotated[StrictBool | None, Field(description="New, without an injury")] = None
    t_scores: list[DensityScore] | None = None
    z_scores: list[DensityScore] | None = None
    bmd: list[DensityMeasurement] | None = None
    frax_major: Annotated[
        Number | None, Field(ge=0, le=100, description="FRAX 10-year major osteoporotic fracture, per cent")
    ] = None
    frax_hip: Annotated[Number | None, Field(ge=0, le=100, description="FRAX 10-year hip fracture, per cent")] = None
    frax_country: Annotated[
        FraxCountry | None, Field(description="The country model FRAX was computed with; thresholds differ")
    ] = None

    @field_validator("creatinine_umol_per_l", "serum_calcium_mmol_per_l", "height_cm", mode="before")
    @classmethod
    def _in_the_unit_of_its_name(cls, value: object, info: ValidationInfo) -> object:
        hint = OTHER_UNITS[info.field_name or ""]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and hint.low <= value <= hint.high:
            raise ValueError(f"{value:g} looks like {hint.unit}: times {hint.factor:g} it is {value * hint.factor:.4g}")
        return value

    @field_validator("menopause_age")
    @classmethod
    def _menopause_is_past(cls, value: float | None, info: ValidationInfo) -> float | None:
        age = info.data.get("age")
        if value is not None and age is not None and value > age:
            raise ValueError(f"the last period at {value:g} cannot lie after the present age, {age:g}")
        return value

    @field_validator("prior_fractures")
    @classmethod
    def _fractures_are_past(
        cls, value: bool | list[Fracture] | None, info: ValidationInfo
    ) -> bool | list[Fracture] | None:
        age = info.data.get("age")
        for fracture in value if isinstance(value, list) else []:
            if fracture.age is not None and age is not None and fracture.age > age:
                raise ValueError(f"a fracture at {fracture.age:g} cannot lie after the present age, {age:g}")
        return value
