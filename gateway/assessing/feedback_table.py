"""Feedback as tables: one that `trabecula evaluate` reads, and one with pictures that training reads.

Patients get codes that nobody can turn back without the installation's secret, the same in every export.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.assessing.administration import open_database, organisation_of
from gateway.assessing.agreement import subject_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import RESTRICTED, Principal, operator_of
from gateway.platform.owner_only import replace_file
from gateway.records.feedback import FeedbackStore, JudgedAssessment
from gateway.records.films import keyed_hash
from gateway.records.patients import Patients
from gateway.records.renderings import Renderings
from gateway.records.stored_risk import AnyRisk
from gateway.settings import GatewaySettings
from shared.clinic.density import NORMAL_FROM, OSTEOPOROSIS_TO
from shared.contracts.feedback import Dxa, Grade, StoredFeedback
from shared.contracts.risk import RiskRequest
from shared.problems import InvalidInput

TRUTH, RADIOGRAPHS = "truth.csv", "radiographs.csv"
RADIOGRAPH_COLUMNS = ("file", "patient", "anatomy", "label", "t_score")
CODE_LETTERS = 12
# As `trabecula evaluate` has names for them: the first reader's column has none.
MOST_READERS = 9


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and what it left out."""

    files: list[str]
    lines: int
    radiographs: int
    without_truth: int
    of_other_versions: int


async def export_feedback(
    settings: GatewaySettings,
    folder: Path,
    versions: Mapping[str, str],
    blind_only: bool,
    with_radiographs: bool,
    organisation: str | None,
) -> Exported:
    """Write the organisation's feedback into a folder of its own.

    Args:
        versions: of the installed models, by name. Assessments of others are left out: figures are of one version.
        blind_only: leave out grades that were given beside the software's.
        with_radiographs: write kept previews of knees with a DXA result too, and their table.

    Raises:
        InvalidInput: the folder cannot be written.
    """
    async with open_database(settings) as database:
        kek = installation_key(settings)
        operator = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        who = Principal(operator.id, operator.organisation_id, operator.scopes - {RESTRICTED}, operator.role)
        judged = await FeedbackStore(database.sessions, kek).judged(who)
        key = await Patients(database.sessions, kek).organisation_key(who.organisation_id)
        present = [one for one in judged if _is_of(one, versions)]
        lines = [line for one in present for line in truth_lines(one, key, blind_only)]
        _prepare(folder)
        written = {TRUTH: as_csv(lines, truth_columns(lines))}
        pictures: list[dict[str, Any]] = []
        if with_radiographs:
            renderings = Renderings(database.sessions, kek)
            for one in present:
                png = await renderings.first(one.of.assessment.id, ["preview"]) if bone_label(one) else None
                if png is not None:
                    replace_file(folder / f"{one.of.assessment.id}.png", png)
                    pictures.append(radiograph_line(one, key))
            written[RADIOGRAPHS] = as_csv(pictures, RADIOGRAPH_COLUMNS)
    for name, content in written.items():
        replace_file(folder / name, content)
    without = sum(1 for one in present if not any(truth_lines(one, key, blind_only)))
    files = [str(folder / name) for name in written]
    return Exported(files, len(lines), len(pictures), without, len(judged) - len(present))


def truth_lines(judged: JudgedAssessment, key: bytes, blind_only: bool = False) -> Iterator[dict[str, Any]]:
    """A line for each knee that was graded, with every reader's newest grade, or one for the film."""
    assessment = judged.of.assessment
    if assessment.imaging is None:
        return
    common = {"assessment": assessment.id, "patient": patient_code(judged, key), **_person(judged.of.risk)}
    if dxa := _lowest(judged.feedback):
        common |= {"t_score": dxa.t_score, "t_score_region": dxa.region}
    grades = _grades(judged.feedback, blind_only)
    for side in dict.fromkeys(side for side, _ in grades):
        readers = [grade for (of_side, _), grade in grades.items() if of_side == side][:MOST_READERS]
        named = {_column(number): grade for number, grade in enumerate(readers, start=1)}
        yield {**common, "side": side or "", **named}
    if not grades and dxa:
        yield common


def truth_columns(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The columns of these lines, in the order in which the how-to lists them."""
    first = ["assessment", "patient", "side", "kl_grade", "t_score", "t_score_region", "sex", "age"]
    return first + sorted({column for line in lines for column in line} - set(first))


def bone_label(judged: JudgedAssessment) -> str | None:
    """The class by DXA of a film of a knee; of spines training wants to know how the picture was made, which is not."""
    imaging, dxa = judged.of.assessment.imaging, _lowest(judged.feedback)
    if imaging is None or imaging.anatomy != "knee" or dxa is None:
        return None
    if dxa.t_score <= OSTEOPOROSIS_TO:
        return "osteoporosis"
    return "osteopenia" if dxa.t_score < NORMAL_FROM else "normal"


def radiograph_line(judged: JudgedAssessment, key: bytes) -> dict[str, Any]:
    """A line of `radiographs.csv`, as docs/training.md has it."""
    dxa = _lowest(judged.feedback)
    return {
        "file": f"{judged.of.assessment.id}.png",
        "patient": patient_code(judged, key),
        "anatomy": "knee",
        "label": bone_label(judged),
        "t_score": dxa.t_score if dxa else "",
    }


def patient_code(judged: JudgedAssessment, key: bytes) -> str:
    """The patient in code; an assessment of nobody in particular stands for somebody of its own."""
    of = judged.of.patient_id or judged.of.assessment.id
    return keyed_hash(key, "patient", of.bytes).hex()[:CODE_LETTERS]


def _grades(feedback: Sequence[StoredFeedback], blind_only: bool) -> dict[tuple[str | None, str], int]:
    """The newest grade of each person for each knee, whoever graded first coming first."""
    return {
        (subject_of(one.feedback), one.by): one.feedback.kl_grade
        for one in feedback
        if isinstance(one.feedback, Grade) and (one.feedback.blind or not blind_only)
    }


def _lowest(feedback: Sequence[StoredFeedback]) -> Dxa | None:
    """The lowest T-score decides, of the newest result of each region."""
    newest = {one.feedback.region: one.feedback for one in feedback if isinstance(one.feedback, Dxa)}
    return min(newest.values(), key=lambda dxa: dxa.t_score, default=None)


def _person(risk: AnyRisk | None) -> dict[str, Any]:
    if not isinstance(risk, RiskRequest):
        return {}
    known = {"age": risk.record.age, "sex": risk.record.gender}
    return {name: value for name, value in known.items() if value not in (None, "unknown")}


def _column(number: int) -> str:
    return "kl_grade" if number == 1 else f"reader{number}_kl_grade"


def _is_of(judged: JudgedAssessment, versions: Mapping[str, str]) -> bool:
    assessment = judged.of.assessment
    models = [finding.model for finding in (assessment.imaging, assessment.staging) if finding]
    return all(versions.get(model.name) == model.version for model in models)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InvalidInput(f"{folder} is not empty: name a new folder.")
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror}. Name another folder.") from error


def as_csv(lines: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A table in UTF-8 with commas; what a line does not have stays empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
