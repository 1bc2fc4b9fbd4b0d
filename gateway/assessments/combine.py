"""Image and clinical findings joined by a stated rule; the basis says in words what decided.

1. Where DXA or a low-trauma fracture gives a WHO class, the clinical category stands, over any model's estimate: it
   already weighs the class with fractures and FRAX (low bone mass with FRAX over the threshold is high).
2. Else the clinical category, raised by one step where the radiograph shows osteoporosis and is not indeterminate.
   A radiograph never lowers a category: its sensitivity does not allow that.
3. Else, with a radiograph alone: moderate where it shows osteoporosis, none where it does not.

The knee's stage (Kellgren-Lawrence) has no part in it: it tells of the joint, not of bone density.
"""

from shared.contracts.assessment import Combined
from shared.contracts.findings import ClinicalFinding, ImagingFinding, RiskCategory

RAISED: dict[RiskCategory, RiskCategory] = {"low": "moderate", "moderate": "high", "high": "high"}


def combine(imaging: ImagingFinding | None, clinical: ClinicalFinding | None) -> Combined:
    """The category of the whole case, or none where nothing supports one."""
    if clinical and clinical.bone_density and (who_class := clinical.bone_density.who_class):
        basis = [f"Bone density decides: {who_class.replace('_', ' ')} ({clinical.bone_density.basis})."]
        if clinical.decided_by in ("fracture", "frax") and clinical.category_basis != clinical.bone_density.basis:
            basis.append(f"The record gives the category {clinical.category}: {clinical.category_basis}.")
        return Combined(category=clinical.category, basis=basis)
    shown = imaging is not None and not imaging.indeterminate and imaging.label != "normal"
    lines = [_of_clinical(clinical), _of_imaging(imaging, shown, clinical.category if clinical else None)]
    category: RiskCategory | None
    if clinical and clinical.category:
        category = RAISED[clinical.category] if shown else clinical.category
    else:
        category = "moderate" if shown else None
    return Combined(category=category, basis=[line for line in lines if line])


def _of_clinical(clinical: ClinicalFinding | None) -> str | None:
    if clinical is None:
        return None
    if clinical.category is None:
        return f"The clinical record gives no category: {clinical.reason or 'no model applies'}."
    return f"The clinical record gives the category {clinical.category}."


def _of_imaging(imaging: ImagingFinding | None, shown: bool, category: RiskCategory | None) -> str | None:
    if imaging is None:
        return None
    if imaging.indeterminate:
        return "The radiograph is indeterminate and changes nothing."
    if shown and category is None:
        return f"The radiograph of the {imaging.anatomy} shows osteoporosis, which alone gives the category moderate."
    if shown and category == "high":
        return f"The radiograph of the {imaging.anatomy} shows osteoporosis as well; the category cannot be higher."
    if shown:
        return f"The radiograph of the {imaging.anatomy} shows osteoporosis and raises the category by one step."
    return f"The radiograph of the {imaging.anatomy} shows no osteoporosis, which does not lower the category."
