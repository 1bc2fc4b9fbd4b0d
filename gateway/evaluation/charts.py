"""Line charts as SVG, drawn with attributes alone, so that browsers and the PDF's writer show the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gateway.evaluation.model import BoneEvaluation, Discrimination, KneeEvaluation

WIDTH, HEIGHT = 330, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 38, 52
INK, SOFT, ACCENT, OTHER = "#17211f", "#55625f", "#0d5c63", "#b5651d"
FONT = 'font-family="sans-serif"'
Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A line through points, in the axes' units.

    `marked` draws the points too; `dashed` is for what the others are compared with.
    """

    name: str
    points: Sequence[Point]
    colour: str = ACCENT
    dashed: bool = False
    marked: bool = False


@dataclass(frozen=True)
class Axes:
    """The title, the axes' names and their ranges."""

    title: str
    x: str
    y: str
    x_range: Point = (0.0, 1.0)
    y_range: Point = (0.0, 1.0)

    def place(self, point: Point) -> Point:
        """Where a point lies in the drawing; what lies beyond the axes is put on their edge."""
        x, y = (_share(value, span) for value, span in zip(point, (self.x_range, self.y_range), strict=True))
        return round(LEFT + x * (WIDTH - LEFT - RIGHT), 1), round(HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM), 1)


def _share(value: float, span: Point) -> float:
    low, high = span
    return min(1.0, max(0.0, (value - low) / (high - low)))


def chart(axes: Axes, lines: Sequence[Line]) -> str:
    """The drawing, 330 by 240."""
    parts = [*_frame(axes), *(part for line in lines for part in _line(axes, line)), *_legend(lines)]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(axes.title)}">'
    return "".join([head, *parts, "</svg>"])


def _frame(axes: Axes) -> list[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        _text(axes.title, (WIDTH / 2, 15), size=12, colour=INK),
        f'<rect x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{bottom - TOP}" fill="none" stroke="{SOFT}"/>',
        _text(axes.x, ((LEFT + right) / 2, bottom + 28)),
        _text(axes.y, (LEFT, TOP - 4), anchor="start", size=9),
    ]
    for step in range(5):
        for along, span in enumerate((axes.x_range, axes.y_range)):
            value = span[0] + (span[1] - span[0]) * step / 4
            corner = [axes.x_range[0], axes.y_range[0]]
            corner[along] = value
            x, y = axes.place((corner[0], corner[1]))
            where = (LEFT - 4, y + 3) if along else (x, y + 13)
            parts.append(_text(f"{value:.2f}", where, anchor="end" if along else "middle", size=9))
    return parts


def _line(axes: Axes, line: Line) -> list[str]:
    places = [axes.place(point) for point in line.points]
    dash = ' stroke-dasharray="4 3"' if line.dashed else ""
    through = " ".join(f"{x},{y}" for x, y in places)
    parts = [f'<polyline points="{through}" fill="none" stroke="{line.colour}" stroke-width="1.6"{dash}/>']
    if line.marked:
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{line.colour}"/>' for x, y in places]
    return parts


def _legend(lines: Sequence[Line]) -> list[str]:
    step = (WIDTH - LEFT - RIGHT) / max(1, len(lines))
    y = HEIGHT - 8
    parts = []
    for number, line in enumerate(lines):
        x = LEFT + number * step
        dash = ' stroke-dasharray="4 3"' if line.dashed else ""
        stroke = f'stroke="{line.colour}" stroke-width="1.6"{dash}'
        parts.append(f'<line x1="{x:.1f}" y1="{y - 3}" x2="{x + 14:.1f}" y2="{y - 3}" {stroke}/>')
        parts.append(_text(line.name, (x + 18, y), anchor="start", size=9))
    return parts


def _text(text: str, place: Point, *, anchor: str = "middle", size: int = 10, colour: str = SOFT) -> str:
    x, y = place
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {where} {FONT} fill="{colour}">{escape(text)}</text>'


def calibration_chart(asked: Discrimination) -> str:
    """What was predicted against what was so."""
    points = [(found.predicted, found.observed) for found in asked.calibration.bins]
    axes = Axes(f"Calibration: {asked.question}", "predicted probability", "share in whom it was so")
    ideal = Line("ideal", [(0, 0), (1, 1)], SOFT, dashed=True)
    return chart(axes, [ideal, Line("here", points, marked=True)])


def decision_chart(asked: Discrimination) -> str:
    """Net benefit over the probability from which somebody would be sent on."""
    curve = asked.decision_curve
    highest = max(0.01, *(max(point.network, point.everybody) for point in curve))
    axes = Axes(
        f"Decision curve: {asked.question}",
        "threshold",
        "net benefit a person",
        x_range=(0.0, curve[-1].threshold),
        y_range=(round(-0.25 * highest, 3), highest),
    )
    return chart(
        axes,
        [
            Line("network", [(point.threshold, point.network) for point in curve]),
            Line("everybody", [(point.threshold, point.everybody) for point in curve], OTHER, dashed=True),
            Line("nobody", [(0.0, 0.0), (curve[-1].threshold, 0.0)], SOFT, dashed=True),
        ],
    )


def coverage_chart(knees: KneeEvaluation) -> str:
    """Accuracy over the share of knees that is answered, the surest first."""
    points = [(point.share_answered, point.accuracy) for point in knees.coverage]
    axes = Axes("Accuracy if only the surest are answered", "share of the knees that is answered", "accuracy")
    return chart(axes, [Line("grades", points, marked=True)])


def knee_charts(knees: KneeEvaluation) -> list[str]:
    """Every drawing about grades that these knees give."""
    asked = (
        [calibration_chart(knees.grade_2_or_more), decision_chart(knees.grade_2_or_more)]
        if knees.grade_2_or_more
        else []
    )
    return [*asked, *([coverage_chart(knees)] if knees.coverage else [])]


def bone_charts(bone: BoneEvaluation) -> list[str]:
    """Every drawing about osteoporosis that these films give."""
    return [calibration_chart(bone.probability), decision_chart(bone.probability)] if bone.probability else []
