"""What is drawn over a radiograph, or leads on from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import quote

from PIL import Image

from gateway.platform.language import Translator
from gateway.records.rendering_kinds import HeatMap
from gateway.reports.joint_space import joint_space_widths
from shared.contracts.assessment import Assessment
from shared.contracts.film import FilmSource
from shared.contracts.findings import Knee, StagingFinding

# Of 100: no loss of detail is seen, and a sixth of the PNG's bytes go over a slow line.
WEBP_QUALITY, WEBP_EFFORT = 85, 2
# Where a viewer's address takes the study's UID.
STUDY = "{study}"


@dataclass(frozen=True)
class ShownFilm:
    """A film as its viewer shows it.

    Args:
        anatomy: the part of the body.
        kept_at: the address that the site's copy of a picture lies under; empty where the pictures are in this answer.
        boxes: see `boxes`.
        heat_maps: those that may be shown.
    """

    anatomy: str
    kept_at: str
    boxes: Sequence[dict[str, object]]
    heat_maps: Sequence[HeatMap]


def shown_film(t: Translator, assessment: Assessment, *, kept: bool) -> ShownFilm | None:
    """The film of an assessment for its viewer; null where there is none."""
    if assessment.imaging is None:
        return None
    kept_at = f"/assessments/{assessment.id}/pictures/" if kept else ""
    found = assessment.imaging.anatomy
    return ShownFilm(found, kept_at, boxes(t, assessment.staging), heat_maps(assessment))


def boxes(t: Translator, staging: StagingFinding | None) -> list[dict[str, object]]:
    """Each knee's box, in pixels of the preview, with the words to write at it."""
    return [
        {"box": knee.box, "lines": [box_label(t, knee), *joint_space_widths(t, knee)]}
        for knee in (staging.knees if staging else [])
    ]


def box_label(t: Translator, knee: Knee) -> str:
    """The side and the grade, as short as a picture asks for."""
    return f"{t.term('side', knee.side)}: {t('viewer.grade', grade=knee.stage)}"


def heat_maps(assessment: Assessment) -> list[HeatMap]:
    """The heat maps that may be shown: none of a reading that gave no answer."""
    maps: list[HeatMap] = ["staging"] if assessment.staging else []
    if assessment.imaging and not assessment.imaging.indeterminate:
        maps.append("imaging")
    return maps


def study_link(viewer: str | None, source: FilmSource | None) -> str | None:
    """The film's study in the hospital's own viewer; null where there is no such viewer, or the film has no UID."""
    if viewer is None or source is None or source.study_uid is None:
        return None
    return viewer.replace(STUDY, quote(source.study_uid, safe=""))


def for_screen(png: bytes) -> bytes:
    """A rendering as the pages show it, a WebP; programs get the PNG itself."""
    encoded = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        picture.save(encoded, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT)
    return encoded.getvalue()
