import cv2
import numpy as np

from shared.radiograph.heatmap import heatmap_png, laid_over


def decoded(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(int)


def test_the_colour_lies_where_the_evidence_is_and_nowhere_else():
    pixels = np.full((100, 200), 90, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1.0
    heat[3, 3] = -5.0
    painted = decoded(heatmap_png(pixels, [(100, 20, 40, 40)], [heat]))
    assert painted.shape == (100, 200, 3)
    changed = np.abs(painted - 90).max(axis=2) > 8
    rows, columns = np.nonzero(changed)
    assert changed[22, 102]
    assert 100 <= columns.min() < columns.max() < 125
    assert 20 <= rows.min() < rows.max() < 45


def test_without_evidence_the_picture_stays_gray():
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    painted = decoded(heatmap_png(pixels, [(0, 0, 10, 10)], [np.full((2, 2), -1.0, np.float32)]))
    assert (painted == pixels[..., np.newaxis]).all()


def test_a_box_that_reaches_beyond_the_picture_or_is_no_square():
    evidence = np.zeros((50, 50), np.float32)
    laid_over(evidence, (-20, -10, 40, 20), np.ones((2, 2), np.float32))
    # The network saw 40 x 40 around the box's middle, (0, 0).
    assert evidence[:20, :20].min() > 0.99
    assert evidence[20:, :].max() == evidence[:, 20:].max() == 0
    laid_over(evidence, (70, 70, 10, 10), np.ones((2, 2), np.float32))
    assert evidence[30:, 30:].max() == 0
