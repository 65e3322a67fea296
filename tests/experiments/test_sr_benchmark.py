"""MATLAB's bicubic reduction, and experiments.sr_benchmark with --quick."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from experiments import sr_benchmark
from experiments.matlab_bicubic import matlab_bicubic
from rts_tf import networks
from rts_tf.config import preset
from rts_tf.data.degradation import Degradation
from rts_tf.errors import ConfigError
from tests.support.commands import set_flags
from tests.support.paths import SHARED

BENCHMARKS = SHARED / "benchmarks"
there = pytest.mark.skipif(
    not BENCHMARKS.is_dir(), reason="Set5 and Set14 are not in ../shared/benchmarks"
)


@there
def test_bicubic_has_the_published_psnr():
    """33.66 dB on Set5 and 30.24 dB on Set14; SSIM .9299 and .8688."""
    sets = sr_benchmark.samples(BENCHMARKS, quick=False)
    assert [len(images) for images in sets.values()] == [5, 14]
    figures = sr_benchmark.means(lambda lr: matlab_bicubic(lr, 2), sets)
    assert [figures[s]["psnr_y"] for s in sets] == pytest.approx([33.66, 30.24], abs=0.05)
    assert [figures[s]["ssim_y"] for s in sets] == pytest.approx([0.9299, 0.8688], abs=0.001)


def test_matlab_bicubic():
    constant = np.full((7, 9, 3), 200, np.uint8)
    reduced = matlab_bicubic(constant, 0.5)
    assert (reduced == 200).all() and reduced.shape == (4, 5, 3)
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, :, None] * 4, (12, 40, 3))
    between_two_samples = np.arange(3, 17) * 8 + 2
    np.testing.assert_array_equal(matlab_bicubic(ramp, 0.5)[3, 3:-3, 0], between_two_samples)
    a_quarter_before_one = np.arange(2, 38) * 4 - 1
    np.testing.assert_array_equal(matlab_bicubic(ramp, 2)[3, 4:-4:2, 1], a_quarter_before_one)
    # The weights of a reduction by 2, in 1/256 (Keys, a = -0.5, at odd quarters).
    edge = np.zeros((1, 16, 1), np.uint8)
    edge[:, 8:] = 255
    taps = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
    line = np.repeat([0, 255], 8)
    expected = [taps @ np.pad(line, 4, mode="symmetric")[2 * i + 1 : 2 * i + 9] for i in range(8)]
    np.testing.assert_array_equal(
        matlab_bicubic(edge, 0.5)[0, :, 0], np.clip(np.floor(np.array(expected) + 0.5), 0, 255)
    )


@pytest.fixture
def folders(tmp_path, photograph):
    """Sets of our own, as flags."""
    for name in sr_benchmark.SETS:
        (tmp_path / name).mkdir()
        Image.fromarray(photograph[:61, :80]).save(tmp_path / name / "small.png")
        Image.fromarray(photograph).save(tmp_path / name / "large.png")
    return {
        "benchmarks": str(tmp_path),
        "output": str(tmp_path / "results"),
        "runs": str(tmp_path / "runs"),
        "quick": True,
    }


def read(folders) -> tuple[dict, str]:
    output = pathlib.Path(folders["output"])
    assert (output / "sr_benchmark_psnr.png").stat().st_size > 10_000
    result = json.loads((output / "sr_benchmark.json").read_text())
    return result, (output / "sr_benchmark.md").read_text()


def test_a_network_that_is_there(folders, tmp_path):
    """It is measured without training; the start of a network is nearly bicubic."""
    networks.build("srcnn").save(tmp_path / "model.keras")
    (tmp_path / "config.json").write_text(preset("quick", data="/a/folder").to_json())
    with set_flags(sr_benchmark.FLAGS, models=[f"a start:{tmp_path / 'model.keras'}"], **folders):
        sr_benchmark.experiment()
    result, page = read(folders)
    assert result["images"] == {"Set5": 1, "Set14": 1}
    start, bicubic = (result["models"][name] for name in ("a start", "bicubic"))
    assert start["parameters"] == 69_251 and start["settings"]["kernel"] == "bilinear"
    assert "/a/folder" not in json.dumps(result) and len(start["file_sha256"]) == 64
    below = bicubic["figures"]["Set5"]["psnr_y"] - start["figures"]["Set5"]["psnr_y"]
    assert 0 < below < 1  # three taps instead of four
    assert "| a start | 69,251 |" in page and "37.53 | 33.03" in page


def test_it_trains(folders, small_photographs):
    with set_flags(sr_benchmark.FLAGS, data=str(small_photographs), **folders):
        sr_benchmark.experiment()
    result, page = read(folders)
    model = result["models"]["residual1"]
    assert model["parameters"] == 40_787 and model["settings"]["first_steps"] == 4
    assert model["training_seconds"] is not None
    assert (model["settings"]["kernel"], model["settings"]["degradation"]) == ("bicubic", "reduce")
    assert str(small_photographs) not in (json.dumps(result) + page).replace(result["command"], "")
    assert (pathlib.Path(folders["runs"]) / "sr_benchmark_residual1" / "summary.json").exists()


@there
def test_training_and_benchmark_reduce_alike():
    """Kernel and phase are the same: inside, a sample in a thousand differs, by one level."""
    sample = sr_benchmark.samples(BENCHMARKS, quick=True)["Set5"][0]
    own = Degradation.of(preset("quick", kernel="bicubic", degradation="reduce"))(sample.hr, "")
    difference = np.abs(own.astype(int) - sample.lr)[2:-2, 2:-2]
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


def test_mistakes(tmp_path):
    for flags, error in (
        ({"models": ["nameless"]}, "each must be NAME:PATH"),
        ({"benchmarks": str(tmp_path)}, "has no folder Set5"),
        ({"networks": ["vgg"], "benchmarks": str(BENCHMARKS)}, "choose from residual3"),
    ):
        if not pathlib.Path(flags.get("benchmarks", "no")).is_dir():
            continue
        with (
            set_flags(sr_benchmark.FLAGS, output=str(tmp_path), **flags),
            pytest.raises(ConfigError, match=error),
        ):
            sr_benchmark.experiment()
