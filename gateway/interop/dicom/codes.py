"""Codes of the objects: DICOM's and SNOMED CT's from the library's dictionary, and the project's own under 99TRABECULA.

Own code values have at most 16 characters, which every viewer reads; docs/dicom-conformance.md lists them.
"""

from typing import TYPE_CHECKING

from shared.contracts.findings import KL_NAMES, Appearance

if TYPE_CHECKING:
    from highdicom.coding_schemes import CodingSchemeIdentificationItem
    from highdicom.sr import CodedConcept

SCHEME = "99TRABECULA"
OWN: dict[str, str] = {
    "kl-grade": "Kellgren-Lawrence grade",
    **{f"kl-{grade}": f"Kellgren-Lawrence grade {grade} ({name})" for grade, name in enumerate(KL_NAMES)},
    **{f"probability-kl-{grade}": f"Probability of Kellgren-Lawrence grade {grade}" for grade in range(len(KL_NAMES))},
    "reading-quality": "How far the reading can be relied on",
    "good": "Good",
    "uncertain": "Uncertain",
    "bone-appearance": "How the bone looks on the radiograph; no measurement",
    "bone-normal": "No sign of low bone density, which rules nothing out",
    "bone-low-mass": "Possible low bone density, of the kind of low bone mass",
    "bone-osteoporos": "Possible low bone density, of the kind of osteoporosis",
    "bone-low": "Possible low bone density",
    "indeterminate": "Indeterminate",
    "p-bone-normal": "Probability that the bone looks normal",
    "p-bone-osteopen": "Probability that the bone looks osteopenic",
    "p-bone-osteopor": "Probability that the bone looks osteoporotic",
    "origin": "Who reads it so",
    "software": "The software",
    "clinician": "A clinician, who amended the software's result",
}
APPEARANCES: dict[Appearance, str] = {
    "normal": "bone-normal",
    "low_bone_mass": "bone-low-mass",
    "osteoporosis": "bone-osteoporos",
    "indeterminate": "indeterminate",
}
AMENDED_BONE = {"normal": "bone-normal", "low": "bone-low"}


def own(value: str) -> "CodedConcept":
    """One of the project's codes."""
    from highdicom.sr import CodedConcept

    return CodedConcept(value, SCHEME, OWN[value])


def coding_scheme() -> "CodingSchemeIdentificationItem":
    """Whose the project's codes are."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return CodingSchemeIdentificationItem(SCHEME, name="Trabecula findings", responsible_organization="Trabecula")
