"""`docs/model-cards/clinical.md`: the cards' figures in tables that a clinician can read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.clinical.training.category_page import categories
from services.clinical.training.markdown import Figure, bullets, table, with_interval
from shared.contracts.models import ModelCard
from shared.training.page import weights_table

BONE_DENSITY_CARD, LIFESTYLE_CARD = "card.json", "card-lifestyle.json"


def write_document(model: Path, documents: Path) -> None:
    """The page, from the cards in the model's folder."""
    cards = [ModelCard.model_validate_json((model / name).read_bytes()) for name in (BONE_DENSITY_CARD, LIFESTYLE_CARD)]
    (documents / "clinical.md").write_text(document(*cards), encoding="utf-8")


def document(bone_density: ModelCard, lifestyle: ModelCard) -> str:
    """The whole page in Markdown."""
    return "\n".join(
        [
            "# The clinical service's two models",
            "",
            f"Written by the training (`{bone_density.trained}`). Research software, not a medical device.",
            "",
            *_bone_density(bone_density),
            *_lifestyle(lifestyle),
        ]
    )


def _bone_density(card: ModelCard) -> list[str]:
    held, people, shipped = card.metrics["held_out"], card.metrics["people"], card.metrics["shipped"]
    return [
        f"## Bone density: `{card.name}` {card.version}",
        "",
        card.summary,
        "",
        f"**For:** {card.intended_use}  ",
        f"**Not for:** {card.excluded_use}",
        "",
        *bullets(card.data),
        "",
        "### How well it ranks people: the held-out survey cycle (2013-14)",
        "",
        f"{held['people']} people of 50 and over; learned from {people['training']} others. 95% intervals from 1,000 "
        "resamplings of people; gains are paired. OST is untruncated; both it and the baseline see the same people.",
        "",
        *table(
            ["", "people", "cases", "AUC", "OST alone", "age, sex, weight", "gain over OST", "gain, survey-weighted"],
            [_rank_row(name, row) for name, row in held["osteoporosis"].items()],
        ),
        "",
        "Low bone mass (T < -1.0), AUC: "
        + "; ".join(f"{name} {with_interval(v)}" for name, v in held["low_bone_mass_auc"].items())
        + ".",
        "",
        "These figures are those of the fit without that cycle. What ships is the same recipe fitted to all four "
        "cycles; on the same people it differs by "
        f"{100 * shipped['mean_absolute_difference']:.1f} percentage points on average (rank correlation "
        f"{shipped['rank_correlation']:.3f}).",
        "",
        "### Can the percentages be believed?",
        "",
        "Slope 1 and error 0 are perfect.",
        "",
        *table(
            ["", "mean predicted", "observed", "slope", "calibration error", "slope, weighted", "error, weighted"],
            [
                _calibration_row(f"{outcome}, {ages.removeprefix('calibration, ')}", row)
                for ages in ("calibration, 50 and over", "calibration, 40 and over")
                for outcome, row in held[ages].items()
            ],
        ),
        "",
        "![Calibration and ROC in the held-out cycle](clinical-bone-density.png)",
        "",
        *categories(card.metrics),
        "### Groups in the held-out cycle, 50 and over",
        "",
        *_groups(held["by_group"]),
        "",
        "### Which model, by cross-validation over survey cycles",
        "",
        "Mean over the three training cycles, each predicted by a model that has not seen it.",
        "",
        *_figures(card.metrics["cross_validation"]),
        "",
        "Chosen by log loss and AUC: the additive model, which also shows its reasons exactly.",
        "",
        "### Survey weights",
        "",
        "All judged with weights. The shipped model uses them for the level of risk, not for the effect of a field.",
        "",
        *_figures(card.metrics["survey_weights"]),
        "",
        "### How much a short record costs",
        "",
        *_figures(card.metrics["shorter_records"]),
        "",
        "### Ethnicity",
        "",
        "It is no input. Cross-validation, groups of 50 and over, each model at its own cut-offs:",
        "",
        *_ethnicity(card.metrics["ethnicity"]),
        "",
        f"In the held-out cycle, with ethnicity: AUC {card.metrics['held_out_with_ethnicity']['auc']}, low bone mass "
        f"{card.metrics['held_out_with_ethnicity']['low_bone_mass_auc']}.",
        "",
        "### The whole model",
        "",
        "Log odds; ages and weights count in tens of years and kilograms within their stretch.",
        "",
        *table(
            ["column", *(name.replace("_", " ") for name in card.metrics["log_odds"]["intercept"])],
            [[k, *(f"{number:+.3f}" for number in v.values())] for k, v in card.metrics["log_odds"].items()],
        ),
        "",
        "### Limits",
        "",
        *bullets(card.limits),
        "",
        f"Licence: {card.licence}",
        "",
        *weights_table(card.weights),
        "",
    ]


