"""Geometry of the phantom's lumbar spine in mm: x to the right of the picture, y down, the middle of L3 at (0, 0).

Sizes of bodies and discs after the usual morphometry of adults (bodies 42 to 52 mm wide and 26 to 28 mm high).
"""

from shared.radiograph.phantom_beam import Bone, Outline, Profile

FIELD_MM = 330.0
ORIGIN = (0.5, 0.46)

TRUNK = (
    (-175, -300), (-165, -60), (-160, 0), (-165, 60), (-180, 300),
    (180, 300), (165, 60), (160, 0), (165, -60), (175, -300),
)  # fmt: skip
TRUNK_DEPTH_MM = 95.0
PSOAS = ((22, -75), (34, -30), (52, 30), (66, 90), (72, 150), (70, 260), (34, 260), (26, 120), (24, 30))
BACK = ((4, -300), (58, -300), (60, -80), (56, 60), (44, 150), (36, 260), (4, 260))

# (width, height of the body, height of the disc below), T11 to L5.
LEVELS = (
    (38.0, 24.0, 5.0), (40.0, 25.0, 6.0), (42.0, 26.0, 7.5), (44.0, 27.0, 8.5), (46.0, 28.0, 9.5), (48.5, 28.0, 10.5),
    (52.0, 27.0, 9.0),
)  # fmt: skip
L3 = 4
LUMBAR = 2  # index of L1

BODY_DEPTH, ARCH_DEPTH = 17.0, 8.0
SACRUM = Bone(
    outline=(
        (-26, 92), (0, 90), (26, 92), (38, 99), (54, 102), (60, 114), (48, 136), (34, 170), (20, 260), (-20, 260),
        (-34, 170), (-48, 136), (-60, 114), (-54, 102), (-38, 99),
    ),
    depth=((80, 16), (140, 12)),
    cortex=((80, 1.0), (140, 0.9)),
    trabecular=((80, 0.14), (140, 0.10)),
)  # fmt: skip
ILIUM: Outline = ((54, 96), (66, 80), (88, 66), (112, 62), (134, 70), (150, 90), (158, 260), (70, 260), (58, 150))
TWELFTH_RIB: Outline = (
    (20, -86), (34, -88), (52, -82), (72, -70), (90, -54), (100, -40), (97, -37), (84, -50), (66, -64), (50, -74),
    (34, -80), (21, -80),
)  # fmt: skip


def mirrored(outline: Outline) -> Outline:
    """The same on the other side of the body, in the same sense of rotation."""
    return [(-x, y) for x, y in reversed(outline)]


def both(outline: Outline) -> tuple[Outline, Outline]:
    """The two of a pair."""
    return outline, mirrored(outline)


def bone(outline: Outline, depth: float, cortex: float, trabecular: float) -> Bone:
    """A bone whose depth, shell and inside are the same at every height."""

    def level(value: float) -> Profile:
        return ((0.0, value), (1.0, value))

    return Bone(outline, level(depth), level(cortex), level(trabecular))


def middles() -> list[float]:
    """y of the middle of each body of `LEVELS`."""
    tops, y = [], 0.0
    for _, height, disc in LEVELS:
        tops.append(y + height / 2)
        y += height + disc
    return [middle - tops[L3] for middle in tops]


def vertebra(width: float, height: float, y: float, lumbar: bool) -> list[Bone]:
    """Body, pedicles, arch with the articular processes, spinous process and, in the lumbar spine, transverse ones."""
    w, h = width / 2, height / 2
    right = ((0.97 * w, -0.92 * h), (0.90 * w, -0.35 * h), (0.87 * w, 0.1 * h), (0.91 * w, 0.45 * h), (w, 0.93 * h))
    end_plate = ((0.5 * w, 1.0 * h), (0.0, 0.93 * h), (-0.5 * w, 1.0 * h))
    body = [*right, *end_plate, *mirrored(right), *((-x, -py) for x, py in end_plate)]
    pedicle = [(0.60 * w + 4.2 * x, -0.30 * h + 6.5 * py) for x, py in CIRCLE]
    arch = ((4, -0.1 * h), (0.5 * w, -0.55 * h), (0.62 * w, -0.1 * h), (0.5 * w, 0.5 * h), (0.66 * w, 1.25 * h),
            (0.5 * w, 1.5 * h), (0.32 * w, 1.1 * h), (0.22 * w, 0.6 * h))  # fmt: skip
    spinous = ((-3, 0.1 * h), (3, 0.1 * h), (4, 0.8 * h), (4.6, 1.2 * h), (0, 1.35 * h), (-4.6, 1.2 * h), (-4, 0.8 * h))
    transverse = ((0.8 * w, -0.25 * h), (w + 10, -0.42 * h), (w + 19, -0.55 * h), (w + 21, -0.3 * h),
                  (w + 11, -0.02 * h), (0.8 * w, 0.2 * h))  # fmt: skip
    parts = [bone(placed(body, y), BODY_DEPTH, 0.9, 0.27), bone(placed(spinous, y), ARCH_DEPTH, 1.2, 0.2)]
    for outline in (*both(pedicle), *both(arch)):
        parts.append(bone(placed(outline, y), ARCH_DEPTH - 2, 1.1, 0.16))
    if lumbar:
        parts += [bone(placed(outline, y), 4.0, 0.9, 0.12) for outline in both(transverse)]
    return parts


def placed(outline: Outline, y: float) -> Outline:
    """An outline of a vertebra around its own middle, moved to `y` of the spine."""
    return [(x, py + y) for x, py in outline]


CIRCLE: Outline = ((0, -1), (0.7, -0.7), (1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7))
MUSCLES: tuple[tuple[Outline, float], ...] = tuple(
    (outline, depth) for shape, depth in ((PSOAS, 26.0), (BACK, 22.0)) for outline in both(shape)
)
BONES: tuple[Bone, ...] = (
    *(part for level, ((width, height, _), y) in enumerate(zip(LEVELS, middles(), strict=True))
      for part in vertebra(width, height, y, lumbar=level >= LUMBAR)),
    SACRUM,
    *(bone(outline, 9.0, 1.6, 0.10) for outline in both(ILIUM)),
    *(bone(outline, 3.5, 0.9, 0.10) for outline in both(TWELFTH_RIB)),
)  # fmt: skip
