"""What the categories mean to a reader: whom they pick out, in each sex, age band and ethnic group of 50 and over.

Judged on the held-out cycle and on the training cycles, each predicted by a fit that has not seen it (the two cut-offs
of each sex were derived from the latter), beside the cut-offs that served both sexes before and beside OST.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.clinical.parameters import CutOffs, Share
from services.clinical.training.companions import SEXES, Derived
from services.clinical.training.nhanes import Cohort
from services.clinical.training.selection import WORDS, cut_offs_of, members, screened, untruncated_ost_of
from services.clinical.training.survey import Chosen, accuracy, share
from services.clinical.training.warned import warned_shares
from shared.clinic.expected import Expected, ExpectedTScore
from shared.clinic.signs import TOO_HIGH_SD
from shared.contracts.record import BoneSite, Sex

Matrix = NDArray[np.float64]
AGES: dict[str, tuple[int, int]] = {
    "50 to 64": (50, 65), "65 to 74": (65, 75), "75 to 79": (75, 80), "80 and over": (80, 121),
    "50 and over": (50, 121), "65 and over": (65, 121), "75 and over": (75, 121),
}  # fmt: skip
OST_BELOW: dict[Sex, int] = {"female": 2, "male": 4}
HIGH, NOT_LOW = "high", "moderate or high"
POOLED = "one cut-off for both sexes, as before 1.2"
OST = "OST below 2 (women) or 4 (men)"


def category_metrics(derived: Derived) -> dict[str, Any]:
    """For the card: cut-offs, their meaning, averages, expected T-scores, and who would be warned of a slip."""
    both = cut_offs_of(derived.train, derived.unseen, np.ones(len(derived.train), dtype=bool), "both sexes")
    sexes = derived.parameters.cut_offs
    return {
        "cut_offs": {sex: sexes[sex].model_dump() for sex in SEXES},
        "cut_offs_for_both_sexes_as_before_1.2": both.model_dump(exclude_none=True),
        "categories": {
            "how": "each share as [value, low, high], survey-weighted, 95% interval; people of 50 and over",
            "held_out": category_table(derived.test, derived.predicted[:, 0], sexes, both),
            "cross_validated": category_table(derived.train, derived.unseen[:, 0], sexes, both),
        },
        "averages": {sex: {f"{a.age:g}": a.probability for a in derived.parameters.averages[sex]} for sex in SEXES},
        "expected_t": expected_t_figures(derived.people, derived.expected_t),
        "warned_of_a_slip": warned_shares(derived.people),
    }


def category_table(people: Cohort, p: Matrix, cut_offs: dict[Sex, CutOffs], both: CutOffs) -> dict[str, dict[str, Any]]:
    """Every group, and what each answer means in it."""
    women, old = members(people, "female"), screened(people)
    ost = np.trunc(np.round(np.nan_to_num(untruncated_ost_of(people)), 9))
    low_below, high_from, ost_below = (
        np.where(women, of_women, of_men)
        for of_women, of_men in (
            (cut_offs["female"].low_below, cut_offs["male"].low_below),
            (cut_offs["female"].high_from, cut_offs["male"].high_from),
            (OST_BELOW["female"], OST_BELOW["male"]),
        )
    )
    answers: dict[str, Chosen] = {
        HIGH: p >= high_from,
        NOT_LOW: p >= low_below,
        f"{HIGH}, {POOLED}": p >= both.high_from,
        f"{NOT_LOW}, {POOLED}": p >= both.low_below,
        OST: ost < ost_below,
    }
    return {name: _group(people, rows & old, answers) for name, rows in _groups(people).items()}


def _groups(people: Cohort) -> dict[str, Chosen]:
    age = people.columns["age"]
    parts = {f"of {name}": (age >= low) & (age < high) for name, (low, high) in AGES.items()}
    parts |= {str(name): people.ethnicity == name for name in np.unique(people.ethnicity)}
    return {
        f"{WORDS[sex]} {name}" if name.startswith("of ") else f"{name} {WORDS[sex]}": rows & members(people, sex)
        for sex in SEXES
        for name, rows in parts.items()
    }


def _group(people: Cohort, rows: Chosen, answers: dict[str, Chosen]) -> dict[str, Any]:
    case = people.osteoporosis == 1
    return {
        "people": int(rows.sum()),
        "cases": int((rows & case).sum()),
        "osteoporosis": _listed(share(people, rows, case)),
        "answers": {name: _answer(people, rows, positive) for name, positive in answers.items()},
    }


def _answer(people: Cohort, rows: Chosen, positive: Chosen) -> dict[str, Any]:
    """How many get the answer, whom it finds and spares, and how many of those with and without it are ill."""
    case, shares = people.osteoporosis == 1, accuracy(people, rows, positive)
    return {
        "share": _listed(share(people, rows, positive)),
        "sensitivity": _listed(shares.sensitivity if shares else None),
        "specificity": _listed(shares.specificity if shares else None),
        "ppv": _listed(share(people, rows & positive, case)),
        "osteoporosis_among_the_others": _listed(share(people, rows & ~positive, case)),
    }


def _listed(figure: Share | None) -> list[float] | None:
    """There are many of them, so they are kept short: the share and both ends of its interval."""
    return [figure.value, figure.low, figure.high] if figure else None


def expected_t_figures(people: Cohort, lines: Expected) -> dict[str, Any]:
    """The lines by sex and site, and how many people lie so far above them that a warning would be given."""
    return {
        WORDS[sex]: {site: _far_above(people, sex, site, line) for site, line in lines[sex].items()} for sex in SEXES
    }


def _far_above(people: Cohort, sex: Sex, site: BoneSite, line: ExpectedTScore) -> dict[str, Any]:
    t_score, age, weight_kg = people.t_scores[site], people.columns["age"], people.columns["weight_kg"]
    rows = members(people, sex) & ~np.isnan(t_score)
    known = rows & ~np.isnan(weight_kg)

    def far(weights: list[float | None]) -> Chosen:
        above = [line.sds_above(*each) for each in zip(t_score, age, weights, strict=True)]
        return np.array(above) > TOO_HIGH_SD

    return {
        "people": int(rows.sum()),
        "line": line.model_dump(),
        "over_3_sd": _dumped(share(people, known, far(weight_kg.tolist()))),
        "over_3_sd_without_weight": _dumped(share(people, rows, far([None] * len(people)))),
    }


def _dumped(figure: Share | None) -> dict[str, float] | None:
    return figure.model_dump() if figure else None
