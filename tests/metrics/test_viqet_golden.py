"""VIQET against the figures of the reference program (../shared/viqet).

40 rows of them are compared, and all of them with ``-m golden``.
"""

import concurrent.futures
import csv
import pathlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image

from rts_tf.data.datasets import folder
from rts_tf.images.rgb import read_image
from rts_tf.metrics.viqet import measure
from rts_tf.metrics.viqet.features import extract
from rts_tf.metrics.viqet.measures import quality
from rts_tf.metrics.viqet.model import INPUTS, model_inputs
from rts_tf.metrics.viqet.warmth import KELVIN, locus
from tests.support.paths import SHARED

GOLDEN = SHARED / "viqet"
VALID = SHARED / "photos" / "valid"
pytestmark = pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no reference figures in {GOLDEN}")

MEASURES = (
    "resolution",
    "edge_acutance",
    "noise_signature_index",
    "texture_acutance",
    "saturation",
    "color_warmth",
    "illumination",
    "dynamic_range",
    "over_exposed",
    "under_exposed",
)
ACTIVITY, WARMTH, OVER, UNDER = 1, 15, 17, 18  # among the model inputs


def box(v: np.ndarray, k: int) -> np.ndarray:
    total = cv2.boxFilter(
        v.astype(np.float64), -1, (k, k), normalize=False, borderType=cv2.BORDER_REPLICATE
    )
    return (np.rint(total).astype(int) + k * k // 2) // (k * k)


def half(v: np.ndarray) -> np.ndarray:
    v = v[: len(v) // 2 * 2, : v.shape[1] // 2 * 2]
    return (v[::2, ::2] + v[::2, 1::2] + v[1::2, ::2] + v[1::2, 1::2] + 2) // 4


def luma(v: np.ndarray) -> np.ndarray:
    return (v @ [77, 150, 29] + 128)[..., None] // 256


def tile(height: int, width: int) -> Callable:
    return lambda v: np.tile(v, (-(-height // len(v)), -(-width // v.shape[1]), 1))[:height, :width]


def bar(part: int, level: int) -> Callable:
    return lambda v: np.concatenate([np.full_like(v[: len(v) // part], level), v[len(v) // part :]])


def hashed(span: int) -> Callable:
    def noisy(v: np.ndarray) -> np.ndarray:
        h = np.arange(v.size, dtype=np.uint32) * np.uint32(2654435761)
        h = (h ^ h >> np.uint32(15)) * np.uint32(2246822519)
        h ^= h >> np.uint32(13)
        return v + (h % np.uint32(span)).astype(int).reshape(v.shape) - span // 2

    return noisy


OPERATIONS = {
    "none": lambda v: v,
    "box3": lambda v: box(v, 3),
    "box5": lambda v: box(v, 5),
    "box9": lambda v: box(v, 9),
    "usm": lambda v: 2 * v - box(v, 3),
    "usm2": lambda v: 3 * v - 2 * box(v, 3),
    "half": half,
    "half2": lambda v: half(v).repeat(2, axis=0).repeat(2, axis=1),
    "dark": lambda v: (v * v + 127) // 255,
    "bright": lambda v: 255 - ((255 - v) ** 2 + 127) // 255,
    "lowcon": lambda v: 64 + v // 2,
    "hicon": lambda v: 2 * (v - 128) + 128,
    "gray": lambda v: luma(v).repeat(3, axis=2),
    "satur": lambda v: luma(v) + 3 * (v - luma(v)) // 2,
    "desat": lambda v: luma(v) + (v - luma(v)) // 2,
    "warm": lambda v: v + [24, 0, -24],
    "swap": lambda v: v[..., ::-1],
    "poster": lambda v: v // 32 * 32,
    "flip": lambda v: v[:, ::-1],
    "bar255": bar(4, 255),
    "bar1": bar(3, 1),
    "crop35": lambda v: v[:-3, :-5],
    "tile2k": tile(1356, 2040),
    "tilewide": tile(700, 1400),
    "tile4k": tile(2400, 3840),
    "tile1200": tile(1200, 1600),
    "noise10": hashed(21),
    "noise30": hashed(61),
}


def in_two_threads(function: Callable, items: list) -> list:
    cv2.setNumThreads(1)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))


def rows() -> list[dict[str, str]]:
    """Load the rows, one for each image: published measures, MOS and model inputs."""
    files = (GOLDEN / name for name in ("golden.csv", "golden_features.csv"))
    measures, inputs = (list(csv.DictReader(file.read_text().splitlines())) for file in files)
    assert [row["id"] for row in measures] == [row["id"] for row in inputs]
    return [{**a, **b} for a, b in zip(measures, inputs)]


def spread(everything: list[dict], count: int = 40) -> list[dict]:
    """Choose the first row of every operation, and further rows at even distances."""
    chosen = {row["op"]: i for i, row in reversed(list(enumerate(everything)))}.values()
    rest = [i for i in range(len(everything)) if i not in chosen]
    more = count - len(chosen)
    return [
        everything[i]
        for i in sorted([*chosen, *(rest[k * len(rest) // more] for k in range(more))])
    ]


def check(row: dict[str, str]) -> tuple[list[str], np.ndarray]:
    """Measure an image; return what is out of tolerance and the errors of both raw MOS."""
    image = OPERATIONS[row["op"]](read_image(GOLDEN / "images" / row["image"]).astype(int))
    image = np.clip(image, 0, 255).astype(np.uint8)
    features = extract(image)
    landscape, night = (
        quality(features, image.size / 3e6, category) for category in ("landscape", "night")
    )
    wrong = []

    def compare(what: str, value: float, relative: float = 1e-6, absolute: float = 1e-9) -> None:
        expected = float(row[what])
        if not abs(value - expected) <= max(absolute, relative * abs(expected)):
            wrong.append(f"{row['id']}: {what} is {value!r}, not {expected!r}")

    for name in MEASURES:
        loose = {
            "color_warmth": {"relative": 5e-3},
            "over_exposed": {"absolute": 0.01},
            "under_exposed": {"absolute": 0.01},
        }
        compare(name, getattr(landscape, name), **loose.get(name, {}))
    loose = {
        ACTIVITY: {"relative": 1e-3},
        WARMTH: {"relative": 5e-3},
        OVER: {"absolute": 0.01},
        UNDER: {"absolute": 0.01},
    }
    for i, x in enumerate(model_inputs(features)):
        compare(f"x{i + 1:02d}", x, **loose.get(i, {}))
    compare("mos_landscape", landscape.mos, relative=0, absolute=2e-3)
    for name, found in (("mos_landscape_raw", landscape), ("mos_night_raw", night)):
        compare(name, found.mos_raw, relative=0, absolute=2e-3)
    errors = (
        landscape.mos_raw - float(row["mos_landscape_raw"]),
        night.mos_raw - float(row["mos_night_raw"]),
    )
    return wrong, np.array(errors)


@pytest.mark.parametrize("choose", [spread, pytest.param(list, marks=pytest.mark.golden)])
def test_measures_model_inputs_and_mos_equal_the_reference(choose):
    results = in_two_threads(check, choose(rows()))
    assert len(results) in (40, 256)
    assert not [line for wrong, _ in results for line in wrong]
    assert np.abs(np.mean([errors for _, errors in results], axis=0)).max() < 1e-4


def test_a_wrong_figure_is_found():
    """The check itself must find an error of 1e-5 in one model input and of 3e-3 in one MOS."""
    row = dict(next(row for row in rows() if row["op"] == "tilewide"))
    row["x09"], row["mos_night_raw"] = (
        str(float(row["x09"]) * (1 + 1e-5)),
        str(float(row["mos_night_raw"]) + 3e-3),
    )
    wrong = check(row)[0]
    assert [line.split()[1] for line in wrong] == ["x09", "mos_night_raw"]


def test_the_locus_has_the_four_decimals_of_the_reference():
    kelvin, x, y = np.loadtxt(GOLDEN / "blackbody_xy.csv", delimiter=",", skiprows=1).T
    np.testing.assert_array_equal(kelvin, KELVIN)
    np.testing.assert_array_equal(locus(KELVIN), np.stack([x, y], axis=1))


def treated(image: np.ndarray, file: pathlib.Path) -> dict[str, np.ndarray]:
    """Treat an image in ways whose effect on the reference is known; ``file`` is overwritten."""
    Image.fromarray(image).save(file, quality=30)
    soft, softer = (cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma) for sigma in (1, 2))
    sharp = image + 0.8 * (image - softer)
    sharp, soft = (np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in (sharp, soft))
    return {
        "original": image,
        "sharpened": sharp,
        "JPEG 30": np.asarray(Image.open(file)),
        "blurred": soft,
    }


@pytest.mark.golden
@pytest.mark.skipif(not VALID.is_dir(), reason=f"no images in {VALID}")
def test_sharpening_raises_and_blur_and_jpeg_lower(tmp_path):
    """Sharpened > original > blurred, JPEG 30, on at least 22 of 24 images.

    Edge acutance under JPEG is left out: it rises on 3 of these 24, by the edges of the blocks.
    """
    photos = folder(VALID)
    columns = ("edge_acutance", "texture_acutance", "illumination", "mos_raw")

    def signs(name: str) -> dict[str, bool]:
        found = {
            t: measure(p) for t, p in treated(photos.read(name), tmp_path / f"{name}.jpg").items()
        }
        change = {
            (t, c): getattr(found[t], c) - getattr(found["original"], c)
            for t in found
            for c in columns
        }
        right = {f"sharpened {c}": change["sharpened", c] > 0 for c in columns}
        right |= {f"blurred {c}": change["blurred", c] < 0 for c in columns}
        return right | {
            f"JPEG 30 {c}": change["JPEG 30", c] < 0 for c in ("texture_acutance", "mos_raw")
        }

    results = in_two_threads(signs, list(photos.names))
    counts = {what: sum(right[what] for right in results) for what in results[0]}
    print(counts)
    assert len(results) == 24
    assert min(counts.values()) >= 22, counts


def test_every_row_has_all_inputs():
    assert all(f"x{INPUTS:02d}" in row and f"x{INPUTS + 1:02d}" not in row for row in rows())
