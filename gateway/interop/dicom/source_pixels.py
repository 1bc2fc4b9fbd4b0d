"""From the radiograph as it was read back to the pixels of the file.

Reading reduced the picture, made its pixels square and turned it upright. A box is taken back the same way: turned as
the picture was sent, then spread over the file's columns and rows. Inverted tones move nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.film import DicomIdentity
from shared.contracts.findings import Degrees


@dataclass(frozen=True)
class SourceBox:
    """A box in the file's pixels: 0, 0 is the outer corner of the first one (PS3.3 C.18.6 and C.10.5)."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def outline(self) -> list[tuple[float, float]]:
        """(column, row) of its corners, closed: the first one comes again."""
        corners = [(self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)]
        return [*corners, corners[0]]


def source_box(box: Sequence[float], turned_degrees: Degrees, identity: DicomIdentity) -> SourceBox:
    """A box of the radiograph as it was read, in pixels of its DICOM file, and within its picture.

    Args:
        box: x, y, width and height in pixels of the upright radiograph, which is the preview.
        turned_degrees: clockwise turn of the picture as it was sent.
        identity: with the sizes of the picture in the file and as it was read.
    """
    read_width, read_height, columns, rows = sizes(identity)
    x, y, width, height = box
    corners = [unturned(x, y, turned_degrees, read_width, read_height)]
    corners.append(unturned(x + width, y + height, turned_degrees, read_width, read_height))
    across = sorted(min(max(corner[0] * columns / read_width, 0.0), columns) for corner in corners)
    down = sorted(min(max(corner[1] * rows / read_height, 0.0), rows) for corner in corners)
    return SourceBox(across[0], down[0], across[1], down[1])


def unturned(x: float, y: float, turned: Degrees, width: int, height: int) -> tuple[float, float]:
    """Where a point of the upright picture lies in the picture as it was sent, which is `width` by `height`."""
    if turned == 90:
        return width - y, x
    if turned == 180:
        return width - x, height - y
    if turned == 270:
        return y, height - x
    return x, y


def sizes(identity: DicomIdentity) -> tuple[int, int, int, int]:
    """Width and height as read, columns and rows of the file.

    Raises:
        ValueError: one of them is not known.
    """
    found = identity.read_width, identity.read_height, identity.columns, identity.rows
    if not all(found):
        raise ValueError("the sizes of the picture are not known")
    return found  # type: ignore[return-value]
