"""Which drawn kinds the gate is fitted on, and which are held out: written down before anything was fitted.

A kind is in one of the two lists only. The held-out ones are drawn with `HELD_OUT_SEED`, ten of each, and looked at
once for each version of the rule.
"""

from collections.abc import Iterator

import numpy as np

from services.imaging.network import Content
from services.imaging.training.unknown import (
    charts,
    medical,
    noises,
    pages,
    patterns,
    plates,
    samples,
    scenes,
    things,
    views,
)  # fmt: skip
from services.imaging.training.unknown.brush import Draw
from shared.radiograph.prepare import GrayPixels

FITTING: tuple[Draw, ...] = (
    pages.text_page, pages.table_of_numbers, pages.form_with_boxes, pages.receipt, pages.dxa_report_light,
    pages.ecg_strip, pages.sheet_music, pages.comic,
    charts.line_chart, charts.bar_chart, charts.heat_chart, charts.bar_code, charts.desktop, charts.maze,
    patterns.chessboard, patterns.grating, patterns.ramp, patterns.vignette, patterns.bricks, patterns.halftone,
    patterns.polka_dots, patterns.spiral, noises.white_noise, noises.pink_noise, noises.streaks, noises.julia,
    noises.scribble,
    scenes.face, scenes.landscape, scenes.sea, scenes.stars, scenes.leaves, scenes.wood, scenes.fur, scenes.pebbles,
    things.car, things.circuit_board, things.logo,
    medical.ultrasound_fan, medical.ct_body, medical.mr_knee_slice, medical.mammogram, medical.hand,
    medical.tooth_film, plates.cells, plates.bright_tubes, plates.luggage, plates.gel, plates.relief,
    samples.photo_of_a_flower,
)  # fmt: skip
HELD_OUT: tuple[Draw, ...] = (
    pages.text_on_dark, pages.dxa_report_dark, pages.handwriting, pages.crossword, pages.calendar,
    pages.crumpled_letter,
    charts.scatter_chart, charts.pie_chart, charts.box_chart, charts.qr_code, charts.terminal, charts.phone_chat,
    charts.street_map,
    patterns.rings, patterns.halo, patterns.hexagons, patterns.triangles, patterns.herringbone, noises.blurred_noise,
    noises.cloud_noise, noises.salt_and_pepper, noises.mandelbrot, noises.sierpinski, noises.interference,
    scenes.portrait, scenes.silhouette, scenes.skyline, scenes.tree, scenes.marble, scenes.weave, scenes.leather,
    things.keyboard, things.clock, things.building_plan, things.tools,
    medical.ct_chest, medical.mr_head_axial, medical.foot_lateral, medical.skull_lateral, medical.dental_panoramic,
    medical.fundus_gray, plates.vessels, plates.retina_layers, plates.coins_and_keys, plates.bottles,
    plates.scintigram, plates.fingerprint, plates.planet,
    samples.photo_of_a_temple, samples.photo_of_a_person, samples.mr_of_a_head,
)  # fmt: skip
# Views of knees to be refused; and what is drawn in the same manner and is known, so that the manner tells nothing.
VIEWS: dict[Draw, Content] = {
    views.lateral: "knee_not_frontal", views.skyline_view: "knee_not_frontal", views.growing: "knee_growing",
    views.frontal: "knee", views.knees_on_a_sheet: "knee", views.spine: "spine_radiograph",
}  # fmt: skip
FITTING_SEED, HELD_OUT_SEED, VIEWS_SEED = 1, 2026, 1
FITTING_EACH, HELD_OUT_EACH, VIEWS_EACH = 12, 10, 60


def drawn(kinds: tuple[Draw, ...], each: int, seed: int) -> Iterator[tuple[str, GrayPixels]]:
    """Name and pixels of `each` pictures of every kind; a kind's pictures do not depend on the other kinds."""
    for draw in kinds:
        name = draw.__name__
        for number in range(each):
            yield name, draw(np.random.default_rng([seed, number, *name.encode()]))


def held_out() -> list[tuple[str, GrayPixels]]:
    """The pictures that the gate is judged on, each with the name of its kind."""
    return list(drawn(HELD_OUT, HELD_OUT_EACH, HELD_OUT_SEED))
