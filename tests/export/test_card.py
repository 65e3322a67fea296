"""The export card as people read it."""

import json
import math

import pytest

from rts_tf.export import card

ENTRY = {
    "file": "tflite/enhance_int8.tflite",
    "kind": "int8",
    "signature": "enhance",
    **card.shapes("int8", "enhance", 32, 48),
    "bytes": 61_880,
    "sha256": "0" * 64,
    "operations": ["QUANTIZE", "CONV_2D", "CONV_2D"],
    "macs": 2_500_000_000,
    "receptive_radius": 7,
    "max_lsb": 2.125,
    "psnr_db": 51.4,
    "energy_kept": 0.9812,
    "difference_ratio_percent": 1.25,
    "network_difference_ratio_percent": 1.3,
    "mos": 3.5,
    "network_mos": 3.51,
    "milliseconds": 12.0,
    "peak_memory_mb": 30.0,
    "measured_at": "48x32",
    "threads": 2,
}
CARD = {
    "network": "residual1",
    "weights_sha256": "0123456789abcdef",
    "source": "run/final.keras",
    "software": "TensorFlow",
    "machine": "x86_64, 2 processors",
    "frame": "48x32",
    "calibration": "32 crops",
    "withheld": [],
}


def written(folder, entry):
    card.write(folder, CARD | {"files": [entry]})
    return (folder / "EXPORT.md").read_text(), json.loads((folder / "export.json").read_text())


def test_a_row_and_its_operations(tmp_path):
    readable, contents = written(tmp_path, ENTRY)
    assert contents == CARD | {"files": [ENTRY]}
    row = (
        "| tflite/enhance_int8.tflite | 62 kB | 2.12 levels, 51.4 dB | 98.12 % | 1.250 / 1.300 %"
        " | 3.50 / 3.51 | 2.5 G | 30 MB | 12 (48x32, 2 threads) |\n"
    )
    assert row in readable
    assert "image uint8 0..255 [1, 32, 48, 3] -> enhanced uint8 0..255 [1, 32, 48, 3];" in readable
    assert "; receptive radius 7 pixels.\n  QUANTIZE 1, CONV_2D 2.\n" in readable


def test_other_engines_are_named_where_the_cpu_has_matrix_tiles(tmp_path):
    """docs/benchmarks.md has the times of OpenVINO on such a CPU, which are shorter."""
    on_tiles = ENTRY | {"kind": "int8"}
    for has_tiles, entry, said in (
        (True, on_tiles, True),
        (False, on_tiles, False),
        (True, ENTRY | {"kind": "float32"}, False),
        (True, {name: value for name, value in ENTRY.items() if name != "milliseconds"}, False),
    ):
        card.write(tmp_path, CARD | {"files": [entry], "has_matrix_tiles": has_tiles})
        readable = (tmp_path / "EXPORT.md").read_text()
        sentence = "another engine can run `tflite/enhance_int8.tflite` faster\nthan LiteRT"
        assert (sentence in readable) == said == ("docs/benchmarks.md" in readable)


@pytest.mark.parametrize("memory", [math.nan, None])
def test_memory_that_the_system_does_not_tell(tmp_path, memory):
    """Not on every system can a process read its peak memory; JSON has no nan."""
    readable, contents = written(tmp_path, ENTRY | {"peak_memory_mb": memory})
    assert "| ? | 12 (48x32, 2 threads) |" in readable
    assert contents["files"][0]["peak_memory_mb"] is None


@pytest.mark.parametrize(
    ("kind", "head", "shapes"),
    [
        ("float32", "upscale", ("image float32 0..1 [1, 8, 9, 3]", "[1, 16, 18, 3]")),
        ("dynamic", "upscale", ("image float32 0..1 [1, H, W, 3]", "[1, 2H, 2W, 3]")),
        ("saved_model", "enhance", ("images uint8 0..255 [batch, H, W, 3]", "[batch, H, W, 3]")),
    ],
)
def test_shapes(kind, head, shapes):
    found = card.shapes(kind, head, 8, 9)
    assert found["input"] == shapes[0] and found["output"].endswith(f" {shapes[1]}")
