"""What the DICOM file says of view, body part and age, held against what the picture shows.

Tags are often empty and sometimes wrong. A view that the network was never shown is refused, as nothing in the picture
itself would tell; a body part that differs from the picture is a warning, since the picture decides.
"""

from typing import Literal

from shared.contracts.film import FilmWarning
from shared.problems import ImageRefused
from shared.radiograph import Radiograph

BodyPart = Literal["knee", "spine"]

# DICOM ViewPosition (PS3.3 C.8.7.1.1.1 and C.8.1.2), as written by what is in use: the standard's codes, and words.
SIDE_VIEWS = frozenset({"LL", "RL", "LLD", "RLD", "LAT", "ML", "LM", "SIDE", "MEDIOLATERAL", "LATEROMEDIAL"})
OBLIQUE_VIEWS = frozenset({"LLO", "RLO", "LAO", "RAO", "LPO", "RPO", "OBL", "MLO", "LMO"})
AXIAL_VIEWS = frozenset({"SKYLINE", "SUNRISE", "MERCHANT", "TANGENTIAL", "AXIAL", "AX", "SUNSET", "LAURIN"})
WORDS = {
    "LATERAL": "a side view", "OBLIQUE": "an oblique view", "SKYLINE": "a skyline view", "SUNRISE": "a skyline view",
    "MERCHANT": "a skyline view", "AXIAL": "a skyline view",
}  # fmt: skip

# DICOM BodyPartExamined (PS3.16 annex L) and what stands for it in practice. Others contradict a picture of the site.
PARTS: dict[BodyPart, frozenset[str]] = {
    "knee": frozenset({"KNEE", "PATELLA", "LEG", "LEGS", "FEMUR", "THIGH", "TIBIA", "TIBIAFIBULA", "TIBFIB", "FIBULA",
                       "CALF", "LOWERLIMB", "LOWERLEG", "UPPERLEG", "EXTREMITY", "LOWEREXTREMITY"}),
    "spine": frozenset({"SPINE", "LSPINE", "TSPINE", "CSPINE", "SSPINE", "LSSPINE", "TLSPINE", "CTSPINE", "WHOLESPINE",
                        "LUMBAR", "LUMBARSPINE", "THORACICSPINE", "CERVICALSPINE", "DORSALSPINE", "SACRUM", "COCCYX",
                        "BACK", "VERTEBRA", "THORACOLUMBAR", "LUMBOSACRAL"}),
}  # fmt: skip
# Says nothing of the site, so it contradicts nothing.
ANY_PART = frozenset({"WHOLEBODY", "BODY", "BONE", "SKELETON", "OTHER", "UNKNOWN", "NONE", "NA", "DEFAULT", "GENERAL"})
# Growth plates of the knee close by this age (Greulich and Pyle's atlas; the last, of the femur, by 18 to 20).
GROWN_UP = 20


def check_view(radiograph: Radiograph, site: BodyPart) -> None:
    """Refuse a knee that was not taken from the front, by its tags; spines of every view were shown to the network.

    Raises:
        ImageRefused: `knee_not_frontal`.
    """
    view = other_view(radiograph)
    if view is None or site != "knee":
        return
    raise ImageRefused(
        f"The DICOM file says that it is {view}; a knee is read from a frontal view alone. Send the frontal view, or "
        "correct ViewPosition and PatientOrientation.",
        reason="knee_not_frontal",
    )


def other_view(radiograph: Radiograph) -> str | None:
    """What view the tags name, in words, if it is not a frontal one."""
    view = "".join(filter(str.isalpha, radiograph.view or ""))
    for codes, word in ((SIDE_VIEWS, "LATERAL"), (OBLIQUE_VIEWS, "OBLIQUE"), (AXIAL_VIEWS, "SKYLINE")):
        if view in codes:
            return WORDS[word]
    for word, words in WORDS.items():
        if word in view:
            return words
    rows, columns = radiograph.patient_orientation or ("", "")
    if rows[:1] in ("A", "P"):
        return "a side view" if columns[:1] in ("F", "H") else "a skyline view"
    return "a skyline view" if columns[:1] in ("A", "P") else None


def odd_tags(radiograph: Radiograph, site: BodyPart) -> list[FilmWarning]:
    """What the file says and the picture does not bear out."""
    found = []
    part = "".join(filter(str.isalpha, radiograph.body_part or ""))
    if part and part not in PARTS[site] | ANY_PART:
        found.append(
            FilmWarning(
                type="body_part_differs",
                detail=f"The DICOM file says {radiograph.body_part} and the picture looks like a {site}: "
                "see that it is the right file.",
            )
        )
    if site == "spine" and (view := other_view(radiograph)):
        found.append(FilmWarning(type="not_frontal", detail=f"The DICOM file says that it is {view} of the spine."))
    if radiograph.patient_age is not None and radiograph.patient_age < GROWN_UP:
        found.append(
            FilmWarning(
                type="growth_plates",
                detail=f"The DICOM file says {radiograph.patient_age:g} years of age: growth plates may be open, and "
                "the networks were shown adults alone.",
            )
        )
    return found
