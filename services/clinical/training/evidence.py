"""What stands in a uniform place of every card, from the figures of the two clinical models."""

from typing import Any

from shared.contracts.models import Evidence


def bone_density_evidence(metrics: dict[str, Any]) -> Evidence:
    """The published score on the same people, the survey cycle kept apart, and its groups."""
    held_out = metrics["held_out"]
    of = held_out["osteoporosis"]
    return Evidence(
        baselines={
            "OST score, AUC": of["all"]["auc_ost"],
            "age, sex and weight, AUC": of["all"]["auc_age_sex_weight"],
        },
        external={"survey cycle kept apart (2013-14), AUC": of["all"]["auc"]},
        subgroups={"women, AUC": of["women"]["auc"], "men, AUC": of["men"]["auc"]} | held_out["by_group"],
        devices_and_sizes=["DXA by one maker's scanners (Hologic), femoral neck, total hip and lumbar spine."],
        not_measured=["Any other country: the later cycle is of the same survey and the same population."],
    )


def lifestyle_evidence(metrics: dict[str, Any]) -> Evidence:
    """What age alone reaches, which is as much."""
    return Evidence(
        baselines={
            "age alone, accuracy": metrics["test_age_only"]["accuracy"],
            "age over 35, accuracy": metrics["test_age_over_35"]["accuracy"],
        },
        not_measured=["Any other set, and any subgroup: the data look synthetic, so no figure of theirs would carry."],
    )