def _lifestyle(card: ModelCard) -> list[str]:
    m = card.metrics
    tests = {"whole questionnaire": m["test"], "age alone": m["test_age_only"], "age over 35": m["test_age_over_35"]}
    kinds = m["cross_validation"] | {"age alone (stumps)": m["cross_validation_age_only"]}
    return [
        f"## The seed's questionnaire: `{card.name}` {card.version}",
        "",
        card.summary,
        "",
        f"**For:** {card.intended_use}  ",
        f"**Not for:** {card.excluded_use}",
        "",
        f"Rows: {m['rows']['read']}, duplicates dropped: {m['rows']['duplicates_dropped']}; training, tuning, test: "
        f"{', '.join(str(n) for n in m['rows']['split'])}.",
        "",
        *table(
            ["test part", "accuracy", "AUC", "true -", "false +", "false -", "true +"],
            [
                [name, with_interval(t["accuracy"]), with_interval(t["auc"])]
                + [str(n) for row in t["confusion_matrix"] for n in row]
                for name, t in tests.items()
            ],
        ),
        "",
        "Cross-validation on the training part (5 folds, twice):",
        "",
        *table(
            ["", "accuracy", "SD", "log loss", "AUC"],
            [
                [n, f"{v['accuracy']:.3f}", f"{v['accuracy_sd']:.3f}", f"{v['log_loss']:.3f}", f"{v['auc']:.3f}"]
                for n, v in kinds.items()
            ],
        ),
        "",
        "![Confusion matrix and ROC of the test part](clinical-lifestyle.png)",
        "",
        *bullets(card.limits),
        "",
        f"Licence: {card.licence}",
        "",
        *weights_table(card.weights),
        "",
    ]


def _rank_row(name: str, row: dict[str, Any]) -> list[str]:
    return [
        name,
        str(row["people"]),
        str(row["cases"]),
        with_interval(row["auc"]),
        with_interval(row["auc_ost"]),
        with_interval(row["auc_age_sex_weight"]),
        with_interval(row["gain_over_ost"]),
        with_interval(row["gain_over_ost_weighted"]),
    ]


def _calibration_row(name: str, row: dict[str, Any]) -> list[str]:
    return [
        name.replace("_", " "),
        f"{row['mean_predicted']:.1%}",
        f"{row['observed']:.1%}",
        with_interval(row["slope"]),
        with_interval(row["ece"]),
        f"{row['slope_weighted']:.2f}",
        f"{row['ece_weighted']:.3f}",
    ]


def _figures(rows: dict[str, Figure]) -> list[str]:
    heads = list(next(iter(rows.values())))
    return table(
        ["", *(head.replace("_", " ") for head in heads)],
        [[name, *(f"{row[head]:.4f}" for head in heads)] for name, row in rows.items()],
    )


GROUP_HEADS = (
    "people",
    "cases",
    "observed_over_expected",
    "auc",
    "auc_ost",
    "sensitivity_at_low",
    "specificity_at_low",
    "sensitivity_at_high",
    "specificity_at_high",
)


def _groups(rows: dict[str, Figure], heads: Sequence[str] = GROUP_HEADS) -> list[str]:
    return table(
        ["", *(head.replace("_", " ") for head in heads)],
        [[name, *(f"{row[head]:g}" if head in row else "" for head in heads)] for name, row in rows.items()],
    )


def _ethnicity(effect: dict[str, dict[str, Figure]]) -> list[str]:
    heads = ("cases", "observed_over_expected", "sensitivity_at_low", "sensitivity_at_high")
    wanted = [name for name in effect["without"] if name.startswith(("asian", "black", "hispanic", "white"))]
    rows = {f"{name}: {kind} ethnicity": effect[kind][name] for name in wanted for kind in ("without", "with")}
    return _groups(rows, heads)
