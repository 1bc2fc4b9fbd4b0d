"""Measurement groups of a structured report (TID 1410 and 1501): each knee, how the bone looks, what was amended."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.assessing.dicom_results import DicomContent
from gateway.interop.dicom.codes import AMENDED_BONE, APPEARANCES, own
from gateway.interop.dicom.revisions import Revision
from gateway.interop.dicom.source_pixels import source_box
from gateway.interop.dicom.uids import uid
from shared.contracts.base import ModelReference
from shared.contracts.findings import ImagingFinding, Knee

if TYPE_CHECKING:
    from highdicom.sr import (
        AlgorithmIdentification,
        FindingSite,
        Measurement,
        MeasurementsAndQualitativeEvaluations,
        PlanarROIMeasurementsAndQualitativeEvaluations,
        QualitativeEvaluation,
        TrackingIdentifier,
    )
    from pydicom import Dataset
    from pydicom.sr.coding import Code

    Group = MeasurementsAndQualitativeEvaluations | PlanarROIMeasurementsAndQualitativeEvaluations


def groups_of(content: DicomContent, revision: Revision, source: "Dataset") -> "list[Group]":
    """Every group, the software's first; the film alone speaks here, and never the clinical record."""
    assessment = content.assessment
    groups: list[Group] = []
    if assessment.staging is not None:
        model, knees = assessment.staging.model, assessment.staging.knees
        groups += [knee_group(content, number, knee, model, source) for number, knee in enumerate(knees, start=1)]
    if assessment.imaging is not None:
        groups.append(bone_group(content, assessment.imaging, source))
    return groups + amended_groups(content, revision, source)


def knee_group(
    content: DicomContent, number: int, knee: Knee, model: ModelReference, source: "Dataset"
) -> "PlanarROIMeasurementsAndQualitativeEvaluations":
    """A knee's grade with its probabilities, and where on the source it is."""
    import numpy as np
    from highdicom.sr import (
        GraphicTypeValues,
        ImageRegion,
        PlanarROIMeasurementsAndQualitativeEvaluations,
        SourceImageForRegion,
    )

    imaging = content.assessment.imaging
    box = source_box(knee.box, imaging.turned_degrees if imaging else 0, content.identity)
    region = ImageRegion(
        GraphicTypeValues.POLYLINE, np.array(box.outline), SourceImageForRegion.from_source_image(source)
    )
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(content, f"knee {number}"),
        referenced_region=region,
        algorithm_id=algorithm(model),
        finding_sites=knee_site(knee.side),
        measurements=[
            probability(f"probability-kl-{grade}", chance) for grade, chance in enumerate(knee.probabilities)
        ],
        qualitative_evaluations=evaluations(
            ("kl-grade", f"kl-{knee.stage}"), ("reading-quality", knee.quality), ("origin", "software")
        ),
    )


def bone_group(
    content: DicomContent, imaging: ImagingFinding, source: "Dataset"
) -> "MeasurementsAndQualitativeEvaluations":
    """How the bone looks on the whole image; where that is indeterminate, there are no percentages."""
    from pydicom.sr.codedict import codes

    site = codes.SCT.Knee if imaging.anatomy == "knee" else codes.SCT.LumbarSpine
    chances = {
        "p-bone-normal": imaging.bone.normal,
        "p-bone-osteopen": imaging.bone.osteopenia,
        "p-bone-osteopor": imaging.bone.osteoporosis,
    }
    measured = [] if imaging.indeterminate else [probability(code, chance) for code, chance in chances.items()]
    return whole_image(
        content,
        "bone",
        source,
        [finding_site(site)],
        evaluations(("bone-appearance", APPEARANCES[imaging.appearance]), ("origin", "software")),
        algorithm(imaging.model),
        measured,
    )


def amended_groups(
    content: DicomContent, revision: Revision, source: "Dataset"
) -> "list[MeasurementsAndQualitativeEvaluations]":
    """What a clinician found instead."""
    from pydicom.sr.codedict import codes

    groups = [
        whole_image(
            content,
            f"{side} knee, clinician",
            source,
            knee_site(side),
            evaluations(("kl-grade", f"kl-{grade}"), ("origin", "clinician")),
        )
        for side, grade in revision.grades.items()
    ]
    if revision.bone is not None:
        imaging = content.assessment.imaging
        site = codes.SCT.LumbarSpine if imaging and imaging.anatomy == "spine" else codes.SCT.Knee
        found = evaluations(("bone-appearance", AMENDED_BONE[revision.bone]), ("origin", "clinician"))
        groups.append(whole_image(content, "bone, clinician", source, [finding_site(site)], found))
    return groups


def whole_image(
    content: DicomContent,
    what: str,
    source: "Dataset",
    sites: "Sequence[FindingSite]",
    found: "Sequence[QualitativeEvaluation]",
    algorithm_id: "AlgorithmIdentification | None" = None,
    measured: "Sequence[Measurement]" = (),
) -> "MeasurementsAndQualitativeEvaluations":
    """A group about the image as a whole."""
    from highdicom.sr import MeasurementsAndQualitativeEvaluations, SourceImageForMeasurementGroup

    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking(content, what),
        algorithm_id=algorithm_id,
        finding_sites=sites,
        measurements=measured or None,
        qualitative_evaluations=found,
        source_images=[SourceImageForMeasurementGroup.from_source_image(source)],
    )


def tracking(content: DicomContent, what: str) -> "TrackingIdentifier":
    """What a group is about, under the same UID through all states of a result."""
    from highdicom.sr import TrackingIdentifier

    return TrackingIdentifier(uid(content.organisation_id, "tracking", str(content.assessment.id), what), what)


def algorithm(model: ModelReference) -> "AlgorithmIdentification":
    """The model behind a group (TID 4019)."""
    from highdicom.sr import AlgorithmIdentification

    return AlgorithmIdentification(model.name, model.version)


def evaluations(*pairs: tuple[str, str]) -> "list[QualitativeEvaluation]":
    """Own codes as name and value."""
    from highdicom.sr import QualitativeEvaluation

    return [QualitativeEvaluation(own(name), own(value)) for name, value in pairs]


def probability(code: str, chance: float) -> "Measurement":
    """A probability, 0 to 1."""
    from highdicom.sr import Measurement
    from pydicom.sr.codedict import codes

    return Measurement(name=own(code), value=chance, unit=codes.UCUM.NoUnits, derivation=codes.DCM.Probability)


def knee_site(side: str) -> "list[FindingSite]":
    """The knee joint, with its side where one is known."""
    from pydicom.sr.codedict import codes

    sides = {"left": codes.SCT.Left, "right": codes.SCT.Right}
    return [finding_site(codes.SCT.KneeJoint, sides.get(side))]


def finding_site(place: "Code", side: "Code | None" = None) -> "FindingSite":
    """A place of the body."""
    from highdicom.sr import FindingSite

    return FindingSite(place, side)
