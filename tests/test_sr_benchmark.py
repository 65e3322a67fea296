import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from experiments import sr_benchmark
from experiments.matlab_bicubic import matlab_bicubic
from rts_tf import networks
from rts_tf.config import preset
from tests.command import set_flags

BENCHMARKS = pathlib.Path(__file__).parents[2] / "shared" / "benchmarks"
there = pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="Set5 and Set14 are not in ../shared/benchmarks")


@there
def test_bicubic_has_the_published_psnr():
    """33.66 dB on Set5 and 30.24 dB on Set14; SSIM .9299 and .8688."""
    sets = sr_benchmark.samples(BENCHMARKS, quick=False)
    assert [len(pictures) for pictures in sets.values()] == [5, 14]
    figures = sr_benchmark.means(lambda lr: matlab_bicubic(lr, 2), sets)
    assert [figures[s]["psnr_y"] for s in sets] == pytest.approx([33.66, 30.24], abs=0.05)
    assert [figures[s]["ssim_y"] for s in sets] == pytest.approx([0.9299, 0.8688], abs=0.001)


def test_matlab_bicubic():
    constant = np.full((7, 9, 3), 200, np.uint8)
    assert (matlab_bicubic(constant, 0.5) == 200).all() and matlab_bicubic(constant, 0.5).shape == (4, 5, 3)
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, :, None] * 4, (12, 40, 3))
    np.testing.assert_array_equal(matlab_bicubic(ramp, 0.5)[3, 3:-3, 0], np.arange(3, 17) * 8 + 2)  # between two samples
    np.testing.assert_array_equal(matlab_bicubic(ramp, 2)[3, 4:-4:2, 1], np.arange(2, 38) * 4 - 1)  # a quarter before one
    # The weights of a reduction by 2, in 1/256 (Keys, a = -0.5, at odd quarters).
    edge = np.zeros((1, 16, 1), np.uint8)
    edge[:, 8:] = 255
    taps = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
    line = np.repeat([0, 255], 8)
    expected = [taps @ np.pad(line, 4, mode="symmetric")[2 * i + 1 : 2 * i + 9] for i in range(8)]
    np.testing.assert_array_equal(matlab_bicubic(edge, 0.5)[0, :, 0], np.clip(np.floor(np.array(expected) + 0.5), 0, 255))


def test_the_command(tmp_path, photograph, capsys):
    """--quick, on sets of our own: the table and the file; a start is nearly bicubic."""
    for name in sr_benchmark.SETS:
        (tmp_path / name).mkdir()
        Image.fromarray(photograph[:61, :80]).save(tmp_path / name / "small.png")
        Image.fromarray(photograph).save(tmp_path / name / "large.png")
    networks.build("srcnn").save(tmp_path / "model.keras")
    (tmp_path / "config.json").write_text(preset("quick", data="/a/folder").to_json())
    folders = {"benchmarks": str(tmp_path), "output": str(tmp_path)}
    flags = {"models": [f"a start:{tmp_path / 'model.keras'}"], "quick": True, **folders}
    with set_flags(sr_benchmark.FLAGS, **flags):
        assert sr_benchmark.main([]) == 0
    results = json.loads((tmp_path / "sr_benchmark.json").read_text())
    assert results["pictures"] == {"Set5": 1, "Set14": 1}
    start, bicubic = (results["models"][name] for name in ("a start", "bicubic"))
    assert start["parameters"] == 69_251 and start["settings"]["kernel"] == "bilinear"
    assert "/a/folder" not in json.dumps(results) and len(start["file_sha256"]) == 64
    below = bicubic["figures"]["Set5"]["psnr_y"] - start["figures"]["Set5"]["psnr_y"]
    assert 0 < below < 1  # three taps instead of four
    page = (tmp_path / "sr_benchmark.md").read_text()
    assert "| a start | 69,251 |" in page and "37.53 | 33.03" in page
    capsys.readouterr()


def test_mistakes(tmp_path, capsys):
    for flags, error in (
        ({"models": ["nameless"]}, "each is NAME:PATH"), ({"output": str(tmp_path / "no")}, "no such folder"),
        ({"output": str(tmp_path), "benchmarks": str(tmp_path)}, "has no folder Set5"),
    ):  # fmt: skip
        with set_flags(sr_benchmark.FLAGS, **flags):
            assert sr_benchmark.main([]) == 1
        assert error in capsys.readouterr().out
