"""The most detailed window of an image."""

import numpy as np
import pytest
from skimage import data

from rts_tf.images.detail import most_detailed


def test_it_lies_where_the_detail_is():
    image = np.full((700, 900, 3), 128, np.uint8)
    image[300:500, 600:800] = data.chelsea()[50:250, 50:250]
    found = most_detailed(image, 256)
    assert found.rows.start <= 300 and found.rows.stop >= 500
    assert found.columns.start <= 600 and found.columns.stop >= 800
    assert found.rows.stop - found.rows.start == found.columns.stop - found.columns.start == 256
    assert found.detail > 1 > 1e-3 > most_detailed(image[:200, :200], 64).detail


def test_what_is_clipped_shows_nothing():
    stripes = np.zeros((128, 256, 3), np.uint8)
    stripes[:, :128:8] = stripes[:, 1:128:8] = 255  # the strongest edges, of nothing but limits
    stripes[:, 128::8] = stripes[:, 129::8] = 60
    stripes[:, 128:] += 60
    assert most_detailed(stripes, 128).columns == slice(128, 256)


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (700, 3), (512, 512), (513, 545)])
def test_any_size(shape):
    found = most_detailed(np.zeros((*shape, 3), np.uint8), 512)
    assert found.rows.stop <= shape[0] and found.columns.stop <= shape[1]
    assert found.rows.stop - found.rows.start == min(512, shape[0])
