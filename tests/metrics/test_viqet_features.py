"""Each step of VIQET against a plain computation of its formula, on small images."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from rts_tf.metrics.viqet import edges, gabor, noise, preparation, texture, tone, warmth

SIDES = st.integers(1, 45)


def random_image(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def all_colours() -> np.ndarray:
    """Every combination of 33 levels of each channel, [33, 1089, 3]."""
    levels = np.r_[0:256:8, 255].astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(33, -1, 3)


@pytest.mark.parametrize(
    "size, expected",
    [
        ((1356, 2040), (1200, 1805)),
        ((384, 512), (1200, 1600)),
        ((700, 1400), (960, 1920)),
        ((1200, 1920), (1200, 1920)),
        ((2048, 1365), (1200, 799)),
        ((1, 1), (1200, 1200)),
    ],
)
def test_monitor_size(size, expected):
    assert preparation.monitor_size(*size) == expected


def axis_weights(n: int, d: int, reset: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(first sample, its weight, the next one's) of every destination sample."""
    f = ((np.arange(d) + 0.5) * (1 / (d / n)) - 0.5).astype(np.float32)
    i = np.floor(f).astype(int)
    f -= i.astype(np.float32)
    if reset:
        f[(i < 0) | (i >= n - 1)] = 0
        i = np.clip(i, 0, n - 1)
    return (
        i,
        np.rint((1 - f) * np.float32(2048)).astype(int),
        np.rint(f * np.float32(2048)).astype(int),
    )


