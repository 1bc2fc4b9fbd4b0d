"""The report as a PDF, on the sheet that patients' reports are set on. Pictures of films are in the HTML alone."""

from collections.abc import Iterable
from contextlib import closing

from gateway.evaluation import wording
from gateway.evaluation.charts import bone_charts, knee_charts
from gateway.evaluation.model import BoneEvaluation, Case, KneeEvaluation, SiteEvaluation, SiteFigure, Subgroup
from gateway.reports.fonts import fonts_for
from gateway.reports.sheet import Sheet

SIZE = 9.0


def pdf_of(evaluation: SiteEvaluation) -> bytes:
    """The file."""
    fonts = fonts_for("en")
    assert fonts is not None  # noqa: S101 -- English can always be written
    with closing(Sheet(fonts, SIZE)) as sheet:
        sheet.dated(evaluation.made_at)
        sheet.title(wording.TITLE, f"{evaluation.made_at:%Y-%m-%d %H:%M} UTC. {evaluation.disclaimer}")
        _lines(sheet, wording.about(evaluation))
        if evaluation.knees:
            _knees(sheet, evaluation.knees)
        for bone in evaluation.bones:
            _bone(sheet, bone)
        if evaluation.refused_with_bone_label:
            sheet.heading("Films with a bone label that were refused")
            _lines(sheet, (f"{reason}: {count}" for reason, count in evaluation.refused_with_bone_label.items()))
        return sheet.finished()


def _knees(sheet: Sheet, knees: KneeEvaluation) -> None:
    sheet.heading("Kellgren-Lawrence grades")
    sheet.line(f"{knees.model.name} {knees.model.version}, {knees.patients} patients.", soft=True)
    _lines(sheet, wording.outcome_lines(knees.outcomes, "knees"))
    _figures(sheet, knees.figures)
    _lines(sheet, wording.knee_lines(knees))
    for grade, row in enumerate(knees.confusion_rows_truth):
        sheet.line(f"Reader 1 grade {grade}, network grades 0 to 4: {'  '.join(map(str, row))}", soft=True)
    for reader in knees.readers:
        _lines(sheet, wording.reader_lines(reader))
    if knees.grade_2_or_more:
        _lines(sheet, wording.probability_lines(knees.grade_2_or_more))
    sheet.drawings(knee_charts(knees))
    _rest(sheet, knees.figures, knees.subgroups, knees.worst)


def _bone(sheet: Sheet, bone: BoneEvaluation) -> None:
    sheet.heading(f"Osteoporosis, {bone.anatomy}")
    sheet.line(f"{bone.model.name} {bone.model.version}, {bone.patients} patients.", soft=True)
    _lines(sheet, wording.outcome_lines(bone.outcomes, "films"))
    _figures(sheet, bone.figures)
    _lines(sheet, wording.bone_lines(bone))
    if bone.probability:
        _lines(sheet, wording.probability_lines(bone.probability))
    sheet.drawings(bone_charts(bone))
    _rest(sheet, bone.figures, bone.subgroups, bone.worst)


def _figures(sheet: Sheet, figures: list[SiteFigure]) -> None:
    for figure in figures:
        sheet.line(wording.figure_line(figure), bold=figure.verdict == "worse")
    for line in wording.caution(figures):
        sheet.line(line, bold=True)


def _rest(sheet: Sheet, figures: list[SiteFigure], groups: list[Subgroup], worst: list[Case]) -> None:
    for line in wording.resolutions(figures):
        sheet.item(line)
    for group in groups:
        named = ", ".join(f"{name.replace('_', ' ')} {wording.shown(found)}" for name, found in group.figures.items())
        sheet.line(f"{group.column} {group.group} ({group.people}): {named}")
    for case in worst:
        sheet.line(f"Line {case.line}, patient {case.patient}: {case.truth}, answered {case.answer}", soft=True)


def _lines(sheet: Sheet, lines: Iterable[str]) -> None:
    for line in lines:
        sheet.line(line)
