"""The part of the clinical page that says what the categories mean, from the card's figures."""

from typing import Any

from services.clinical.training.categories import HIGH, NOT_LOW, OST, POOLED
from services.clinical.training.markdown import per_cent, table
from services.clinical.training.selection import WORDS

HEADS = (
    "",
    "people",
    "cases",
    "osteoporosis, %",
    "get it, %",
    "sensitivity, %",
    "specificity, %",
    "PPV, %",
    "osteoporosis among the others, %",
)
COHORTS = {
    "held_out": "the held-out survey cycle (2013-14), by the fit on the cycles before",
    "cross_validated": "the training cycles (2005-10), each by fits that have not seen it; the cut-offs come from them",
}
ANSWERS = (HIGH, NOT_LOW, f"{HIGH}, {POOLED}", f"{NOT_LOW}, {POOLED}", OST)


def categories(metrics: dict[str, Any]) -> list[str]:
    """Cut-offs, the tables of what they do, averages, and expected T-scores."""
    pooled = metrics["cut_offs_for_both_sexes_as_before_1.2"]
    return [
        "### Categories",
        "",
        *(f"- {of_sex['rule']}." for of_sex in metrics["cut_offs"].values()),
        "",
        "Derived within each sex at 50 and over, by cross-validation over survey cycles with survey weights: below the "
        "first lies a tenth of the cases, from the second on a tenth of the others. Up to 1.1 both sexes shared "
        f"{pooled['low_below']:.1%} and {pooled['high_from']:.1%}. A DXA class, a fragility fracture or FRAX over its "
        "threshold decides over the category.",
        "",
        "Below: people of 50 and over with a known weight, survey-weighted shares in per cent, with Korn and "
        "Graubard's 95% intervals, which know the survey's strata and clusters. Nobody is judged by a fit that has "
        "seen them. Where cases are few, read the interval, not the share.",
        "",
        *_tables(metrics["categories"]),
        "### Averages of age and sex",
        "",
        "Mean estimate in all four cycles, each by a fit that has not seen it; survey-weighted.",
        "",
        *_averages(metrics["averages"]),
        "",
        "### The T-score that age and weight lead one to expect",
        "",
        "Straight lines in adults of 40 and over (all four cycles, survey-weighted), by the reference of white women "
        "of 20 to 29 for both sexes. A T-score over 3 SD above the line deserves a second look.",
        "",
        *_expected(metrics["expected_t"]),
        "",
        "### Who would be warned of a slip",
        "",
        "People of 40 and over of the survey in whom age, sex, weight, height or T-scores would give a warning of an "
        "unlikely value, a lost sign, a spine far above the hip, or pounds for kilograms. Real people are warned of "
        "needlessly; at most 1% is the aim.",
        "",
        *_warned(metrics["warned_of_a_slip"]),
        "",
    ]


def _tables(cohorts: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for cohort, words in COHORTS.items():
        lines += [f"#### What the answers mean in {words}", ""]
        for answer in ANSWERS:
            rows = [_row(name, group, answer) for name, group in cohorts[cohort].items()]
            lines += [f"*{answer[0].upper()}{answer[1:]}*", "", *table(HEADS, rows), ""]
    return lines


def _row(name: str, group: dict[str, Any], answer: str) -> list[str]:
    figures = group["answers"][answer]
    shares = [per_cent(group["osteoporosis"]), *(per_cent(figures[figure]) for figure in figures)]
    return [name, str(group["people"]), str(group["cases"]), *shares]


def _averages(averages: dict[str, dict[str, float]]) -> list[str]:
    ages = list(averages["female"])
    rows = [[words, *(f"{averages[sex].get(age, float('nan')):.1%}" for age in ages)] for sex, words in WORDS.items()]
    return table(["age", *ages], rows)


def _warned(groups: dict[str, dict[str, Any]]) -> list[str]:
    rows = [[name, str(group["people"]), per_cent(group["warned"], 1)] for name, group in groups.items()]
    return table(["", "people", "warned, %"], rows)


def _expected(figures: dict[str, dict[str, Any]]) -> list[str]:
    heads = ["", "people", "at age 65 and 70 kg", "a year", "a kg", "SD", "SD, weight unknown", "over 3 SD, %"]
    rows = []
    for sex, sites in figures.items():
        for site, expected in sites.items():
            line = expected["line"]
            typical = line["intercept"] + 65 * line["per_year"] + 70 * line["per_kg"]
            rows.append(
                [
                    f"{sex}, {site.replace('_', ' ')}",
                    str(expected["people"]),
                    f"{typical:+.2f}",
                    f"{line['per_year']:+.3f}",
                    f"{line['per_kg']:+.3f}",
                    f"{line['sd']:.2f}",
                    f"{line['without_weight']['sd']:.2f}",
                    per_cent(list(expected["over_3_sd"].values()), 1),
                ]
            )
    return table(heads, rows)
