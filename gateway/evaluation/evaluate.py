"""From a table and the services to the report: read the table, read its films, and count."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import anyio

from gateway.assessing.services import Services
from gateway.assessing.workflow import Workflow
from gateway.evaluation.bones import evaluate_bones
from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.films import wrong_films
from gateway.evaluation.knees import evaluate_knees
from gateway.evaluation.model import BoneEvaluation, KneeEvaluation, SiteEvaluation
from gateway.evaluation.pairs import bone_pairs, knee_pairs
from gateway.evaluation.reading import ReadFilm, read_films
from gateway.evaluation.stored import check_versions
from gateway.evaluation.table import TruthRow, read_table, wrong_table
from gateway.platform.clock import now
from shared.contracts.assessment import DISCLAIMER
from shared.contracts.base import ModelReference
from shared.contracts.models import ModelCard
from shared.contracts.policy import ClinicPolicy
from shared.contracts.site_settings import SiteSettings
from shared.label_table import Fault

# One film after the other: an installation that others use goes on answering them.
IN_FLIGHT = 1
NONE_STORED: Mapping[str, ReadFilm] = MappingProxyType({})


@dataclass(frozen=True)
class CheckedTable:
    """A table that can be evaluated. The films' names are relative to its folder."""

    path: Path
    rows: list[TruthRow]
    notices: list[Fault]


@dataclass(frozen=True)
class Evaluated:
    """The report, and small pictures of the worst cases by their line."""

    evaluation: SiteEvaluation
    thumbnails: Mapping[int, bytes]


def checked_table(path: Path) -> CheckedTable:
    """The table and its films, as far as can be said before a film is read.

    Raises:
        InvalidInput: with everything that is wrong.
    """
    rows, notices = read_table(path)
    faults = wrong_films(path.parent, rows)
    if any(not fault.notice for fault in faults):
        raise wrong_table(path, faults)
    return CheckedTable(path, rows, [*notices, *faults])


async def evaluate_table(
    table: CheckedTable,
    services: Services,
    policy: ClinicPolicy,
    pictures: bool,
    bootstrap: Bootstrap,
    stored: Mapping[str, ReadFilm] = NONE_STORED,
    on_read: Callable[[int, int], None] = lambda number, count: None,
    site: SiteSettings | None = None,
) -> Evaluated:
    """Read every film of a table by the services and count. Nothing is stored.

    Args:
        stored: the readings of the lines that name a stored assessment.
        site: settings of the site to read the films with; the networks as they are without.

    Raises:
        ServiceUnavailable: a service was out of order.
        InvalidInput: a film cannot be opened any more, or a stored reading is of another version.
    """
    workflow = Workflow(services, IN_FLIGHT, policy=policy)
    films = await read_films(table.path.parent, table.rows, workflow, pictures, on_read, site)
    films |= stored
    cards = (await services.cards(services.staging))[0], (await services.cards(services.imaging))[0]
    check_versions(stored, cards)
    return await anyio.to_thread.run_sync(_counted, table, films, cards, bootstrap)


def _counted(
    table: CheckedTable, films: Mapping[str, ReadFilm], cards: tuple[ModelCard, ModelCard], bootstrap: Bootstrap
) -> Evaluated:
    staging, imaging = cards
    knees = _knees(table.rows, films, staging, bootstrap)
    bones, refused = _bones(table.rows, films, imaging, bootstrap)
    worst = [case.line for part in (knees, *bones) if part for case in part.worst]
    film_of = {row.line: row.film for row in table.rows}
    pictures = {line: films[film_of[line]].thumbnail for line in worst}
    return Evaluated(
        SiteEvaluation(
            made_at=now(),
            table_sha256=hashlib.sha256(table.path.read_bytes()).hexdigest(),
            seed=bootstrap.seed,
            resamples=bootstrap.resamples,
            lines=len(table.rows),
            films=len(films),
            patients=len({row.patient for row in table.rows}),
            knees=knees,
            bones=bones,
            refused_with_bone_label=refused,
            site_settings=sorted({film.site_settings for film in films.values() if film.site_settings}),
            notices=len(table.notices),
            disclaimer=DISCLAIMER,
        ),
        {line: picture for line, picture in pictures.items() if picture},
    )


def _knees(
    rows: Sequence[TruthRow], films: Mapping[str, ReadFilm], card: ModelCard, bootstrap: Bootstrap
) -> KneeEvaluation | None:
    pairs, outcomes = knee_pairs(rows, films)
    return evaluate_knees(pairs, outcomes, card.metrics, _reference(card), bootstrap) if outcomes.lines else None


def _bones(
    rows: Sequence[TruthRow], films: Mapping[str, ReadFilm], card: ModelCard, bootstrap: Bootstrap
) -> tuple[list[BoneEvaluation], dict[str, int]]:
    """Of each anatomy, and why the films that were refused were; nobody knows what these show."""
    found = bone_pairs(rows, films)
    evaluated = [
        evaluate_bones(anatomy, pairs, outcomes, card.metrics, _reference(card), bootstrap)
        for anatomy, (pairs, outcomes) in sorted(found.items(), key=lambda item: item[0] or "")
        if anatomy
    ]
    return evaluated, found[None][1].refusals if None in found else {}


def _reference(card: ModelCard) -> ModelReference:
    return ModelReference(name=card.name, version=card.version)
