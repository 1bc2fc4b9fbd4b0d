"""What stands in a uniform place of every card, from the staging model's figures."""

from typing import Any

from shared.contracts.models import Evidence

# What versions are compared by; see `shared.training.history`.
FIGURES = (
    "quadratic_weighted_kappa",
    "accuracy",
    "balanced_accuracy",
    "within_one_grade",
    "auc_grade_2_or_more",
    "expected_calibration_error",
)
SCRATCH = "from scratch"


def evidence_of(metrics: dict[str, Any], external: dict[str, Any] | None = None) -> Evidence:
    """Baselines from the card's figures, and what was measured on other sets.

    Args:
        external: figures by set; those of the comparison (`compare_models`) or of a training that kept a set apart.
    """
    baselines = {"the commonest grade": metrics["baseline_commonest_grade"]}
    candidates = metrics["comparison_on_the_validation_parts"]
    baselines |= {f"validation part, {name}": row for name, row in candidates.items() if SCRATCH in name}
    not_measured = ["Sex, age and device: the data tell none of them."]
    if not external:
        not_measured.append("Other collections: see the limits.")
    return Evidence(
        baselines=baselines,
        external=external or {},
        subgroups={"recall by grade": metrics["recall_by_grade"]} | metrics.get("uncertain", {}) | populations(metrics),
        devices_and_sizes=[
            "How grades move with size, blur and compression: docs/model-cards/staging-steadiness.md. A joint under "
            "180 pixels, a blurred or a heavily compressed film is called uncertain.",
        ],
        not_measured=not_measured,
    )


def populations(metrics: dict[str, Any]) -> dict[str, Any]:
    """The figures of the other populations that were learned from too, each on its own test part."""
    return {
        name.replace("_", " "): {figure: part[figure] for figure in FIGURES}
        for name, part in metrics.items()
        if name.endswith("_test_part")
    }