def resized(p: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear in 8-bit fixed point, in plain integers."""
    h, w = p.shape[:2]
    p = p.astype(int)
    if (height, width) == (h, w):
        return p
    if (2 * height, 2 * width) == (h, w):
        return (p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2] + 2) >> 2
    i, a0, a1 = axis_weights(w, width, reset=True)
    t = p[:, i] * a0[:, None] + p[:, np.minimum(i + 1, w - 1)] * a1[:, None]
    k, b0, b1 = axis_weights(h, height, reset=False)
    first, second = (t[np.clip(row, 0, h - 1)] >> 4 for row in (k, k + 1))
    total = (b0[:, None, None] * first >> 16) + (b1[:, None, None] * second >> 16)
    return np.clip(total + 2 >> 2, 0, 255)


@settings(deadline=None, max_examples=150)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 99))
def test_resize_is_the_fixed_point_bilinear_one(h, w, height, width, seed):
    image = random_image(h, w, seed)
    np.testing.assert_array_equal(
        preparation.resize(image, height, width), resized(image, height, width)
    )


def test_resize_halves_by_the_mean_of_four_and_fills_the_monitor(photograph):
    for height, width in ((150, 225), (1200, 1804), (225, 338), (301, 451)):
        image = photograph[:, : 450 if height == 150 else 451]
        np.testing.assert_array_equal(
            preparation.resize(image, height, width), resized(image, height, width)
        )


def test_grey_and_saturation_are_the_integer_ones():
    colours = all_colours()
    r, g, b = np.moveaxis(colours.astype(int), 2, 0)
    np.testing.assert_array_equal(
        preparation.to_grey(colours), (9798 * r + 19235 * g + 3735 * b + 16384) >> 15
    )
    high, low = np.maximum(np.maximum(r, g), b), np.minimum(np.minimum(r, g), b)
    table = np.rint(1044480 / np.maximum(1, np.arange(256))).astype(int) * (np.arange(256) > 0)
    assert tone.saturation(colours) == pytest.approx(
        ((high - low) * table[high] + 2048 >> 12).mean(), rel=1e-12
    )


@pytest.mark.parametrize(
    "scale, sigma, frequency, side",
    [
        (gabor.EDGE_SCALES[0], 7.914654, 0.483258, 49),
        (gabor.EDGE_SCALES[4], 1.809604, 0.426777, 11),
        (gabor.EDGE_SCALES[8], 1.142007, 0.383972, 7),
        (gabor.NOISE_SCALES[3], 1.142007, 0.383972, 7),
        (gabor.NOISE_SCALES[0], 7.420785, 0.059091, 45),
        (gabor.NOISE_SCALES[1], 3.976700, 0.110267, 25),
        (gabor.NOISE_SCALES[2], 2.131061, 0.205765, 13),
    ],
)
def test_gabor_parameters(scale, sigma, frequency, side):
    assert gabor.parameters(*scale) == (
        pytest.approx(sigma, abs=5e-7),
        pytest.approx(frequency, abs=5e-7),
        side,
    )


def test_gabor_sides_and_centre_taps():
    assert [k.shape[0] for k in gabor.edge_bank()] == [49, 25, 17, 15, 11, 11, 9, 9, 7]
    assert [k.shape[0] for k in gabor.noise_bank()[::4]] == [45, 25, 13, 7]

    def centre(scale: tuple[float, float], orientation: int) -> float:
        kernel = gabor.gabor_kernel(*scale, orientation)
        return kernel[len(kernel) // 2, len(kernel) // 2]

    edge, of_noise = gabor.EDGE_SCALES, gabor.NOISE_SCALES
    assert [centre(edge[0], 0), centre(edge[0], 1)] == [0.071289, 0.071285]
    assert [centre(edge[8], 0), centre(edge[8], 1)] == [0.4921, 0.49225]
    assert [centre(of_noise[0], 0), centre(of_noise[1], 0), centre(of_noise[2], 1)] == [
        0.075723,
        0.14135,
        0.26379,
    ]


@pytest.mark.parametrize("bank", [gabor.edge_bank, gabor.noise_bank])
def test_filters_are_correlations_to_the_last_digits(bank, photograph):
    """OpenCV takes the large kernels through the frequency domain."""
    plane = photograph[:70, :90, 1].astype(np.float64)
    for kernel in bank():
        for border, mode in ((cv2.BORDER_CONSTANT, "constant"), (cv2.BORDER_REFLECT, "reflect")):
            expected = scipy.ndimage.correlate(plane, kernel, mode=mode)
            np.testing.assert_allclose(
                cv2.filter2D(plane, cv2.CV_64F, kernel, borderType=border), expected, atol=1e-9
            )


def canny(q: np.ndarray) -> np.ndarray:
    """Sobel, non-maximum suppression in integers, hysteresis from 80 down to 40."""
    p = np.pad(q.astype(int), 1, mode="edge")
    smooth, difference = np.array([1, 2, 1]), np.array([-1, 0, 1])
    dx = scipy.ndimage.correlate(p, np.outer(smooth, difference), mode="nearest")[1:-1, 1:-1]
    dy = scipy.ndimage.correlate(p, np.outer(difference, smooth), mode="nearest")[1:-1, 1:-1]
    m = np.pad(abs(dx) + abs(dy), 1)
    kept = np.zeros(q.shape, bool)
    for y, x in np.argwhere(m[1:-1, 1:-1] > 40):
        here, t, ay = m[y + 1, x + 1], 13573 * abs(dx[y, x]), 32768 * abs(dy[y, x])
        if ay < t:
            kept[y, x] = here > m[y + 1, x] and here >= m[y + 1, x + 2]
        elif ay > t + 65536 * abs(dx[y, x]):
            kept[y, x] = here > m[y, x + 1] and here >= m[y + 2, x + 1]
        else:
            s = 1 if (dx[y, x] < 0) == (dy[y, x] < 0) else -1
            kept[y, x] = here > m[y, x + 1 - s] and here > m[y + 2, x + 1 + s]
    label, count = scipy.ndimage.label(kept, np.ones((3, 3)))
    seeded = np.unique(label[kept & (m[1:-1, 1:-1] > 80)])
    return np.isin(label, seeded[seeded > 0])


def test_canny_and_both_contours(photograph):
    grey = preparation.to_grey(photograph[60:180, 100:260])
    found = edges.canny(grey)
    np.testing.assert_array_equal(found, canny(grey))
    assert 300 < found.sum() < found.size / 2

    padded = np.pad(grey.astype(int), 6, mode="symmetric")
    taps = np.array([1, 2, 7, 16, 31, 45, 52, 45, 31, 16, 7, 2, 1])
    rows = sum(t * padded[:, i : i + grey.shape[1]] for i, t in enumerate(taps))
    total = sum(t * rows[i : i + grey.shape[0]] for i, t in enumerate(taps))
    np.testing.assert_array_equal(edges.contours_of_fixed_point(grey), canny(total + 32768 >> 16))

    taps = np.exp(-((np.arange(13) - 6) ** 2) / 8)
    soft = padded.astype(float)
    for axis in (0, 1):
        soft = scipy.ndimage.correlate1d(soft, taps / taps.sum(), axis)
    np.testing.assert_array_equal(edges.contours_of_rounded(grey), canny(np.rint(soft[6:-6, 6:-6])))


def test_zigzag_is_that_of_jpeg():
    positions = [divmod(p, 8) for p in texture.zigzag(8)]
    assert positions[:8] == [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2)]
    assert positions[-3:] == [(6, 7), (7, 6), (7, 7)]
    assert sorted(texture.zigzag(36)) == list(range(1296))


def test_shape_of_known_distributions():
    """The shape of a Gaussian is 2, that of a Laplacian 1; outside the grid it is 11."""
    gamma = scipy.special.gamma

    def rho(shape: float) -> float:
        return gamma(1 / shape) * gamma(3 / shape) / gamma(2 / shape) ** 2

    found = texture.shape_of(
        np.array([rho(2) * (1 - 1e-9), rho(1) * (1 - 1e-9), rho(1.2345), 0.0, 1.0, np.inf])
    )
    np.testing.assert_allclose(found, [2, 1, 1.234, 11, 11, 11], atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(14, 60), st.integers(14, 60), st.integers(0, 99))
def test_contrast_and_exposure_block_by_block(height, width, seed):
    grey = random_image(height, width, seed)[..., 0] // (1 + seed % 3)
    blocks = [
        grey[y : y + 7, x : x + 7].astype(float)
        for y in range(0, height, 7)
        for x in range(0, width, 7)
    ]
    contrast = np.mean([(b.max() - b.min()) / (b.max() + b.min() + 1e-19) for b in blocks])
    limit = sum(b.std() for b in blocks) / (len(blocks) + 1)
    busy = [b.mean() for b in blocks if b.std() > limit]
    expected = contrast, sum(busy) / (len(busy) + 1)
    assert tone.contrast_and_exposure(grey) == pytest.approx(expected, rel=1e-9)


def test_clipped_areas_by_box_means():
    grey = np.full((50, 81), 255, np.uint8)
    grey[:, 30:] = 0
    grey[20, 50:60] = 200
    n = 6
    padded = np.pad(grey.astype(float), n, mode="symmetric")
    means = [
        [padded[y + n - 3 : y + n + 3, x + n - 3 : x + n + 3].mean() for x in range(81)]
        for y in range(50)
    ]
    over, under = (
        100 * np.mean(outside) for outside in (np.array(means) > 254, np.array(means) < 2)
    )
    assert tone.clipped(grey) == pytest.approx((over, under))
    assert over > 20 and under > 20


def test_divergence_leaves_out_white():
    assert tone.divergence(np.array([[0, 1, 255, 255]], np.uint8)) == pytest.approx(np.log(128))
    assert tone.divergence(np.full((2, 2), 255, np.uint8)) == 0


def test_warmth_of_each_colour_by_the_nearest_point():
    colours = all_colours()[:, ::7]
    colours = colours.repeat(4, axis=0).repeat(
        4, axis=1
    )  # the four samples of a mean are one colour
    r, g, b = np.moveaxis(colours[1::4, 1::4].astype(int), 2, 0)
    x = np.clip(1689 * b + 1465 * g + 739 * r + 2048 >> 12, 0, 255) / 256
    y = np.clip(871 * b + 2929 * g + 296 * r + 2048 >> 12, 0, 255) / 256
    points = warmth.locus(warmth.KELVIN)
    nearest = ((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2).argmin(
        axis=2
    )
    assert warmth.colour_temperature(colours) == pytest.approx(
        warmth.KELVIN[nearest].mean(), rel=1e-4
    )


def test_locus_is_a_black_body():
    """VIQET's locus is close to the CIE 1931 locus at illuminant A, 6500 K and 10000 K."""
    known = [[0.4476, 0.4074], [0.3135, 0.3237], [0.2807, 0.2884]]
    np.testing.assert_allclose(warmth.locus([2856, 6500, 10000]), known, atol=6e-3)


def test_noise_ranks_a_flat_block_first_and_a_black_one_last():
    colour = (
        np.random.default_rng(1)
        .normal(128, 20, (108, 1300, 1))
        .clip(1, 255)
        .astype(np.uint8)
        .repeat(3, axis=2)
    )
    assert noise.extract_noise(colour).signature > 1
    black = colour.copy()
    black[:, :240] = 0
    assert noise.extract_noise(black).signature == pytest.approx(
        noise.extract_noise(colour).signature, rel=0.3
    )
    black[:, 400:640] = 90
    assert noise.extract_noise(black).signature == 0


def test_activity_ratio_of_nothing_is_zero():
    flat = np.full((120, 150, 3), 77, np.uint8)
    assert noise.activity_ratio(flat, flat[..., 0]) == 0
