"""The experiment on enlargement, on one image and on the smallest image of each benchmark set."""

import json

import cv2
import pytest
from PIL import Image
from skimage import data

from experiments import enlarging, sr_benchmark
from rts_tf.errors import ConfigError
from tests.support.commands import set_flags
from tests.support.paths import SHARED

BENCHMARKS = SHARED / "benchmarks"


@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason=f"no benchmark sets in {BENCHMARKS}")
def test_the_experiment(tmp_path, monkeypatch):
    smallest = sr_benchmark.samples
    monkeypatch.setattr(enlarging, "samples", lambda root, quick: smallest(root, True))
    (tmp_path / "images").mkdir()
    large = cv2.resize(data.astronaut(), (600, 600), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(large).save(tmp_path / "images" / "a.png")
    flags = {
        "images": str(tmp_path / "images"),
        "benchmarks": str(BENCHMARKS),
        "ways": ["auto"],
        "output": str(tmp_path / "results"),
    }
    with set_flags(enlarging.FLAGS, **flags):
        enlarging.experiment()
    record = json.loads((tmp_path / "results" / "enlarging.json").read_text())
    psnr = {
        (way, condition): images["a.png"]["psnr_y"]
        for way, conditions in record["crops"].items()
        for condition, images in conditions.items()
    }
    assert psnr["auto", "bicubic"] > psnr["lanczos", "bicubic"] + 1
    assert psnr["auto", "JPEG 50"] > psnr["lanczos", "JPEG 50"]
    assert psnr["lanczos", "bicubic"] > psnr["lanczos", "JPEG 75"] > psnr["lanczos", "JPEG 50"]
    assert record["sets"]["auto"]["Set5"]["psnr_y"] > record["sets"]["lanczos"]["Set5"]["psnr_y"]
    page = (tmp_path / "results" / "enlarging.md").read_text()
    assert page == enlarging.markdown(record) and "(+0.00)" in page
    (tmp_path / "empty").mkdir()
    Image.fromarray(large[:50]).save(tmp_path / "empty" / "small.png")
    wrong = set_flags(enlarging.FLAGS, **flags | {"images": str(tmp_path / "empty")})
    with wrong, pytest.raises(ConfigError, match="has no image that is large enough"):
        enlarging.experiment()
