"""What the shipped weights may be used for, by the sets that each part was learned from: the one place that says so.

Cards, documentation, checks and the running services all read it. A part is what can be left unused on its own: a
network's output, or one readout of it. It is as restricted as the most restricted of its sets, whatever it learned
from them: a picture that only taught what a spine looks like counts like one that taught what its bone looks like.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from shared.contracts.models import ModelCard, WeightsUse
from shared.problems import TrabeculaError

# `unverified`: from many places whose licences were not written down one by one; who needs certainty has to ask.
Standing = Literal["open", "unverified", "research"]


@dataclass(frozen=True)
class DataSet:
    """What a set's owners allow, as far as the project knows (docs/data.md says where each comes from)."""

    licence: str
    standing: Standing = "open"


UNSTATED = DataSet("no licence stated: research use, not redistributed", "research")
SETS: dict[str, DataSet] = {
    "imagenet": DataSet(
        "pretrained EfficientNet-Lite0: Apache-2.0 as known, its package states none; ImageNet's pictures have terms "
        "of their own",
        "unverified",
    ),
    "knee_kl": DataSet("CC BY 4.0 as known"),
    "knee_kl_india": DataSet("CC BY 4.0 as known"),
    "knee_bone": DataSet("CC BY 4.0 as known"),
    "spine_view": DataSet("CC BY 4.0 as known"),
    "spine_view_fullsize": DataSet("CC BY 4.0 as known"),
    "spine_dxa": UNSTATED,
    "spine_masked": UNSTATED,
    "spine_landmarks": UNSTATED,
    "other": DataSet("several public repositories, licences not recorded one by one", "unverified"),
    "drawn": DataSet("drawn by the project's code, Apache-2.0"),
    "drawn_views": DataSet("drawn by the project's code, Apache-2.0"),
    "radiographs": DataSet("the site's own radiographs, as their owner decides"),
    "nhanes_bone": DataSet("US government, public domain"),
    "lifestyle": DataSet("licence unknown", "research"),
}
# What may never be learned from where the weights are to be open.
RESEARCH_ONLY = tuple(name for name, data in SETS.items() if data.standing == "research")


@dataclass(frozen=True)
class Part:
    """A part of a shipped weights file.

    Args:
        file: relative to the project's root. outputs: of the network, that the part is or has a share in.
        does: what it is for, in a few words. learned_from: names of `SETS`.
    """

    name: str
    file: str
    outputs: tuple[str, ...]
    does: str
    learned_from: tuple[str, ...]

    @property
    def restricted_by(self) -> tuple[str, ...]:
        """The sets that hold it to research; none where it is open."""
        return tuple(name for name in self.learned_from if name in RESEARCH_ONLY)

    @property
    def use(self) -> WeightsUse:
        """The row as cards carry it."""
        return WeightsUse(
            part=self.name,
            does=self.does,
            learned_from=list(self.learned_from),
            licences=list(dict.fromkeys(f"{SETS[name].licence}" for name in self.learned_from)),
            research_only=bool(self.restricted_by),
            restricted_by=list(self.restricted_by),
        )


IMAGING, STAGING = "services/imaging/model/imaging.onnx", "services/staging/model/staging.onnx"
JOINTS = "shared/radiograph/model/knee_joints.onnx"
BONE_DENSITY, LIFESTYLE = "services/clinical/model/bone_density.onnx", "services/clinical/model/lifestyle.onnx"
# Knees and spines that taught how a picture lies; the head is that of imaging 0.3.0.
LYING = ("imagenet", "knee_bone", "knee_kl", "spine_dxa", "spine_masked", "spine_view")
OPEN_ANATOMY = (
    "imagenet", "knee_bone", "knee_kl", "knee_kl_india", "spine_view", "spine_view_fullsize", "other", "drawn",
    "drawn_views",
)  # fmt: skip
SHIPPED: tuple[Part, ...] = (
    Part(
        "anatomy",
        IMAGING,
        ("anatomy",),
        "tells knees from spines and refuses everything else",
        (*OPEN_ANATOMY, "spine_dxa", "spine_masked", "spine_landmarks"),
    ),
    Part("anatomy_open", IMAGING, ("anatomy_open",), "the same, for open installations", OPEN_ANATOMY),
    Part("turn", IMAGING, ("turn",), "tells which way up a picture lies", LYING),
    Part("inverted", IMAGING, ("inverted",), "tells whether bone is dark", LYING),
    Part("bone_knee", IMAGING, ("bone", "heat"), "reads the bone of knees", ("imagenet", "knee_bone")),
    Part("bone_spine_dxa", IMAGING, ("bone", "heat"), "reads the bone of DXA images", ("imagenet", "spine_dxa")),
    Part(
        "bone_spine_cut_out",
        IMAGING,
        ("bone", "heat"),
        "reads the bone of cut-out spines",
        ("imagenet", "spine_masked"),
    ),
    Part(
        "grades",
        STAGING,
        ("probabilities", "heat", "distance"),
        "grades knees",
        ("imagenet", "knee_kl", "knee_kl_india"),
    ),
    Part(
        "knee_joints",
        JOINTS,
        ("heat", "width"),
        "finds knee joints; spines taught it what is none",
        ("knee_bone", "knee_kl", "spine_view", "other", "spine_dxa", "spine_masked"),
    ),
    Part("bone_density", BONE_DENSITY, (), "risk from the record", ("nhanes_bone",)),
    Part("lifestyle", LIFESTYLE, (), "the seed system's questionnaire, for comparison", ("lifestyle",)),
)


class RestrictedWeights(TrabeculaError):
    """An installation is to be open, and a package may not be used in it; the detail is the one line on what to do."""


def uses_of(*files: str) -> list[WeightsUse]:
    """The rows of these files, for their card."""
    return [part.use for part in SHIPPED if part.file in files]


def uses_learned_from(learned: Mapping[str, Iterable[str]]) -> list[WeightsUse]:
    """The rows of parts that were trained now.

    Args:
        learned: the tables that each part was learned from, by the part's name, beside the pretrained weights.
    """
    trained = [part for part in SHIPPED if part.name in learned]
    return [replace(part, learned_from=("imagenet", *learned[part.name])).use for part in trained]


def closed_joint_finder() -> str | None:
    """Why an open installation has no joint finder, in a sentence; None where the shipped one may be used."""
    (finder,) = (part for part in SHIPPED if part.file == JOINTS)
    if not finder.restricted_by:
        return None
    return (
        "This installation runs without weights that are for research only, and what finds knee joints was learned "
        f"from {' and '.join(finder.restricted_by)}, among others."
    )


def closed_parts(uses: Iterable[WeightsUse]) -> dict[str, WeightsUse]:
    """The parts that an open installation leaves unused, by name."""
    return {use.part: use for use in uses if use.research_only}


def as_used(card: ModelCard, models_open: bool) -> ModelCard:
    """The card of a package as this installation uses it: an open one leaves the research-only parts unused.

    Raises:
        RestrictedWeights: the installation is to be open, and the card does not say what the weights may be used for.
    """
    if not models_open:
        return card
    if not card.weights:
        raise RestrictedWeights(
            f"TRABECULA_MODELS_OPEN: the card of {card.name} {card.version} does not say what its weights were learned "
            "from. Train the package again with this version, or choose the shipped one."
        )
    return card.model_copy(update={"left_unused": list(closed_parts(card.weights))})
