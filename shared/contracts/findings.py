"""What the imaging, staging and clinical services found. Probabilities are calibrated, 0 to 1."""

import base64
import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract, ModelReference, Probability
from shared.contracts.film import DicomIdentity, FilmWarning
from shared.contracts.joint_space import JointSpace
from shared.contracts.record import Sex

Anatomy = Literal["knee", "spine"]
ImagingLabel = Literal["normal", "spine_osteoporosis", "knee_osteoporosis"]
StageLabel = Literal["Normal", "Mild", "Moderate", "Severe", "Most Severe"]
KLName = Literal["none", "doubtful", "mild", "moderate", "severe"]
WhoClass = Literal["normal", "low_bone_mass", "osteoporosis", "severe_osteoporosis", "below_expected_for_age"]
RiskCategory = Literal["low", "moderate", "high"]
Degrees = Literal[0, 90, 180, 270]
Side = Literal["left", "right", "unknown"]
SideSource = Literal["tag", "marker", "position", "unknown"]

STAGE_LABELS: tuple[StageLabel, ...] = ("Normal", "Mild", "Moderate", "Severe", "Most Severe")
# The share with osteoporosis that the readouts' probabilities are meant for.
CALIBRATED_FOR = 0.5
KL_NAMES: tuple[KLName, ...] = ("none", "doubtful", "mild", "moderate", "severe")


class Rendering(Contract):
    """A de-identified PNG, base64. Only the services make one; the gateway decides whether it is kept."""

    png_base64: str

    @classmethod
    def of(cls, png: bytes) -> "Rendering":
        """The picture as it travels."""
        return cls(png_base64=base64.b64encode(png).decode("ascii"))


# Drawing and sending them costs as much as the reading itself, so they come only where somebody looks or keeps them.
WITH_PICTURES = "Send preview and heat map along"


class ClassProbabilities(Contract):
    """The seed paper's three classes; they sum to one."""

    normal: Probability
    spine_osteoporosis: Probability
    knee_osteoporosis: Probability


class BoneProbabilities(Contract):
    """The bone head: what the bone looks like, whichever site it is; they sum to one. Never a T-score.

    They hold for a group in which half have osteoporosis; `StandAlone` has the probability for another share.
    """

    normal: Probability
    osteopenia: Probability
    osteoporosis: Probability


def low_density_leads(bone: BoneProbabilities) -> bool:
    """Whether osteopenia or osteoporosis is likelier than normal bone, so that "no sign" would contradict the bars."""
    return max(bone.osteopenia, bone.osteoporosis) > bone.normal


def bone_summary(anatomy: Anatomy, low: bool) -> str:
    """The sentence for people of a reading that is not indeterminate.

    It never says that there is no osteoporosis, nor that there is: a radiograph shows neither.
    """
    if low:
        return (
            f"Possible low bone density, seen at the {anatomy}. A radiograph cannot tell; bone density is measured by "
            "DXA."
        )
    return f"No sign of low bone density seen at the {anatomy}; a radiograph cannot rule it out."


class LikelihoodRatio(Contract):
    """How much a reading of "possible low bone density" multiplies the odds that the record already gives.

    Estimated given the record (offset regression, grouped cross-validation), with a 95% interval.
    """

    value: Annotated[float, Field(gt=0)]
    low: Annotated[float, Field(gt=0)]
    high: Annotated[float, Field(gt=0)]
    patients: Annotated[int, Field(ge=1)]
    basis: str

    @property
    def adds_something(self) -> bool:
        """Whether the interval leaves one out."""
        return not self.low <= 1 <= self.high


class StandAlone(Contract):
    """What the film alone says of osteoporosis, nothing else being known of the person but the group's prevalence."""

    probability: Annotated[Probability, Field(description="Of osteoporosis, within the anatomy that the film shows")]
    prevalence: Annotated[
        float, Field(gt=0, lt=1, description="Share with osteoporosis in the group, a setting of the site")
    ]

    @classmethod
    def at(cls, osteoporosis: float, prevalence: float) -> "StandAlone":
        """The probability for another prevalence than that which the readouts are calibrated for (Bayes, by the odds).

        Args:
            osteoporosis: the readout's probability, for a prevalence of `CALIBRATED_FOR`.
        """
        ill = osteoporosis * prevalence / CALIBRATED_FOR
        well = (1 - osteoporosis) * (1 - prevalence) / (1 - CALIBRATED_FOR)
        return cls(probability=round(ill / (ill + well), 4), prevalence=prevalence)


