"""From a table and the services to a site's own settings: read the films, choose and measure, and put it together."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import anyio

from gateway.assessing.services import Services
from gateway.assessing.site_settings import restored
from gateway.assessing.workflow import Workflow
from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.evaluate import IN_FLIGHT, CheckedTable
from gateway.evaluation.pairs import bone_pairs, knee_pairs
from gateway.evaluation.reading import ReadFilm, read_films
from gateway.evaluation.site_fit import NotFitted, fit_grades, fit_operating_point, prevalence_of
from gateway.evaluation.stored import check_versions
from gateway.platform.clock import now
from shared.contracts.base import ModelReference
from shared.contracts.findings import Anatomy
from shared.contracts.policy import ClinicPolicy
from shared.contracts.site_settings import Prevalence, SiteSettings
from shared.kl_grade import finding_of, median_grade
from shared.problems import InvalidInput


@dataclass(frozen=True)
class Wanted:
    """What is to be learned.

    Args:
        grades: whether to recalibrate the grades' probabilities.
        sensitivity: of the operating point, or None for the network's own. anatomies: which it is chosen for.
        prevalence: a share, "table" for that of the table, or None for the installation's setting.
    """

    version: str
    grades: bool
    sensitivity: float | None
    anatomies: Sequence[Anatomy]
    prevalence: float | str | None

    def check(self) -> None:
        """Raise `InvalidInput` where nothing is wanted."""
        if not self.grades and self.sensitivity is None and self.prevalence is None:
            raise InvalidInput("Nothing is asked for: name --grades, --sensitivity or --prevalence.")


async def fitted(
    table: CheckedTable,
    services: Services,
    policy: ClinicPolicy,
    wanted: Wanted,
    bootstrap: Bootstrap,
    stored: Mapping[str, ReadFilm],
    known: Mapping[str, SiteSettings],
    on_read: Callable[[int, int], None],
) -> SiteSettings:
    """Settings learned from a table's films. Nothing is stored.

    Args:
        stored: the readings of the lines that name a stored assessment.
        known: the site's settings so far, by version: what was answered with one counts as the network had answered.

    Raises:
        NotFitted: there are too few cases, or what was learned is not shown to help.
        ServiceUnavailable, InvalidInput: the films could not all be read.
    """
    workflow = Workflow(services, IN_FLIGHT, policy=policy)
    films = await read_films(table.path.parent, table.rows, workflow, False, on_read)
    cards = (await services.cards(services.staging))[0], (await services.cards(services.imaging))[0]
    check_versions(stored, cards)
    films |= {name: _as_the_network_answered(film, known) for name, film in stored.items()}
    staging = ModelReference(name=cards[0].name, version=cards[0].version)
    return await anyio.to_thread.run_sync(_learned, table, films, wanted, staging, bootstrap)


def _learned(
    table: CheckedTable,
    films: Mapping[str, ReadFilm],
    wanted: Wanted,
    staging: ModelReference,
    bootstrap: Bootstrap,
) -> SiteSettings:
    bones = {anatomy: pairs for anatomy, (pairs, _) in bone_pairs(table.rows, films).items() if anatomy}
    points = [
        fit_operating_point(anatomy, bones.get(anatomy, []), wanted.sensitivity, bootstrap)
        for anatomy in wanted.anatomies
        if wanted.sensitivity is not None
    ]
    prevalence = None
    if isinstance(wanted.prevalence, float):
        prevalence = Prevalence(value=wanted.prevalence, basis="named by the site")
    elif wanted.prevalence is not None:
        prevalence = prevalence_of([pair for pairs in bones.values() for pair in pairs])
    return SiteSettings(
        version=wanted.version,
        made_at=now(),
        table_sha256=hashlib.sha256(table.path.read_bytes()).hexdigest(),
        grades=fit_grades(knee_pairs(table.rows, films)[0], staging, bootstrap) if wanted.grades else None,
        operating_points=points,
        prevalence=prevalence,
    )


def _as_the_network_answered(film: ReadFilm, known: Mapping[str, SiteSettings]) -> ReadFilm:
    if film.site_settings is None or film.staging is None:
        return film
    if (settings := known.get(film.site_settings)) is None:
        raise NotFitted(f"The site settings {film.site_settings}, which a line was answered with, are not known here.")
    if settings.grades is None or settings.grades.model != film.staging.model:
        return film
    knees = []
    for knee in film.staging.knees:
        probabilities = restored(knee.probabilities, settings.grades)
        rounded = [round(probability, 4) for probability in probabilities]
        knees.append(knee.model_copy(update={"probabilities": rounded, "stage": median_grade(probabilities)}))
    return replace(film, staging=finding_of(knees, film.staging.model))
