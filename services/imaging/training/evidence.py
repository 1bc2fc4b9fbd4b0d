"""What stands in a uniform place of every card, from the imaging model's figures."""

from typing import Any

from shared.contracts.models import Evidence

# What versions are compared by; see `shared.training.history`.
FIGURES = (
    "three_class.balanced_accuracy",
    "within_knees.auc_osteoporosis_against_normal",
    "within_spine_dxa.auc_osteoporosis_against_normal",
    "within_spine_cut_out.auc_osteoporosis_against_normal",
    "anatomy_and_gate.refused_of_knees_and_spines",
    "anatomy_and_gate.refused_of_others",
    "unknown_pictures_held_out.refused",
)
SITES = ("knees", "spine_dxa", "spine_cut_out")
# Of the gate alone: no other set has bone labels.
EXTERNAL = (
    "unknown_pictures_held_out",
    "knee_crops_never_learned_from",
    "open_gate_unknown_pictures_held_out",
    "open_gate_knee_crops_never_learned_from",
    "open_gate_on_tables_never_learned_from",
)
SHORTCUT, OUTLINES = (
    "shortcut_auc_osteoporosis_against_normal",
    "auc_osteoporosis_against_normal_outlines_painted_out",
)


def evidence_of(metrics: dict[str, Any]) -> Evidence:
    """Shortcuts, sets that nothing was learned from, subgroups, and how small or bad a film may be."""
    within = {site: metrics.get(f"within_{site}", {}) for site in SITES}
    three, record = metrics["three_class"], metrics.get("knees_with_the_record", {})
    baselines = {
        "commonest class of the set, balanced accuracy": three["commonest_class_of_the_set"]["balanced_accuracy"],
        "the seed paper's recipe, balanced accuracy": three["seed_papers_recipe_balanced_accuracy"],
        **{f"{site}, AUC from size and brightness": row[SHORTCUT] for site, row in within.items() if SHORTCUT in row},
        **{f"{site}, AUC without outlines": row[OUTLINES] for site, row in within.items() if OUTLINES in row},
    }
    subgroups: dict[str, Any] = {
        f"{site}, AUC osteoporosis against the rest": row["auc_osteoporosis_against_rest"]
        for site, row in within.items()
        if "auc_osteoporosis_against_rest" in row
    }
    if record:
        subgroups["knees of patients of 50 and over, AUC"] = record["of_50_and_over"].get("auc_radiograph_alone")
    return Evidence(
        baselines=baselines,
        external={name: metrics[name] for name in EXTERNAL if name in metrics},
        subgroups={name: found for name, found in subgroups.items() if found is not None},
        devices_and_sizes=[
            "How readings move with size, blur and compression: docs/model-cards/imaging-steadiness.md. A joint under "
            "180 pixels, a blurred or a heavily compressed film is indeterminate.",
        ],
        not_measured=[
            "The bone of any other collection, device or country: no other set with bone labels is at hand.",
            "What the reading of a spine adds to the record: the sets have no records of those patients, so an answer "
            "on a spine has no likelihood ratio.",
            "Sex and device: the sets with pictures of spines tell neither; of knees, sex stands in the record alone.",
        ],
    )
