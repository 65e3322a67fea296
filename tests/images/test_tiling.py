"""Tiles cover an image exactly once, overlap enough, and have one size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf.images.tiling import tiles


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.integers(1, 70), st.integers(0, 20))
def test_tiles_write_every_pixel_once(height, width, side, overlap):
    written, cut = np.zeros((height, width), int), tiles(height, width, side, overlap)
    for tile in cut:
        written[tile.write] += 1
        for read, inner, write, size in zip(*tile, (height, width), strict=True):
            assert read.start + inner.start == write.start and read.start + inner.stop == write.stop
            assert write.stop > write.start
            assert (
                0 <= read.start <= max(0, write.start - overlap)
                and min(size, write.stop + overlap) <= read.stop <= size
            )
        assert np.prod([write.stop - write.start for write in tile.write]) <= side**2
    assert (written == 1).all()
    sizes = {tuple(side.stop - side.start for side in tile.read) for tile in cut}
    assert len(sizes) == 1  # so that tiles fit into a batch
    # A tile without a partner is one of many, unless tiles are tiny.
    assert len(cut) % 2 == 0 or len(cut) > 12 or min(height, width, side) < 20 + 4 * overlap


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [
        (1080, 1920, 1, 2),
        (1920, 1080, 2, 1),
        (1000, 1000, 1, 2),
        (2000, 3000, 1, 4),
        (10000, 10000, 8, 8),
        (200, 9000, 1, 2),
    ],
)
def test_tiles_of_large_images(height, width, rows, columns):
    found = tiles(height, width, 1280, 10)
    assert len({tile.write[0].start for tile in found}) == rows and len(found) == rows * columns
