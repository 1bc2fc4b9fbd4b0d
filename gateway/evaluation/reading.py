"""A table's films, read by the installation's own services as an upload would be. Nothing is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import anyio

from gateway.assessing.case import Case
from gateway.assessing.film import read_at_age
from gateway.assessing.workflow import Findings, Workflow
from gateway.evaluation.table import TruthRow
from gateway.records.rendering_kinds import png_bytes
from shared.contracts.findings import ImagingFinding, Knee, StagingFinding
from shared.contracts.site_settings import SiteSettings
from shared.problems import InvalidInput, ServiceUnavailable

# The longer side of a picture in the report, in pixels.
THUMBNAIL = 240


@dataclass(frozen=True)
class ReadFilm:
    """What the services answered for one film.

    Args:
        refused: why it was not read, in the words of the answer; None where it was.
        thumbnail: a small JPEG of the de-identified preview, where pictures were asked for.
        site_settings: the version of the site's own settings that it was answered with, or None.
    """

    refused: str | None = None
    imaging: ImagingFinding | None = None
    staging: StagingFinding | None = None
    thumbnail: bytes | None = None
    site_settings: str | None = None

    def knee(self, row: TruthRow) -> Knee | None:
        """The knee that a line is about: of its side, or the only one, or the worse one where it names no side."""
        knees = self.staging.knees if self.staging else []
        if row.side is None:
            return max(knees, key=lambda knee: knee.stage, default=None)
        of_side = [knee for knee in knees if knee.side == row.side]
        if of_side:
            return of_side[0]
        return knees[0] if len(knees) == 1 and knees[0].side == "unknown" else None

    def bone(self, row: TruthRow) -> ImagingFinding | None:
        """How the bone was read, as it counts at this person's age."""
        return read_at_age(self.imaging, row.age) if self.imaging else None


async def read_films(
    folder: Path,
    rows: Sequence[TruthRow],
    workflow: Workflow,
    pictures: bool,
    on_read: Callable[[int, int], None],
    site: SiteSettings | None = None,
) -> dict[str, ReadFilm]:
    """Each film once, by name. `on_read` is called with how many are read, and of how many.

    Args:
        site: settings of the site to read them with; the networks as they are without.

    Raises:
        ServiceUnavailable: a service was out of order, so that figures would not be those of the installation.
        InvalidInput: a file cannot be opened.
    """
    files = list(dict.fromkeys(row.file for row in rows if row.file))
    films = {}
    for number, file in enumerate(files, start=1):
        films[file] = await _read_film(folder / file, workflow, pictures, site)
        on_read(number, len(files))
    return films


async def _read_film(path: Path, workflow: Workflow, pictures: bool, site: SiteSettings | None) -> ReadFilm:
    try:
        image = await anyio.Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
    try:
        findings = await workflow.assess(Case(image, None, None), with_renderings=pictures, site=site)
    except InvalidInput as error:  # refused, or no readable image
        return ReadFilm(refused=str(error.members.get("reason") or error.detail))
    if findings.lacks_a_service:
        raise ServiceUnavailable(
            f"The evaluation was broken off at {path.name}, as a service is out of order: {findings.missing}"
        )
    version = site.version if site else None
    return ReadFilm(None, findings.imaging, findings.staging, _thumbnail(findings), version)


def _thumbnail(findings: Findings) -> bytes | None:
    preview = png_bytes(findings.renderings).get("preview")
    if preview is None:
        return None
    from PIL import Image  # only where pictures are wanted

    with Image.open(BytesIO(preview)) as picture:
        small = picture.convert("L")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    file = BytesIO()
    small.save(file, "JPEG", quality=80)
    return file.getvalue()
