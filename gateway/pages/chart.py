"""A trend as a line in a drawing, 340 by 150."""

from dataclasses import dataclass

from gateway.records.trend import Trend

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 26


@dataclass(frozen=True)
class Drawn:
    """Where everything goes: the line, a mark for each measurement, and the values at the edges."""

    line: str
    marks: list[tuple[float, float]]
    highest: float
    lowest: float


def drawn(trend: Trend) -> Drawn:
    """The measurements over their dates. The scale leaves some air, so that a small change does not look large."""
    values = [point.value for point in trend.points]
    days = [(point.date - trend.points[0].date).days for point in trend.points]
    air = max(max(values) - min(values), 0.5 if trend.measure == "t_score" else 0.1) * 0.5
    highest, lowest, last = max(values) + air, min(values) - air, max(days[-1], 1)
    marks = [
        (
            round(LEFT + (WIDTH - LEFT - RIGHT) * day / last, 1),
            round(TOP + (HEIGHT - TOP - BOTTOM) * (highest - value) / (highest - lowest), 1),
        )
        for day, value in zip(days, values, strict=True)
    ]
    return Drawn(" ".join(f"{x},{y}" for x, y in marks), marks, highest, lowest)
