import numpy as np
import pytest

from rts_tf.errors import RtsError
from rts_tf.export import PRECISIONS, limits, program_formats

PLAIN = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
EXPECTED = np.clip(PLAIN + np.float32(0.02), 0, 1)


def entry(**figures):
    return {"file": "a.tflite", "max_lsb": 0.5, "psnr_db": 80.0, "energy_kept": 0.99} | figures


def test_compare():
    output = EXPECTED.copy()
    output[0, 0, 0] += 0.1 if EXPECTED[0, 0, 0] < 0.5 else -0.1
    figures = limits.compare(output, EXPECTED, PLAIN)
    assert figures["max_lsb"] == pytest.approx(25.5, rel=1e-4)
    assert figures["psnr_db"] == pytest.approx(10 * np.log10(PLAIN.size / 0.01), abs=1e-3)
    energy = np.mean((EXPECTED - PLAIN) ** 2)
    assert figures["energy_kept"] == pytest.approx(1 - 0.01 / PLAIN.size / energy, rel=1e-4)
    assert figures["network_difference_ratio_percent"] == pytest.approx(
        100 * np.abs(EXPECTED - PLAIN).mean()
    )
    assert (
        figures["network_mos"] != figures["mos"]
        and abs(figures["network_mos"] - figures["mos"]) < 0.5
    )


def test_beyond_white_nothing_is_compared():
    figures = limits.compare(EXPECTED + 5 * (EXPECTED == 1), EXPECTED, PLAIN)
    assert figures["max_lsb"] == 0 and figures["energy_kept"] == 1


@pytest.mark.parametrize(
    "kind, head, figures, text",
    [
        (
            "float32",
            "upscale",
            {"max_lsb": 1.4},
            "by 1.4 of 255 levels; the limit is at most 1, missed by 0.4",
        ),
        ("saved_model", "enhance", {"max_lsb": 2.0}, "at most 1, missed by 1"),
        (
            "float16",
            "enhance",
            {"psnr_db": 59.5},
            "has 59.5 dB against the network; the limit is at least 60, missed by 0.5",
        ),
        ("int8", "enhance", {"psnr_db": 46.0}, "at least 47, missed by 1"),
        (
            "int8",
            "enhance",
            {"energy_kept": 0.96},
            "keeps 0.96 of the enhancement's energy; the limit is at least 0.97",
        ),
        ("int8_float_residual", "upscale", {"psnr_db": 54.0}, "at least 55, missed by 1"),
        ("int16x8", "upscale", {"psnr_db": 51.0}, "at least 52, missed by 1"),
    ],
)
def test_a_missed_limit_is_an_error(kind, head, figures, text):
    limits.check(kind, head, entry())
    with pytest.raises(RtsError) as error:
        limits.check(kind, head, entry(**figures))
    assert str(error.value).startswith("a.tflite: ") and text in str(error.value)


def test_every_kind_has_a_limit():
    written = {"saved_model", *program_formats.PROGRAM_FORMATS}
    assert {*limits.MAX_LSB, *limits.MIN_DB} == {*PRECISIONS, *written}


@pytest.mark.parametrize(
    ("kind", "channels", "figures", "text"),
    [
        ("onnx", 3, {"max_lsb": 0.011}, "by 0.011 of 255 levels; the limit is at most 0.01"),
        ("shader", 1, {"mean_lsb": 0.12}, "differs by 0.12 levels in the mean; the limit"),
        ("shader", 3, {"max_lsb": 1.1}, "by 1.1 of 255 levels; the limit is at most 1"),
        ("page", 3, {"mean_lsb": 0.0002}, "by 0.0002 levels in the mean"),
    ],
)
def test_a_missed_limit_of_what_is_written_from_passes(kind, channels, figures, text):
    good = {"file": "a", "max_lsb": 0.0, "mean_lsb": 0.0}
    limits.check_program(kind, channels, good)
    with pytest.raises(limits.LimitMissed) as error:
        limits.check_program(kind, channels, good | figures)
    assert text in str(error.value)
