"""The two model cards, as data: what `GET /v1/model` answers."""

from typing import Any

from services.clinical.training.bone_density import REFERENCE as BONE_DENSITY
from services.clinical.training.evidence import bone_density_evidence, lifestyle_evidence
from services.clinical.training.lifestyle import REFERENCE as LIFESTYLE
from services.clinical.training.selection import WORDS
from shared.contracts.models import ModelCard
from shared.weights import BONE_DENSITY as BONE_DENSITY_WEIGHTS
from shared.weights import LIFESTYLE as LIFESTYLE_WEIGHTS
from shared.weights import uses_of

COMMAND = "make train-clinical DATA=DIR"
EXCLUDED = (
    "No diagnosis, no prescription, no person under 40, no replacement for DXA. Not a fracture risk: FRAX and its "
    "kin answer that. Not for monitoring treatment. Not for deciding against DXA where a guideline asks for it."
)


def bone_density_card(metrics: dict[str, Any]) -> ModelCard:
    """The default model's card."""
    return ModelCard(
        name=BONE_DENSITY.name,
        version=BONE_DENSITY.version,
        service="clinical",
        summary=(
            "Probability that a DXA of femoral neck, total hip and lumbar spine would show osteoporosis (T <= -2.5 at "
            "any of them) and low bone mass (T < -1.0), from the clinical record. Additive in the log odds: every "
            "contribution is exact."
        ),
        intended_use="Adults of 40 and over: whom to consider for DXA, by a clinician who can check the reasons.",
        excluded_use=EXCLUDED,
        licence="Learned from a work of the US government in the public domain; the weights carry the code's licence.",
        weights=uses_of(BONE_DENSITY_WEIGHTS),
        data=[
            "NHANES 2005-06, 2007-08, 2009-10 (training and cross-validation) and 2013-14 (held out, looked at once "
            "for this version, then added to the fit that ships): adults of 40 and over with a valid hip or spine DXA "
            "(Hologic).",
            "T-scores: femoral neck 0.858 (SD 0.120) and total hip 0.942 (0.122), NHANES III white women of 20-29, for "
            "women and men of every ethnic group (ISCD 2023); lumbar spine 1.047 (0.110), Hologic's own reference. The "
            "six numbers come from secondary sources and await a clinician's sign-off.",
            "Missing answers stay missing; fields are also hidden at random in the training, so that a short record "
            "gets an honest answer.",
        ],
        metrics=metrics,
        evidence=bone_density_evidence(metrics),
        limits=[
            "One country with its own mix of ages and ethnic groups, one scanner maker; Asian people are not told "
            "apart from other small groups.",
            _calibration_in_words(metrics),
            "Version 1.1 calibrates each sex on its own, a change decided by cross-validation; the held-out cycle was "
            "looked at for 1.0 as well (same sum, one calibration: AUC 0.838, slope 0.88, calibration error 0.022).",
            "Version 1.2 is the same network with cut-offs for each sex, derived without the held-out cycle; that they "
            "were wanted was seen in all cycles.",
            "Intervals of ranking and calibration resample people, not the survey's clusters; a design-based interval "
            "would be somewhat wider. Those of `categories` know the clusters.",
            "The figures are those of the fit without the held-out cycle; what ships is the same recipe fitted to all "
            "four cycles (see `shipped`).",
            "Ages are clipped at 80, since later cycles give none above.",
            "Spine is missing in about a third of the later cycles (arthrosis, implants): a person with an unmeasured "
            "low spine counts as free of osteoporosis.",
            "Ethnicity is no input. With it the AUC rises a little, but the sensitivity among Black women falls at "
            "every cut-off (see `ethnicity`): it would lower the estimate of those whom scores already miss.",
            "Hispanic women have more osteoporosis than predicted, with or without ethnicity as an input.",
            *(_category_in_words(words, metrics["cut_offs"][sex]) for sex, words in WORDS.items()),
            "The cut-offs are one pair a sex, whatever the age: among the oldest many are 'high' and few 'low' (see "
            "`categories`), because osteoporosis is that frequent there.",
            "Rheumatoid arthritis, thyroid and liver disease get no effect and glucocorticoids hardly any: the survey "
            "has few such people, and where their bone density points the other way no effect is taken, not a wrong "
            "one. They raise the fracture risk all the same.",
            "Calcium and vitamin D intake are no inputs: one day's recall adds nothing (see `cross_validation`).",
            "Treatment is no input: a bone drug marks an earlier diagnosis, and would let the model answer from it.",
            "Alcohol and diabetes lower the estimate: associations with bone density, no advice, and no lower risk of "
            "fracture.",
        ],
        trained=COMMAND,
    )


def _calibration_in_words(metrics: dict[str, Any]) -> str:
    row = metrics["held_out"]["calibration, 50 and over"]["osteoporosis"]
    return (
        f"In the held-out cycle, at 50 and over, {row['mean_predicted']:.1%} was predicted and {row['observed']:.1%} "
        f"observed (slope {row['slope']['value']:.2f}, calibration error {row['ece']['value']:.3f}): osteoporosis was "
        "more frequent than in the cycles before."
    )


def _category_in_words(who: str, cut_offs: dict[str, Any]) -> str:
    held_out = cut_offs["held_out"]
    if held_out is None:
        return f"What the categories of {who} mean was not measured on a cycle kept apart."
    sensitivity = held_out["high"]["sensitivity"]
    return (
        f"Being 'high' finds {sensitivity['value']:.0%} "
        f"({sensitivity['low']:.0%} to {sensitivity['high']:.0%}) of {who} with "
        "osteoporosis in the held-out cycle: 'moderate' and 'low' do not rule it out."
    )


def lifestyle_card(metrics: dict[str, Any]) -> ModelCard:
    """The seed model's card."""
    age_only = metrics["test_age_only"]["accuracy"]["value"]
    return ModelCard(
        name=LIFESTYLE.name,
        version=LIFESTYLE.version,
        service="clinical",
        summary="The seed system's questionnaire model, reproduced: gradient boosting (stumps, so additive).",
        intended_use="Comparison with the seed system's published figure (92.01%) and demonstrations.",
        excluded_use="Any decision about a person. Use the bone-density model.",
        licence="The data's licence is unknown: weights for research use only, apart from the code's licence.",
        weights=uses_of(LIFESTYLE_WEIGHTS),
        data=["'Lifestyle Factors Influencing Osteoporosis' (Kaggle); exact duplicates dropped; 70:20:10, stratified."],
        metrics=metrics,
        evidence=lifestyle_evidence(metrics),
        limits=[
            "The data look synthetic: every row over 40 is positive, no negative is older than 38.",
            "Negatives exist only at some whole ages (such as 29, 34 or 35), positives at all: the model learns these "
            "steps, which no biology explains. It is therefore not monotonic in age.",
            f"Age alone reaches {age_only:.1%} on the same test part, no worse than the whole questionnaire; the other "
            "answers carry almost nothing.",
            "The test part is small: the accuracy's interval is several points wide, and cross-validation on the "
            "training part is the steadier figure.",
            "'None' is an answer in this table, not a missing value; no answer has a unit or a definition.",
        ],
        trained=COMMAND,
    )
