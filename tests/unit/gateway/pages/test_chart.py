"""The drawing of a trend: the names of the bands stay clear of the values."""

import datetime as dt

import pytest

from gateway.pages.chart import drawn
from gateway.records.trend import Point, Trend


def trend(first, last):
    points = [Point(date=dt.date(2023, 5, 1), value=first), Point(date=dt.date(2026, 5, 1), value=last)]
    return Trend(
        site="total_hip", measure="t_score", unit="standard deviations", device=None, points=points,
        change=last - first, per_year=None, least_significant_change=None, significant=None, summary="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("last", "named_left"),
    [(-2.7, ["low_bone_mass"]), (-1.1, ["normal"]), (-1.7, [])],
)
def test_a_bands_name_gives_way_to_a_value_at_its_place(last, named_left):
    drawing = drawn(trend(-1.7, last))
    assert [band.name for band in drawing.bands if band.named_left] == named_left
