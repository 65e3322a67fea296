"""Networks for luma in integers: how true they are, and that all their files compute the same."""

import functools
import json

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from rts_tf.errors import RtsError
from rts_tf.export import __main__ as export
from rts_tf.export import calibration, limits, steps
from rts_tf.export.flatbuffer import operations_and_macs
from rts_tf.export.luma import integer_file
from rts_tf.export.luma_integers import integers_of
from rts_tf.export.runners import litert
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.networks.luma import build_luma
from tests.support.commands import command_of

# The last is 2 blocks wide, less than the border that is repeated.
SIZES = [(64, 96), (61, 50), (34, 35), (8, 9)]


def network_of(name):
    """A network whose change, some levels in the mean, depends on all of its weights."""
    network, random = build_luma(name, seed=1), np.random.default_rng(1)
    kernel, bias = network.get_layer("change").get_weights()
    change = [random.normal(0, 0.01, kernel.shape), random.normal(0, 0.01, bias.shape)]
    network.get_layer("change").set_weights(change)
    return network


@pytest.fixture(scope="module")
def planes(photograph):
    luma = luma_of(photograph)
    return [luma[i : i + 96, j : j + 96] for i in (0, 99, 198) for j in (0, 120, 240, 350)]


@pytest.fixture(scope="module")
def made(planes):
    """Network, integers and the file for any size, by the name of the network."""

    @functools.cache
    def make(name):
        network = network_of(name)
        integers = integers_of(network, planes)
        return network, integers, integer_file(integers)

    return make


@pytest.fixture(scope="module")
def frame(photograph):
    return luma_of(np.ascontiguousarray(photograph[::-1, ::-1]))[:240, :320]


def run(data, luma):
    runner = Interpreter(model_content=data).get_signature_runner("enhance")
    return runner(luma=luma[None, ..., None])["enhanced"][0, ..., 0]


def entry(name, made, frame):
    network, _, data = made(name)
    output = LumaEnhancer(network, data).enhance_luma(frame)
    expected = LumaEnhancer(network).enhance_luma(frame.astype(np.float32) / 255)
    assert 1 < 255 * np.abs(expected - frame / 255).mean() < 50
    return {"file": name, **limits.compare_luma(output / 255, expected)}


@pytest.mark.parametrize("name", ["luma4-16-16", "luma1-8"])
def test_integers_keep_the_limits(name, made, frame):
    limits.check_luma(entry(name, made, frame))


def test_rounded_weights_keep_means_and_are_rounded_to_themselves(made, planes, frame):
    network, integers, _ = made("luma4-16-16")
    assert len(integers.highest) == 2 and min(integers.highest) > 0
    assert integers.shape.name == "luma4-16-16"
    values = frame.astype(np.float32) / 255
    exact, rounded = (LumaEnhancer(n).enhance_luma(values) for n in (network, integers.network))
    assert 255 * np.sqrt(np.mean((rounded - exact) ** 2)) < 0.3
    again = integers_of(integers.network, planes)
    for name in ("hidden_1", "hidden_2", "change"):
        first, second = (
            n.get_layer(name).get_weights()[0] for n in (integers.network, again.network)
        )
        steps_ = np.abs(first).max((0, 1, 2)) / 127
        np.testing.assert_allclose(first / steps_, np.rint(first / steps_), atol=1e-3)
        np.testing.assert_allclose(second / steps_, first / steps_, atol=1e-3)


def test_planes_too_small(planes):
    for bad in ([], [planes[0][:27]]):
        with pytest.raises(ValueError, match="at least 28 pixels"):
            integers_of(build_luma("luma4-16-16"), bad)


@pytest.mark.parametrize("name", ["luma4-16-16", "luma2-8-8", "luma1-8"])
def test_all_files_compute_the_same(name, made, frame):
    network, integers, data = made(name)
    enhancer = LumaEnhancer(network, data)
    assert enhancer.integers
    for height, width in SIZES[1:2] if name == "luma1-8" else SIZES:
        luma = np.ascontiguousarray(frame[:height, :width])
        expected = enhancer.enhance_luma(luma)
        for form in ("packed", "strided"):
            file = integer_file(integers, height, width, form=form)
            np.testing.assert_array_equal(run(file, luma), expected, err_msg=f"{form} {width}")
        if name == "luma2-8-8":  # its last kernel makes 2 x 2 positions at once
            exact = LumaEnhancer(integers.network).enhance_luma(luma)
            assert np.abs(expected.astype(int) - exact).max() <= 1


def test_a_network_that_changes_nothing(planes, frame):
    integers = integers_of(build_luma("luma4-16-16"), planes[:2])
    luma = np.ascontiguousarray(frame[:60, :64])
    luma[:16, :16] = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(run(integer_file(integers, 60, 64), luma), luma)


def test_constants_stay_constant(made):
    """Black and white as well, which the planes for calibration do not have."""
    network, _, data = made("luma4-16-16")
    integer, floating = LumaEnhancer(network, data), LumaEnhancer(network)
    for level in (0, 16, 100, 235, 255):
        plane = np.full((40, 40), level, np.uint8)
        expected = np.clip(floating.enhance_luma(plane.astype(np.float32) / 255), 0, 1)
        difference = integer.enhance_luma(plane) - 255 * expected
        assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("name", ["luma4-16-16", "luma2-8-8"])
