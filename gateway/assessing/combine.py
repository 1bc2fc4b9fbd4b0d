"""Image and clinical findings joined by a stated rule; the basis says in words what decided.

1. The category is the clinical one. A radiograph never moves it: neither up nor down does its reading allow that.
2. A class that DXA or a fracture gives is a diagnosis of its own, and leads.
3. With a radiograph alone there is no category; the basis says what the film shows.
4. The film changes the record's probability only by a likelihood ratio that was measured given the record, whose
   interval leaves one out, and only in a person known to be of an age that it was measured at.

The knee's stage (Kellgren-Lawrence) has no part in it: it describes the joint, not of bone density.
"""

from gateway.assessing.film import BONE_READ_FROM_AGE
from shared.contracts.assessment import Combined, Comparison, Diagnosis
from shared.contracts.findings import ClinicalFinding, ImagingFinding, WhoClass


def combine(imaging: ImagingFinding | None, clinical: ClinicalFinding | None, age: float | None = None) -> Combined:
    """What the findings come to together.

    Args:
        imaging: as it counts at the person's age.
        clinical: what the record gives.
        age: of the person; null where there is no record.
    """
    diagnosis, moved = _diagnosis(clinical), _with_image(imaging, clinical, age)
    lines = [*_of_clinical(clinical, diagnosis), *_of_imaging(imaging, clinical, moved)]
    return Combined(
        category=clinical.category if clinical else None,
        basis=lines,
        diagnosis=diagnosis,
        probability_with_image=moved,
        comparison=_comparison(clinical),
    )


def _diagnosis(clinical: ClinicalFinding | None) -> Diagnosis | None:
    density = clinical.bone_density if clinical else None
    if density is None or density.who_class is None:
        return None
    return Diagnosis(who_class=density.who_class, basis=density.basis, date=density.date)


def _comparison(clinical: ClinicalFinding | None) -> Comparison | None:
    if clinical is None or clinical.probability is None:
        return None
    average, population = clinical.average_of_age_and_sex, clinical.population
    if average is None or population is None:
        return None
    return Comparison(of_same_age_and_sex=average, population=population)


def _with_image(imaging: ImagingFinding | None, clinical: ClinicalFinding | None, age: float | None) -> float | None:
    """The probability after the film: odds times likelihood ratio, where there is one that adds something."""
    if imaging is None or clinical is None or clinical.probability is None:
        return None
    ratio, known_old_enough = imaging.likelihood_ratio, age is not None and age >= BONE_READ_FROM_AGE
    if ratio is None or not (ratio.adds_something and imaging.possibly_low and known_old_enough):
        return None
    weighed = clinical.probability * ratio.value
    return weighed / (weighed + 1 - clinical.probability)


def _of_clinical(clinical: ClinicalFinding | None, diagnosis: Diagnosis | None) -> list[str]:
    if clinical is None:
        return []
    lines = [_sentence(_named(diagnosis.who_class, diagnosis.basis))] if diagnosis else []
    if clinical.category is None:
        return lines or [f"The clinical record gives no category: {_ended(clinical.reason or 'no model applies')}"]
    rule = clinical.category_basis or ""
    if diagnosis:
        rule = rule.replace(diagnosis.basis, "")
    rule = rule.strip(" .;,")
    if diagnosis and not rule:
        return lines
    return [*lines, f"The clinical record gives the category {clinical.category}{f' ({rule})' if rule else ''}."]


def _of_imaging(imaging: ImagingFinding | None, clinical: ClinicalFinding | None, moved: float | None) -> list[str]:
    if imaging is None:
        return []
    if imaging.indeterminate:
        return ["The radiograph is indeterminate and changes nothing."]
    if not imaging.possibly_low:
        return ["The radiograph shows no sign of low bone density, which rules nothing out."]
    shows = f"The radiograph of the {imaging.anatomy} shows possible low bone density"
    if clinical is None or clinical.category is None:
        return [f"{shows}; a film alone gives no category."]
    if moved is None or imaging.likelihood_ratio is None or clinical.probability is None:
        return [f"{shows}, which does not change the category."]
    ratio = imaging.likelihood_ratio
    return [
        f"{shows}, which takes the probability from {clinical.probability:.0%} to {moved:.0%} (likelihood ratio "
        f"{ratio.value:.2g}, 95% interval {ratio.low:.2g} to {ratio.high:.2g}) and does not change the category."
    ]


def _named(who_class: WhoClass, basis: str) -> str:
    """The class and what it rests on; most bases name it themselves."""
    name = who_class.replace("_", " ")
    return basis if name in basis.lower() else f"{name}, {basis}"


def _sentence(text: str) -> str:
    return _ended(text[:1].upper() + text[1:])


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
