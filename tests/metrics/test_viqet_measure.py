"""The public function ``measure``: known images, images of any size, and what is no image."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from rts_tf.errors import ImageError
from rts_tf.metrics.viqet import CATEGORIES, Quality, measure
from rts_tf.metrics.viqet.features import extract
from rts_tf.metrics.viqet.model import INPUTS, model_inputs
from rts_tf.metrics.viqet.mos import raw_mos

COFFEE = Quality(
    resolution=0.24,
    edge_acutance=6.61008268,
    noise_signature_index=182.942296,
    flat_region_index=math.nan,
    texture_acutance=19.5836407,
    saturation=246.221226,
    color_warmth=133.284022,
    illumination=76.6342194,
    dynamic_range=106.728493,
    over_exposed=0,
    under_exposed=0,
    mos=2.193037,
    mos_raw=2.193037,
)


def flat(level: int, height: int = 60, width: int = 80) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_a_known_image_keeps_its_measures():
    """They were computed when this project agreed with the reference program in every figure."""
    found = measure(data.coffee())
    assert found == pytest.approx(COFFEE, rel=1e-6, nan_ok=True)
    assert found.mos == found.mos_raw


def test_categories():
    image = data.coffee()
    found = {c: measure(image, c) for c in CATEGORIES}
    assert CATEGORIES == ("landscape", "night", "arrangements", "wall")
    assert found["landscape"] == pytest.approx(found["arrangements"], nan_ok=True)
    assert found["landscape"] == pytest.approx(found["wall"], nan_ok=True)
    assert found["landscape"][:-2] == pytest.approx(found["night"][:-2], nan_ok=True)
    assert abs(found["landscape"].mos_raw - found["night"].mos_raw) > 0.01
    with pytest.raises(ValueError, match="landscape, night, arrangements, wall"):
        measure(image, "portrait")


def test_mos_is_linear_in_the_logarithms_of_the_inputs():
    """Also, as in the published model, sharpness at the finest scales raises the MOS."""
    inputs = model_inputs(extract(data.coffee()))
    assert inputs.shape == (INPUTS,) and (inputs >= 0).all()
    doubled = np.expm1(2 * np.log1p(inputs))
    nothing, once, twice = (raw_mos(x) for x in (0 * inputs, inputs, doubled))
    assert twice - once == pytest.approx(once - nothing, rel=1e-9)
    sharper = inputs.copy()
    sharper[14] *= 1.1
    assert raw_mos(sharper) > once


@settings(deadline=None, max_examples=6)
@given(st.integers(1, 400), st.floats(0.12, 10))
def test_images_of_any_size(height, aspect):
    width = max(1, round(height * aspect))
    rows, columns = (np.arange(n) % s for n, s in ((height, 300), (width, 451)))
    found = measure(np.ascontiguousarray(data.chelsea()[rows][:, columns]))
    assert found.resolution == height * width / 1e6
    assert 1 <= found.mos <= 4.5
    assert all(
        math.isfinite(x) for name, x in found._asdict().items() if name != "flat_region_index"
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "image", [flat(0), flat(255), flat(90), flat(0, 1, 1), flat(200, 1200, 1600)]
)
def test_blank_images_have_measures(image):
    found, level = measure(image), image[0, 0, 0]
    nothing = ("edge_acutance", "noise_signature_index", "saturation", "illumination")
    assert [getattr(found, name) for name in nothing] == pytest.approx([0, 0, 0, 0], abs=1e-9)
    assert (found.over_exposed, found.under_exposed) == (100 * (level == 255), 100 * (level == 0))
    assert math.isnan(found.flat_region_index) and math.isfinite(found.mos_raw)


@pytest.mark.filterwarnings("error")
def test_black_bars_and_flat_areas():
    """Purely black blocks are ignored; a flat area of another level counts as free of noise."""
    image = np.tile(data.coffee(), (2, 2, 1))
    image[:150] = 0
    assert measure(image).noise_signature_index > 10
    image[:150] = 128
    assert measure(image).noise_signature_index == 0


def test_grey_has_no_saturation_and_views_are_taken():
    grey = np.broadcast_to(data.camera()[..., None], (512, 512, 3))
    assert measure(grey).saturation == 0
    assert measure(grey[::-1, ::-1]) == pytest.approx(measure(grey[::-1, ::-1].copy()), nan_ok=True)


@pytest.mark.parametrize(
    "height, width", [(100, 1795), (1, 18), (1200, 106), (50, 4000), (3000, 2)]
)
def test_too_long_and_narrow_is_refused(height, width):
    with pytest.raises(ImageError, match=f"{width}x{height} is too long and narrow"):
        measure(np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize("height, width", [(100, 1794), (1200, 107)])
def test_the_longest_that_is_taken(height, width):
    rows, columns = np.arange(height) % 300, np.arange(width) % 451
    assert math.isfinite(measure(data.chelsea()[rows][:, columns]).mos_raw)


@pytest.mark.parametrize(
    "image, error",
    [
        (np.zeros((50, 50, 3)), ValueError),
        (np.zeros((50, 50), np.uint8), ValueError),
        (None, ValueError),
        (np.zeros((50, 50, 4), np.uint8), ValueError),
        (np.zeros((2, 50, 50, 3), np.uint8), ValueError),
        (np.zeros((0, 50, 3), np.uint8), ImageError),
        (np.zeros((50, 50, 3), np.uint16), ValueError),
    ],
)
def test_what_is_no_image_is_refused(image, error):
    with pytest.raises(error, match="the image"):
        measure(image)


def test_tensorflow_is_not_loaded():
    code = (
        "import sys, rts_tf.viqet; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