Appearance = Literal["normal", "low_bone_mass", "osteoporosis", "indeterminate"]


class ImagingFinding(Contract):
    """What the radiograph shows. `normal` never rules osteoporosis out; `summary` is the sentence for people."""

    label: ImagingLabel
    indeterminate: bool
    probabilities: ClassProbabilities
    anatomy: Anatomy
    bone: BoneProbabilities
    summary: str
    turned_degrees: Annotated[
        Degrees, Field(description="Clockwise turn of the picture as sent, undone before reading")
    ] = 0
    inverted: Annotated[bool, Field(description="Sent with bone dark; read with bone bright")] = False
    stand_alone: Annotated[
        StandAlone | None,
        Field(description="At the site's prevalence; null where indeterminate. `bone` and `probabilities` assume 0.5"),
    ] = None
    likelihood_ratio: Annotated[
        LikelihoodRatio | None, Field(description="From the serving model's card, for this kind of picture")
    ] = None
    model: ModelReference

    @property
    def appearance(self) -> Appearance:
        """How the bone looks, in one word; the only place that says when low density leads without a label."""
        if self.indeterminate:
            return "indeterminate"
        if self.label != "normal":
            return "osteoporosis"
        return "low_bone_mass" if low_density_leads(self.bone) else "normal"

    @property
    def possibly_low(self) -> bool:
        """Whether the film gives the words "possible low bone density"."""
        return self.appearance in ("low_bone_mass", "osteoporosis")


class Knee(Contract):
    """One knee joint. `box` is x, y, width, height in pixels of the preview that comes with the answer."""

    side: Side
    side_source: Annotated[
        SideSource, Field(description="What names the side: the file, a marker in the picture, or where the knee lies")
    ] = "unknown"
    box: Annotated[list[float], Field(min_length=4, max_length=4)]
    stage: Annotated[int, Field(ge=0, le=4, description="Kellgren-Lawrence grade: the median of the probabilities")]
    probabilities: Annotated[list[Probability], Field(min_length=5, max_length=5)]
    quality: Annotated[
        Literal["good", "uncertain"], Field(description="`uncertain`: the grade is a low-confidence one")
    ]
    note: Annotated[str | None, Field(description="Why the grade is a low-confidence one")] = None
    joint_space: Annotated[
        JointSpace | None,
        Field(description="Measured widths; no grade and no rule rests on them. Null in older answers"),
    ] = None


class StagingFinding(Contract):
    """Kellgren-Lawrence grade of the worse knee, under the seed paper's stage name and under its own."""

    stage: Annotated[int, Field(ge=0, le=4)]
    label: StageLabel
    kl_grade: Annotated[int, Field(ge=0, le=4)]
    kl_name: KLName
    probabilities: Annotated[list[Probability], Field(min_length=5, max_length=5)]
    knees: list[Knee]
    model: ModelReference


class ScreeningScore(Contract):
    """A published screening score, or why it does not apply."""

    applicable: bool
    reason: Annotated[str | None, Field(description="Why it does not apply; null where it does")] = None
    value: float | None = None
    band: RiskCategory | None = None
    refer_for_dxa: bool | None = None
    cut_off: str | None = None
    population: str
    inputs: dict[str, float | bool | str | None] = {}
    citation: str
    notes: str | None = None


class ScreeningScores(Contract):
    """The published scores, each exactly as published. FRAX is never computed here."""

    ost: ScreeningScore
    osta: ScreeningScore
    orai: ScreeningScore
    osiris: ScreeningScore
    score: ScreeningScore
    mores: ScreeningScore


class BoneDensity(Contract):
    """The WHO class from DXA (or from a low-trauma hip or vertebral fracture), with the measurement it rests on."""

    who_class: WhoClass | None
    basis: str
    site: str | None = None
    t_score: float | None = None
    z_score: float | None = None
    date: Annotated[dt.date | None, Field(description="Of the scan, where the record gives one")] = None