def test_xnnpack_computes_all_of_a_packed_file(name, made, tmp_path):
    _, integers, data = made(name)
    path = tmp_path / "a.tflite"
    for content in (data, integer_file(integers, 61, 50)):
        path.write_bytes(content)
        size = (64, 128) if content is data else (61, 50)
        assert litert.executed(path, size) == [litert.XNNPACK]
        assert not {"PACK", "GATHER_ND", "MIRROR_PAD"} & set(operations_and_macs(content)[0])


def test_strided_file(made, tmp_path):
    """It has no operation in floating point, and none that moves pixels into channels."""
    _, integers, _ = made("luma4-16-16")
    path = tmp_path / "a.tflite"
    path.write_bytes(integer_file(integers, 64, 96, form="strided"))
    operations, _ = operations_and_macs(path.read_bytes())
    assert not {"SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "DEQUANTIZE"} & set(operations)
    interpreter = Interpreter(model_path=str(path))
    types = {details["dtype"] for details in interpreter.get_tensor_details()}
    assert types == {np.uint8, np.int8, np.int32}
    assert litert.executed(path, (64, 96)) == ["QUANTIZE", litert.XNNPACK, "QUANTIZE"]


def test_signature_and_metadata(made):
    from ai_edge_litert import schema_py_generated as schema

    _, integers, data = made("luma4-16-16")
    for content, size in ((data, [1, 4, 4, 1]), (integer_file(integers, 64, 96), [1, 64, 96, 1])):
        interpreter = Interpreter(model_content=content)
        assert interpreter.get_signature_list() == {
            "enhance": {"inputs": ["luma"], "outputs": ["enhanced"]}
        }
        for details in (*interpreter.get_input_details(), *interpreter.get_output_details()):
            assert details["dtype"] == np.uint8 and details["shape"].tolist() == size
            assert details["quantization"] == (pytest.approx(1 / 255), 0)
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        noted = {m.name: bytes(model.buffers[m.buffer].data) for m in model.metadata}
        assert noted[b"receptive_radius"] == b"15" and noted[b"pack"] == b"4"


@pytest.mark.parametrize(
    "arguments", [(64, None), (None, 64), (64, 64, "float"), (None, None, "strided")]
)
def test_files_that_there_are_not(arguments, made):
    height, width, *form = arguments
    with pytest.raises(ValueError):
        integer_file(made("luma4-16-16")[1], height, width, form=(form or ["packed"])[0])


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({"psnr_db": 54.0}, "has 54 dB against the network; the limit is at least 55, missed by 1"),
        (
            {"phase_means": [[0.0] * 4] * 3 + [[0, 0, -0.2, 0]]},
            "is off the network by 0.2 levels in the mean of one place of a block; the limit is",
        ),
    ],
)
def test_a_missed_limit_is_an_error(figures, text):
    good = {"file": "a.tflite", "psnr_db": 56.0, "phase_means": [[0.05] * 4] * 4}
    limits.check_luma(good)
    with pytest.raises(RtsError) as error:
        limits.check_luma(good | figures)
    assert text in str(error.value)


def test_phase_means_are_by_row_and_column():
    output, expected = np.zeros((9, 14)), np.full((9, 14), -1.0)
    output[1::4, 2::4] = 1 / 255
    means = np.array(limits.compare_luma(output, expected)["phase_means"])
    assert means[1, 2] == pytest.approx(1) and np.abs(means).sum() == pytest.approx(1)


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """Runs the command on a network; returns exit code, outputs and the directory."""
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    monkeypatch.setattr(calibration, "CALIBRATION", (8, 64))
    network_of("luma4-16-16").save(tmp_path / "final.keras")
    flags = (f"--model={tmp_path / 'final.keras'}", "--height=64", "--width=98")
    return lambda *more: (*command_of(export, *flags, *more), tmp_path / "export")


def test_command(exported):
    code, out, errors, folder = exported()
    assert code == 0, errors
    assert "luma4_16_16 is a network for luma." in out and "the head enhance and the" in out
    entries = json.loads((folder / "export.json").read_text())["files"]
    names = [f"tflite/enhance_{kind}.tflite" for kind in ("int8", "int8_strided", "int8_any")]
    assert [entry["file"] for entry in entries] == names
    readable = (folder / "EXPORT.md").read_text()
    for entry, partitions in zip(entries, (1, 3, 1), strict=True):
        assert (folder / entry["file"]).stat().st_size == entry["bytes"]
        assert f"{entry['psnr_db']:.1f} dB" in readable and entry["file"] in readable
        assert entry["partitions"] == partitions and entry["psnr_db"] > 55
        assert entry["psnr_db"] == entries[0]["psnr_db"] and entry["milliseconds"] > 0
        assert np.shape(entry["phase_means"]) == (4, 4)
    assert "luma uint8 0..255 [1, H, W, 1] -> enhanced" in readable


def test_a_missed_limit_publishes_nothing(exported, monkeypatch):
    monkeypatch.setattr(limits, "LUMA_MIN_DB", 70.0)
    code, _, errors, folder = exported()
    assert code == 1 and "tflite/enhance_int8.tflite has" in errors and "at least 70" in errors
    assert not (folder / "export.json").exists() and not list(folder.rglob("*.tflite"))


@pytest.mark.parametrize(
    "flag", ["--precisions=float16", "--heads=upscale", "--formats=saved_model"]
)
def test_flags_that_leave_nothing(flag, exported):
    code, _, errors, folder = exported(flag)
    assert code == 1 and errors.startswith(f"error: {flag}: luma4_16_16 is a network for luma")
    assert errors.count("\n") == 1 and not folder.exists()
