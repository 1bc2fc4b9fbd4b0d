"""What was found, as Observations: the bone's appearance, the knees' grades, the class of bone density, the scores."""

from collections import Counter
from collections.abc import Iterator

from gateway.interop.fhir.code_map import concept, quantity
from gateway.interop.fhir.resource import Resource, compact, notes, reference_to
from gateway.interop.fhir.writing.identities import imaging_study
from gateway.interop.fhir.writing.result import Result
from shared.contracts.assessment import Component
from shared.contracts.findings import ImagingFinding, Knee, ScreeningScore, StagingFinding

BONE_CLASSES = ("normal", "osteopenia", "osteoporosis")
SCORES = {
    "ost": "ost-total",
    "osta": "osta-total",
    "orai": "orai_total",
    "osiris": "osiris_total",
    "score": "score-total",
    "mores": "mores-total",
}


def observations(result: Result) -> Iterator[Resource]:
    """Every Observation of the result; those of one kind keep their order."""
    yield from _bone(result)
    yield from _grades(result)
    yield from _density(result)
    yield from _scores(result)


def _observation(result: Result, suffix: str, code: str) -> Resource:
    found = result.new("Observation", suffix)
    return found | {
        "status": result.status,
        "code": concept(code),
        "subject": result.subject,
        "issued": result.made_at,
    }


def _from_film(result: Result, component: Component) -> Resource:
    """What an Observation of the radiograph says of its origin: the order, the study, what is odd about the film."""
    study = imaging_study(result)
    return {
        "basedOn": result.order,
        "derivedFrom": [reference_to(study)] if study else [],
        "note": notes(_film_warnings(result, component)),
    }


def _film_warnings(result: Result, component: Component) -> list[str]:
    return [w.detail for w in result.assessment.warnings if w.component == component and not w.was_left_out]


def _bone(result: Result) -> Iterator[Resource]:
    imaging = result.assessment.imaging
    found = _observation(result, "-bone", "bone-appearance")
    if imaging is not None:
        yield compact({**found, **_from_film(result, "imaging"), **_appearance(result, imaging)})
    elif any(w.component == "imaging" and w.part_is_missing for w in result.assessment.warnings):
        yield compact({**found, **_from_film(result, "imaging"), "dataAbsentReason": concept("absent")})


def _appearance(result: Result, imaging: ImagingFinding) -> Resource:
    """The value with its probabilities; an indeterminate reading has neither."""
    instead = result.amended.bone
    said = f"Read as {instead} by a clinician; the value is the software's." if instead else None
    words = notes([said, imaging.summary, *_film_warnings(result, "imaging")])
    found = {"device": result.device(imaging.model), "bodySite": _anatomy(imaging), "note": words}
    if imaging.indeterminate:
        return {**found, "dataAbsentReason": concept("absent"), "interpretation": [concept("indeterminate")]}
    look = imaging.appearance.replace("_", "-")
    code = f"appearance-{look}-{imaging.anatomy}" if look == "osteoporosis" else f"appearance-{look}"
    chances = [_chance(f"probability-bone-{name}", getattr(imaging.bone, name)) for name in BONE_CLASSES]
    return {**found, "valueCodeableConcept": concept(code), "component": chances}


def _anatomy(imaging: ImagingFinding) -> Resource:
    return concept("knee_region") if imaging.anatomy == "knee" else {"text": "Spine"}


def _chance(code: str, probability: float) -> Resource:
    return {"code": concept(code), "valueQuantity": quantity(round(probability, 6), "probability")}


def _grades(result: Result) -> Iterator[Resource]:
    staging = result.assessment.staging
    if staging is None:
        return
    if not staging.knees:
        yield _grade(result, staging, "-kl", staging.kl_grade, staging.probabilities)
    times: Counter[str] = Counter()
    for knee in staging.knees:
        times[knee.side] += 1
        again = f"-{times[knee.side]}" if times[knee.side] > 1 else ""
        found = _grade(result, staging, f"-kl-{knee.side}{again}", knee.stage, knee.probabilities)
        yield compact({**found, **_doubt(found, knee), **_instead(found, knee, result), "bodySite": _joint(knee)})


def _grade(result: Result, staging: StagingFinding, suffix: str, grade: int, chances: list[float]) -> Resource:
    components = [_chance(f"probability-kl-{number}", chance) for number, chance in enumerate(chances)]
    found = _observation(result, suffix, "kellgren-lawrence") | _from_film(result, "staging")
    found |= {"valueInteger": grade, "bodySite": concept("knee_joint"), "device": result.device(staging.model)}
    return compact({**found, "component": components})


def _joint(knee: Knee) -> Resource:
    """The joint, with its side as a second code where it is known."""
    if knee.side == "unknown":
        return concept("knee_joint")
    return concept("knee_joint", knee.side, text=f"{knee.side.capitalize()} knee joint")


def _instead(found: Resource, knee: Knee, result: Result) -> Resource:
    """The clinician's grade in place of the network's, which becomes a note."""
    for amended in result.amended.knees:
        if amended.side == knee.side:
            said = f"Graded {amended.kl_grade} by a clinician; the software had graded {knee.stage}."
            return {"valueInteger": amended.kl_grade, "note": [*found.get("note", []), *notes([said])]}
    return {}


def _doubt(found: Resource, knee: Knee) -> Resource:
    if knee.quality == "good":
        return {}
    words = [*found.get("note", []), *notes([knee.note])]
    return {"interpretation": [{"text": "Low confidence"}], "note": words}


def _density(result: Result) -> Iterator[Resource]:
    clinical = result.assessment.clinical
    density = clinical.bone_density if clinical else None
    if clinical is None or density is None or density.who_class is None:
        return
    found = _observation(result, "-density", "bone-density-class")
    found |= {"effectiveDateTime": density.date.isoformat() if density.date else result.made_at}
    found |= {"valueCodeableConcept": concept(f"who-{density.who_class.replace('_', '-')}")}
    yield compact({**found, "note": notes([density.basis]), "device": result.device(clinical.model)})


def _scores(result: Result) -> Iterator[Resource]:
    clinical = result.assessment.clinical
    for name, code in SCORES.items():
        score: ScreeningScore | None = getattr(clinical.scores, name) if clinical else None
        if clinical is None or score is None or not score.applicable or score.value is None:
            continue  # never a value of nought for a score that does not apply
        found = _observation(result, f"-score-{name}", code) | {"effectiveDateTime": result.made_at}
        found |= {"valueQuantity": quantity(score.value, "score"), "device": result.device(clinical.model)}
        meaning = [{"text": score.band}] if score.band else []
        yield compact({**found, "interpretation": meaning, "note": notes([_cut_off(score), score.notes])})


def _cut_off(score: ScreeningScore) -> str:
    return f"{score.cut_off or 'No cut-off'}. Population: {score.population}. {score.citation}"
