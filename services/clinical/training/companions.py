"""What goes with the model into the service: cut-offs, averages and expected T-scores, each of one sex.

All of it comes from predictions for survey cycles that the predicting fit has not seen, so it can be derived again for
a model that is already trained.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.clinical.encoding import COLUMN_NAMES
from services.clinical.parameters import (
    AgeAverage,
    BoneDensityParameters,
    CutOffs,
    HeldOut,
)
from services.clinical.training.candidates import additive
from services.clinical.training.nhanes import Cohort
from services.clinical.training.selection import WORDS, derive_cut_offs, members, predict_unseen, screened
from services.clinical.training.survey import accuracy
from services.clinical.training.tested import tested
from services.clinical.variables import FIELDS, WOMEN_ONLY
from shared.clinic.expected import OLDEST_AGE, YOUNGEST_AGE, AgeLine, Expected, ExpectedTScore
from shared.contracts.base import ModelReference
from shared.contracts.record import BoneSite, Sex

Matrix = NDArray[np.float64]
HELD_OUT, HELD_OUT_YEARS = "H", "2013-14"
POPULATION = "US adults, NHANES 2005-2014"
REFERENCE_AGE = 60.0
BAND_YEARS = 5
SEXES: tuple[Sex, ...] = ("female", "male")
NUMBERS = ("weight_kg", "height_cm", "menopause_age", "alcohol_units_per_day")
ANSWERS: dict[str, list[dict[str, float]]] = {
    "prior_fractures": [
        {"fracture": 0.0, "major_fracture": 0.0},
        {"fracture": 1.0, "major_fracture": 0.0},
        {"fracture": 1.0, "major_fracture": 1.0},
    ],
}


@dataclass(frozen=True)
class Derived:
    """The companions, and the predictions that they and their figures come from.

    Args:
        expected_t: the lines that `shared/clinic` notices slips by.
        people: every cycle. train: all but the held-out one. test: that one.
        unseen: both probabilities of the training people, each from a fit that has not seen the person's cycle.
        predicted: both probabilities of the held-out people, by the fit on the others.
    """

    parameters: BoneDensityParameters
    expected_t: Expected
    people: Cohort
    train: Cohort
    unseen: Matrix
    test: Cohort
    predicted: Matrix


def derive(people: Cohort, model: ModelReference) -> Derived:
    """Predict, derive the cut-offs without the held-out people, and measure them there."""
    held = people.cycle == HELD_OUT
    train, test = people.where(~held), people.where(held)
    unseen, predicted = predict_unseen(train, additive), tested(train, test)
    cut_offs = derive_cut_offs(train, unseen)
    parameters = BoneDensityParameters(
        model=model,
        columns=list(COLUMN_NAMES),
        reference_age=REFERENCE_AGE,
        population=POPULATION,
        cut_offs={sex: measured(test, predicted[:, 0], sex, cut_offs[sex]) for sex in SEXES},
        averages={sex: averages(people, predict_unseen(people, additive)[:, 0], sex) for sex in SEXES},
        usual={sex: _usual(train, sex) for sex in SEXES},
    )
    lines = {sex: {site: expected_t(people, sex, site) for site in people.t_scores} for sex in SEXES}
    return Derived(parameters, lines, people, train, unseen, test, predicted)


def write_companions(parameters: BoneDensityParameters, model_dir: Path) -> None:
    """`bone_density.json` in the model's folder."""
    (model_dir / "bone_density.json").write_text(parameters.model_dump_json(indent=1) + "\n", encoding="utf-8")


def measured(test: Cohort, p: Matrix, sex: Sex, cut_offs: CutOffs) -> CutOffs:
    """The cut-offs with what they do in the held-out cycle, in figures and in one sentence for users."""
    among, case = screened(test) & members(test, sex), test.osteoporosis == 1
    high = accuracy(test, among, p >= cut_offs.high_from)
    not_low = accuracy(test, among, p >= cut_offs.low_below)
    if high is None or not_low is None:  # a trial on a few people
        return cut_offs
    who = WORDS[sex]
    rule = (
        f"{cut_offs.rule}; on the survey cycle kept apart ({HELD_OUT_YEARS}, 50 and over) 'high' found "
        f"{high.sensitivity.value:.0%} of {who} with osteoporosis and spared {high.specificity.value:.0%} of the "
        f"others, 'moderate or high' found {not_low.sensitivity.value:.0%} and spared {not_low.specificity.value:.0%}"
    )
    held_out = HeldOut(people=int(among.sum()), cases=int((among & case).sum()), high=high, not_low=not_low)
    return cut_offs.model_copy(update={"rule": rule, "held_out": held_out})


def averages(people: Cohort, p: Matrix, sex: Sex) -> list[AgeAverage]:
    """The mean probability in bands of five years; the last is the age that everybody older counts as."""
    age, member = people.columns["age"], members(people, sex)
    out = []
    for low in np.arange(YOUNGEST_AGE, OLDEST_AGE + 1, BAND_YEARS):
        rows = member & (age >= low) & (age < low + BAND_YEARS)
        if rows.any():
            # In whole years, as the survey and most records state an age.
            centre = OLDEST_AGE if low == OLDEST_AGE else low + (BAND_YEARS - 1) / 2
            mean = float(np.average(p[rows], weights=people.weight[rows]))
            out.append(AgeAverage(age=float(centre), probability=round(mean, 4)))
    return out


def expected_t(people: Cohort, sex: Sex, site: BoneSite) -> ExpectedTScore:
    """Straight lines of the T-score on age and weight, and on age alone, with survey weights."""
    t_score, age, weight_kg = people.t_scores[site], people.columns["age"], people.columns["weight_kg"]
    rows = members(people, sex) & ~np.isnan(t_score)
    known = rows & ~np.isnan(weight_kg)
    alone, sd_alone = _line(t_score[rows], people.weight[rows], age[rows])
    both, sd = _line(t_score[known], people.weight[known], age[known], weight_kg[known])
    return ExpectedTScore(
        intercept=both[0],
        per_year=both[1],
        per_kg=both[2],
        sd=sd,
        without_weight=AgeLine(intercept=alone[0], per_year=alone[1], sd=sd_alone),
    )


def _line(target: Matrix, weight: Matrix, *inputs: Matrix) -> tuple[list[float], float]:
    x = np.column_stack([np.ones(len(target)), *inputs])
    coefficients = np.linalg.solve(x.T @ (x * weight[:, None]), x.T @ (weight * target))
    spread = float(np.sqrt(np.average((target - x @ coefficients) ** 2, weights=weight)))
    return [round(float(value), 5) for value in coefficients], round(spread, 4)


def _usual(people: Cohort, sex: Sex) -> dict[str, list[dict[str, float]]]:
    """10th and 90th percentile of a number, or each possible answer, for every field that applies to the sex."""
    member = members(people, sex)
    usual: dict[str, list[dict[str, float]]] = {}
    for field, names in FIELDS.items():
        if sex == "male" and set(names) <= set(WOMEN_ONLY):
            continue
        if field in NUMBERS:
            low, high = np.nanpercentile(people.columns[field][member], [10, 90])
            usual[field] = [{field: round(float(low), 1)}, {field: round(float(high), 1)}]
        else:
            usual[field] = ANSWERS.get(field, [{names[0]: 0.0}, {names[0]: 1.0}])
    return usual
