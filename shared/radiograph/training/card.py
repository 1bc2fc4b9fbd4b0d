"""The joint finder's card."""

from typing import Any

from shared.contracts.models import ModelCard
from shared.radiograph.joints import MODEL
from shared.radiograph.training.annotations import Case, Parts
from shared.training.run import Run
from shared.weights import JOINTS, uses_of


def joints_card(run: Run, parts: Parts, test: dict[str, Any], validation: dict[str, Any]) -> ModelCard:
    """What the finder was built on, how it did on the held-out groups, and where it fails."""
    return ModelCard(
        name=MODEL.stem,
        version=run.version,
        service="shared",
        summary=(
            "Finds the knee joints in an antero-posterior radiograph of one or both legs and frames each like a joint "
            "crop of the Osteoarthritis Initiative, for the staging network. Fully convolutional, one map of joint "
            "centres and one of joint widths, 64 x 64, from 256 x 256 pixels."
        ),
        intended_use="Cropping knee joints for the research staging network; a person can see and judge each box.",
        excluded_use="Diagnosis; lateral or skyline views; children with open growth plates; knees with an implant.",
        licence="Weights: research use, CC BY 4.0 attribution of the data sets below. Annotations: as the project's.",
        weights=uses_of(JOINTS),
        data=[
            "Wani & Arora, Knee X-ray Osteoporosis Database, CC BY 4.0: 157 leg radiographs; our own annotation",
            "Chen 2018, Knee Osteoarthritis Severity Grading: 1,500 joint crops of the OAI, CC BY 4.0",
            "Spines, chests, hips, limbs, implants, fundus pictures and photographs of several public repositories, "
            "as pictures without a joint to find",
            "Split 70:20:10 by group of near-duplicates or patient: " + counts(parts),
        ],
        metrics={
            "test": test,
            "validation": validation,
            "found_within_10_per_cent": (
                "share of annotated joints with a find whose joint line's middle lies within 10% of the joint's width"
            ),
        },
        limits=[
            "The annotations were proposed by a template match and looked at one by one, not by a radiologist, to "
            "about 3% of the joint's width; they share the template's idea of where the middle of a joint is.",
            f"The test part is small: {test['joints']} joints in {test['radiographs']} radiographs of one source.",
            "A side is stated for two legs on the assumption of a standard display (patient's right at the left).",
            "Joints narrower than 9% of the picture's long side (hip-to-ankle films) were never seen in training.",
            "Severely deformed knees can be missed: in one radiograph of the training part neither of two was found.",
            "Knees with an implant are often found as joints: refusing them is the task of the imaging gate.",
            "Missed in the test part: " + (", ".join(test["misses"]) or "none") + ".",
            "Falsely found in the test part: " + (", ".join(test["false_joints"]) or "none") + ".",
        ],
        trained=f"make train-joints DATA=DIR (seed {run.seed})",
    )


def counts(parts: Parts) -> str:
    """How many pictures of each table every part holds."""
    return "; ".join(
        f"{name} {of_table(cases, 'knee_bone')} leg radiographs, {of_table(cases, 'knee_kl')} crops, "
        f"{sum(not len(case.joints) for case in cases)} without a knee"
        for name, cases in (("train", parts.train), ("validation", parts.validation), ("test", parts.test))
    )


def of_table(cases: list[Case], table: str) -> int:
    """How many cases come from one table."""
    return sum(case.table == table for case in cases)
