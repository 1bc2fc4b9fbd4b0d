"""From what is stored of a version in the shadow, and a table of the site's own, to the comparison of both versions."""

from collections.abc import Callable, Sequence

import anyio

from gateway.assessing.administration import open_database
from gateway.assessing.feedback_table import truth_lines
from gateway.assessing.model_use import answering_as
from gateway.assessing.services import Services
from gateway.assessing.workflow import Workflow
from gateway.evaluation.estimates import Bootstrap
from gateway.evaluation.evaluate import IN_FLIGHT, CheckedTable
from gateway.evaluation.reading import ReadFilm, read_films
from gateway.evaluation.table import TruthRow
from gateway.evaluation.versions import SEED, TruthComparison, VersionComparison, against_truth, agreement
from gateway.platform.encryption import installation_key
from gateway.records.feedback import JudgedAssessment
from gateway.records.model_use import ModelUse
from gateway.records.shadow_answers import ShadowAnswers, ShadowedCase
from gateway.settings import GatewaySettings
from shared.clinic.density import OSTEOPOROSIS_TO
from shared.contracts.policy import ClinicPolicy
from shared.figures import RESAMPLES
from shared.problems import InvalidInput

# Codes are made for the intervals and go nowhere, so any key will do.
KEY = b"codes of one report"


async def compared(settings: GatewaySettings, use: ModelUse, table: TruthComparison | None = None) -> VersionComparison:
    """The comparison of what is stored of the version in the shadow, and of a table that was read by both.

    Raises:
        InvalidInput: the version has not answered a case yet.
    """
    version = str(use.shadow)
    async with open_database(settings) as database:
        answers = ShadowAnswers(database.sessions, installation_key(settings))
        cases = [case async for case in answers.cases(use.service, version)]
    if not cases:
        raise InvalidInput(f"{use.service} {version} has answered no case in the shadow yet: wait, and ask again.")
    return await anyio.to_thread.run_sync(_counted, use.service, version, cases, table)


async def compared_by_table(
    table: CheckedTable,
    services: Services,
    policy: ClinicPolicy,
    service: str,
    versions: tuple[str | None, str],
    on_read: Callable[[int, int], None],
) -> TruthComparison | None:
    """A table's films, read by the serving version and by the one in the shadow; null without a truth for the service.

    Args:
        versions: the serving one (null: that of the settings), and the one in the shadow.

    Raises:
        InvalidInput: a line names a stored assessment, which one version alone has answered.
        ServiceUnavailable: a service was out of order.
    """
    if any(row.assessment for row in table.rows):
        raise InvalidInput("Lines that name a stored assessment cannot be read by both versions: name the films.")
    read = []
    for version in versions:
        named = {service: version} if version else {}
        workflow = Workflow(answering_as(services, named), IN_FLIGHT, policy=policy)
        read.append(await read_films(table.path.parent, table.rows, workflow, False, on_read))
    return await anyio.to_thread.run_sync(against_truth, service, table.rows, read[0], read[1], "table")


def _counted(
    service: str, version: str, cases: Sequence[ShadowedCase], table: TruthComparison | None
) -> VersionComparison:
    known = [(case, answered) for case in cases if (answered := _serving(service, case)) is not None]
    serving = known[-1][1] if known else "none"
    used = [case for case, answered in known if answered == serving]
    films = {str(case.of.assessment.id): _films(service, case) for case in used}
    rows = [row for case in used for row in _rows(case)]
    numbered = [_with_line(row, line) for line, row in enumerate(rows, start=1)]
    first, second = ({name: pair[place] for name, pair in films.items()} for place in (0, 1))
    judged = against_truth(service, numbered, first, second, "feedback")
    coded = [(_patient(case), *_films(service, case)) for case in used]
    return VersionComparison(
        service=service,
        serving=serving,
        shadow=version,
        cases=len(used),
        patients=len({code for code, _, _ in coded}),
        left_out=len(cases) - len(used),
        agreement=agreement(service, coded, Bootstrap(RESAMPLES, SEED)) if coded else [],
        truths=[truth for truth in (judged, table) if truth is not None],
    )


def _serving(service: str, case: ShadowedCase) -> str | None:
    finding = case.of.assessment.staging if service == "staging" else case.of.assessment.imaging
    return finding.model.version if finding else None


def _films(service: str, case: ShadowedCase) -> tuple[ReadFilm, ReadFilm]:
    """As it was answered, and as the version in the shadow did."""
    made, answer = case.of.assessment, case.answer
    if service == "staging":
        return ReadFilm(None, None, made.staging), ReadFilm(answer.refused, None, answer.staging)
    return ReadFilm(None, made.imaging), ReadFilm(answer.refused, answer.imaging)


def _rows(case: ShadowedCase) -> list[TruthRow]:
    """What people and DXA said of a case, as lines of a table."""
    lines = truth_lines(JudgedAssessment(case.of, case.feedback), KEY)
    return [
        TruthRow(
            line=0,
            file="",
            patient=_patient(case),
            side=line.get("side") or None,
            kl_grade=line.get("kl_grade"),
            osteoporosis=line["t_score"] <= OSTEOPOROSIS_TO if "t_score" in line else None,
            assessment=case.of.assessment.id,
            age=line.get("age"),
        )
        for line in lines
    ]


def _with_line(row: TruthRow, line: int) -> TruthRow:
    return TruthRow(**{**vars(row), "line": line})


def _patient(case: ShadowedCase) -> str:
    """Who stays together in a resample; a case of nobody in particular stands for somebody of its own."""
    return str(case.of.patient_id or case.of.assessment.id)
