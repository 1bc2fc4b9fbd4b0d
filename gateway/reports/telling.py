"""How a finding is told to people, on the pages and on paper alike."""

from typing import Literal

from gateway.web.language import Words
from shared.contracts.assessment import Assessment
from shared.contracts.findings import ImagingFinding

Audience = Literal["patient", "clinician"]
# As a person would want to read them: whom to see first, then what to do, then what to take.
GROUPS = ("referral", "follow_up", "medication", "exercise", "diet")
# How sure a class is, from its probability: at least so much, the key of the words for it.
SURENESS = ((0.9, "high"), (0.7, "fair"), (0.5, "low"), (0.0, "none"))


def sureness(probability: float) -> str:
    """The key of the words for how sure a probability is."""
    return next(key for least, key in SURENESS if probability >= least)


def meaning(made: Assessment) -> str:
    """The key of what the category means; without one, whether that is for a part that did not answer."""
    return made.combined.category or ("missing" if made.warnings else "unknown")


def imaging_words(t: Words, found: ImagingFinding) -> str:
    """What the radiograph shows, in the reader's language."""
    if t.language == "en":
        return found.words
    bone = found.bone
    low = found.label == "normal" and bone.osteopenia > max(bone.normal, bone.osteoporosis)
    return t("imaging." + ("indeterminate" if found.indeterminate else "low_bone_mass" if low else found.label))


def models_of(made: Assessment) -> list[str]:
    """Every model and rule set behind an assessment, with its version."""
    rules = made.recommendation.rules if made.recommendation else None
    found = [part.model for part in (made.imaging, made.staging, made.clinical) if part]
    return [f"{one.name} {one.version}" for one in (*found, rules) if one]