class Contribution(Contract):
    """How one field of the record moved the estimate away from the reference person's."""

    field: str
    value: float | bool | str | None
    effect: Annotated[float, Field(description="Change of the log odds; above zero raises the risk")]
    summary: str


class MissingField(Contract):
    """A field nobody filled in, and how far the probability could move once it is known."""

    field: str
    effect: Annotated[float, Field(ge=0, description="Largest change of the log odds that a usual value would make")]
    lowest_probability: Probability
    highest_probability: Probability
    summary: str


RecordWarningType = Literal[
    "implausible_value", "sign_slip", "degenerative_change", "wrong_unit", "future_date", "undated", "out_of_date",
    "contradiction", "assumption", "sex_open", "clipped", "out_of_scope", "check", "unclassified", "no_threshold",
    "synthetic_training_data",
]  # fmt: skip


class RecordWarning(Contract):
    """A value that was accepted though it is unlikely, or a fact the reader has to weigh; `field` names where."""

    field: str
    type: RecordWarningType
    detail: str


class SexReading(Contract):
    """The estimate by either sex, where the record leaves the sex open."""

    sex: Sex
    probability: Probability | None
    category: RiskCategory | None


class ClinicalFinding(Contract):
    """Risk from the record. `probability` is null where no model applies; `reason` then says why.

    `probability` stays the model's own estimate where a DXA or a fracture decides: `decided_by` and `conclusion`
    then say so, and `category` follows the decision, not the estimate. Where the sex is unknown, `probability` is null
    and `readings` has both.
    """

    probability: Probability | None
    low_bone_mass_probability: Annotated[
        Probability | None, Field(description="T-score below -1.0 at any site, osteoporosis included")
    ] = None
    category: RiskCategory | None
    category_basis: Annotated[str | None, Field(description="The rule behind the category")] = None
    reason: str | None = None
    decided_by: Annotated[
        Literal["model", "dxa", "fracture", "frax", "glucocorticoids"] | None,
        Field(description="What the category rests on"),
    ] = None
    conclusion: Annotated[str | None, Field(description="One sentence for people")] = None
    scores: ScreeningScores
    bone_density: BoneDensity | None = None
    readings: Annotated[
        list[SexReading] | None, Field(description="Both, where the sex is unknown; `probability` is null then")
    ] = None
    average_of_age_and_sex: Annotated[
        Probability | None, Field(description="Mean estimate of people of this age and sex, of `population`")
    ] = None
    population: str | None = None
    reference: Annotated[str | None, Field(description="The person the contributions are measured from")] = None
    reference_log_odds: Annotated[
        float | None, Field(description="Log odds of the reference; with every `effect` added, the patient's own")
    ] = None
    contributions: list[Contribution] = []
    most_informative_missing: Annotated[
        list[MissingField], Field(description="Missing fields, the one that could change the answer most first")
    ] = []
    warnings: list[RecordWarning] = []
    model: ModelReference


class FilmFigures(Contract):
    """What a film was like, without whose it was."""

    device: Annotated[str | None, Field(description="Manufacturer and model, where a DICOM file names them")] = None
    format: str
    width: Annotated[int, Field(description="Pixels as sent, upright")]
    height: int
    mean: Annotated[float, Field(description="Of the gray tones as they were read, 0 to 255")]
    spread: Annotated[float, Field(description="Their standard deviation")]


class ClassifyAnswer(Contract):
    """What imaging answers: the finding, and the pictures it was made from where they were asked for."""

    finding: ImagingFinding
    film: FilmFigures | None = None
    warnings: list[FilmWarning] = []
    source: Annotated[
        DicomIdentity | None, Field(description="Who and what the DICOM file says it is of; null for other files")
    ] = None
    preview: Rendering | None = None
    heatmap: Rendering | None = None


class StageAnswer(Contract):
    """What staging answers: the finding, and the heat map over the preview where it was asked for."""

    finding: StagingFinding
    distances: Annotated[
        list[float], Field(description="Of each knee from those the grades were measured on; 1 and more is unusual")
    ] = []
    warnings: list[FilmWarning] = []
    heatmap: Rendering | None = None
