"""A trend as a drawing, 360 by 190: bands of the WHO classes, values at their points, fractures and treatments."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.records.timeline import Entry
from gateway.records.treatments import Treatment
from gateway.records.trend import Trend

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 40, 14, 30, 28
# Where low bone mass and osteoporosis begin, as the WHO has it, in T-scores.
LOW_MASS, OSTEOPOROSIS = -1.0, -2.5
# A value needs so much room beside the one before.
ROOM = 34
# The room that a band's name and a point's value take together, at the band's lower right.
NAME_WIDTH, NAME_HEIGHT = 80, 17


@dataclass(frozen=True)
class Mark:
    """A measurement: where it is drawn, and whether there is room for its value."""

    x: float
    y: float
    date: dt.date
    value: float
    has_room: bool


@dataclass(frozen=True)
class Band:
    """A class of bone density: from which height to which, and whether its name stands left, for a value is right."""

    name: str
    y: float
    height: float
    named_left: bool


@dataclass(frozen=True)
class Happened:
    """A fracture or the begin of a treatment; `x` is null where it lies outside the measured years."""

    kind: str
    name: str
    date: dt.date
    is_dated: bool
    age: float | None
    x: float | None


@dataclass(frozen=True)
class Drawn:
    """Where everything goes.

    Args:
        error: the height within which a change from the first value is the measurement's own error, as top and height.
        limits: T-scores that the classes begin at, with their heights.
    """

    line: str
    marks: list[Mark]
    bands: list[Band]
    limits: list[tuple[float, float]]
    error: tuple[float, float] | None
    happened: list[Happened]
    highest: float
    lowest: float


def drawings(
    trends: Sequence[Trend], entries: Sequence[Entry], treated: Sequence[Treatment]
) -> list[tuple[Trend, Drawn]]:
    """Each trend with its drawing."""
    return [(trend, drawn(trend, entries, treated)) for trend in trends]


def drawn(trend: Trend, entries: Sequence[Entry] = (), treated: Sequence[Treatment] = ()) -> Drawn:
    """The measurements over their dates. The scale leaves some air, so that a small change does not look large."""
    values = [point.value for point in trend.points]
    is_t_score = trend.measure == "t_score"
    air = max(max(values) - min(values), 0.5 if is_t_score else 0.1) * 0.5
    highest, lowest = max(values) + air, min(values) - air
    if is_t_score:  # so that it is seen which limit is near
        highest, lowest = max(highest, LOW_MASS + 0.4), min(lowest, OSTEOPOROSIS - 0.4)

    def height(value: float) -> float:
        share = (highest - min(max(value, lowest), highest)) / (highest - lowest)
        return round(TOP + (HEIGHT - TOP - BOTTOM) * share, 1)

    first, last = trend.points[0].date, trend.points[-1].date

    def across(day: dt.date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / max((last - first).days, 1), 1)

    marks: list[Mark] = []
    for point in trend.points:
        x = across(point.date)
        drawn_before = [mark.x for mark in marks if mark.has_room]
        has_room = not drawn_before or x - drawn_before[-1] >= ROOM
        marks.append(Mark(x, height(point.value), point.date, point.value, has_room))
    least = trend.least_significant_change
    top, bottom = (height(values[0] + least), height(values[0] - least)) if least else (0.0, 0.0)
    return Drawn(
        line=" ".join(f"{mark.x},{mark.y}" for mark in marks),
        marks=marks,
        bands=_bands(height, highest, lowest, marks) if is_t_score else [],
        limits=[(limit, height(limit)) for limit in (LOW_MASS, OSTEOPOROSIS)] if is_t_score else [],
        error=(top, round(bottom - top, 1)) if least else None,
        happened=[
            Happened(kind, name, day, is_dated, age, across(day) if is_dated and first <= day <= last else None)
            for kind, name, day, is_dated, age in _events(entries, treated)
        ],
        highest=highest,
        lowest=lowest,
    )


def _bands(height: Callable[[float], float], highest: float, lowest: float, marks: Sequence[Mark]) -> list[Band]:
    limits = [
        ("normal", highest, LOW_MASS),
        ("low_bone_mass", LOW_MASS, OSTEOPOROSIS),
        ("osteoporosis", OSTEOPOROSIS, lowest),
    ]
    return [
        Band(name, height(top), round(height(bottom) - height(top), 1), _value_near(height(bottom), marks))
        for name, top, bottom in limits
    ]


def _value_near(bottom: float, marks: Sequence[Mark]) -> bool:
    """Whether a point or its value, which stands over it, lies where a band has its name, at its right end."""
    return any(WIDTH - RIGHT - mark.x < NAME_WIDTH and abs(mark.y - bottom) < NAME_HEIGHT for mark in marks)


def _events(
    entries: Sequence[Entry], treated: Sequence[Treatment]
) -> list[tuple[str, str, dt.date, bool, float | None]]:
    """Fractures and treatments in the order of their dates; a fracture of an age alone has no date."""
    broken = [
        # "Four months ago" is no day, and near enough for a drawing; an age, or nothing, is not.
        ("fracture", entry.site or "", entry.date, entry.dated or entry.is_near, entry.age)
        for entry in entries
        if entry.kind == "fracture"
    ]
    begun = [("treatment", one.name, one.recorded_on, True, None) for one in treated]
    return sorted([*broken, *begun], key=lambda one: one[2])
