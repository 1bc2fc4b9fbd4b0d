"""The readings of lines that name a stored assessment: as it was answered, each with its line in the audit trail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from gateway.assessing.administration import open_database, organisation_of
from gateway.evaluation.reading import ReadFilm
from gateway.evaluation.table import TruthRow, wrong_table
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import RESTRICTED, Principal, operator_of
from gateway.records.assessments import Assessments
from gateway.settings import GatewaySettings
from shared.contracts.assessment import Assessment
from shared.contracts.models import ModelCard
from shared.label_table import Fault
from shared.problems import InvalidInput, NotFound, PatientRestricted


async def stored_readings(
    settings: GatewaySettings, table: Path, rows: Sequence[TruthRow], organisation: str | None
) -> dict[str, ReadFilm]:
    """By the lines' `film`; the database is opened only where a line names an assessment.

    A restricted patient's is refused to the operator as to anybody else, who could open it by emergency access.

    Raises:
        InvalidInput: with every assessment that cannot be used.
    """
    wanted = {row.assessment: row for row in rows if row.assessment is not None}
    if not wanted:
        return {}
    async with open_database(settings) as database:
        operator = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        who = replace(operator, scopes=operator.scopes - {RESTRICTED})
        assessments = Assessments(database.sessions, installation_key(settings))
        found = {row.film: await _reading(assessments, who, identity, row) for identity, row in wanted.items()}
    faults = [fault for fault in found.values() if isinstance(fault, Fault)]
    if faults:
        raise wrong_table(table, faults)
    return {film: reading for film, reading in found.items() if isinstance(reading, ReadFilm)}


def check_versions(readings: Mapping[str, ReadFilm], cards: Sequence[ModelCard]) -> None:
    """Figures are of one version of each model, the installed one.

    Raises:
        InvalidInput: a stored reading is of another version.
    """
    installed = {card.name: card.version for card in cards}
    for film, reading in readings.items():
        for finding in (reading.imaging, reading.staging):
            if finding and installed.get(finding.model.name) != finding.model.version:
                raise InvalidInput(
                    f"The assessment {film} was made by {finding.model.name} {finding.model.version}, which is not "
                    "installed any more: name the film's file in its place, or take the line out."
                )


async def _reading(assessments: Assessments, who: Principal, identity: UUID, row: TruthRow) -> ReadFilm | Fault:
    try:
        assessment = (await assessments.get(identity, who)).assessment
    except (NotFound, PatientRestricted) as error:
        return Fault(f"line {row.line}: {error.detail} Take the line out.")
    if unusable := _unusable(assessment):
        return Fault(f"line {row.line}: the assessment {identity} {unusable}")
    version = assessment.site_settings.version if assessment.site_settings else None
    return ReadFilm(None, assessment.imaging, assessment.staging, site_settings=version)


def _unusable(assessment: Assessment) -> str | None:
    if assessment.is_withdrawn:
        return "was withdrawn: take the line out."
    if assessment.imaging is None:
        return "has no reading of a film: take the line out, or name the film's file."
    return None
