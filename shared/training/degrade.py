"""Radiographs made worse by steps, as hospitals and messengers do, to see from where on a reading moves."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

# The side to which a full-size film is reduced before it is blurred or compressed, so that both mean the same for all.
REFERENCE_SIDE, QUALITY = 1024, 92
Degrade = Callable[[Image.Image], bytes]


@dataclass(frozen=True)
class Moved:
    """How one reading of a degraded picture differs from that of the picture itself.

    Attributes:
        steps: classes between the two. by: difference of the underlying number. sure: both were called good.
        warned: the degraded one was called uncertain for its lack of detail.
    """

    steps: int
    by: float
    sure: bool
    warned: bool


def ways() -> dict[str, Degrade]:
    """Every degradation by its name."""
    return {
        **{
            f"long side {side}": partial(smaller, side=side) for side in (1400, 1024, 900, 800, 700, 600, 500, 400, 300)
        },
        **{f"long side {side}, enlarged again": partial(enlarged, side=side) for side in (700, 600, 500, 400, 300)},
        **{f"blur {sigma:g} px": partial(blurred, sigma=sigma) for sigma in (0.7, 1.0, 1.5, 2.0, 3.0, 4.0)},
        **{f"JPEG quality {quality}": partial(compressed, quality=quality) for quality in (80, 60, 40, 30, 20, 10)},
    }


def smaller(image: Image.Image, side: int) -> bytes:
    """Sent with this long side."""
    return jpeg(resized(image, side))


def enlarged(image: Image.Image, side: int) -> bytes:
    """Sent at its own size again after it had this long side."""
    return jpeg(resized(resized(image, side), max(image.size)))


def blurred(image: Image.Image, sigma: float) -> bytes:
    """Blurred by a Gaussian of so many pixels at the reference size."""
    return jpeg(reduced(image).filter(ImageFilter.GaussianBlur(sigma)))


def compressed(image: Image.Image, quality: int) -> bytes:
    """Compressed at the reference size."""
    return jpeg(reduced(image), quality)


def films(data: Path, some: int, seed: int) -> Iterator[tuple[str, Path]]:
    """(set, file): every film at full size, and some of the labelled knees."""
    for path in sorted((data / "fullsize").iterdir()):
        yield "fullsize", path
    knees = sorted((data / "knee_bone").rglob("*.jpg"))
    for number in np.random.default_rng(seed).permutation(len(knees))[:some]:
        yield "knee_bone", knees[number]


def reduced(image: Image.Image) -> Image.Image:
    """At the reference size, or as it is where it is smaller."""
    return resized(image, min(REFERENCE_SIDE, max(image.size)))


def resized(image: Image.Image, side: int) -> Image.Image:
    """With this long side, proportions kept."""
    scale = side / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS)


def jpeg(image: Image.Image, quality: int = QUALITY) -> bytes:
    """As a JPEG file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def table(rows: dict[str, list[Moved]], what: str) -> str:
    """One line a degradation, in Markdown; `what` is the reading, such as "grade"."""
    lines = [
        f"| degradation | readings | same {what} | mean shift | spread | moved by more than one "
        "| of these both called good and not warned of | warned |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, moved in rows.items():
        far = [one for one in moved if one.steps > 1]
        unseen = sum(one.sure and not one.warned for one in far)
        same = np.mean([one.steps == 0 for one in moved])
        shifts = np.array([one.by for one in moved])
        lines.append(
            f"| {name} | {len(moved)} | {same:.2f} | {shifts.mean():+.2f} | {shifts.std():.2f} | {len(far)} | {unseen} "
            f"| {np.mean([one.warned for one in moved]):.2f} |"
        )
    return "\n".join(lines)
