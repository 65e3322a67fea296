"""The command rts_tf.evaluate."""

import csv
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import rts_tf
from rts_tf import evaluate, networks
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.metrics.psnr_ssim import fidelity
from rts_tf.metrics.viqet import measure
from tests.support.commands import set_flags


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of a small network that changes images."""
    network, random = networks.build("residual1"), np.random.default_rng(1)
    network.set_weights([w + random.normal(0, 0.004, w.shape) for w in network.get_weights()])
    path = tmp_path_factory.mktemp("model") / "model.keras"
    network.save(path)
    return str(path)


def save(path, image) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return str(path)


def command(**flags) -> int:
    values = {name: value if name == "mos" else str(value) for name, value in flags.items()}
    with set_flags(evaluate.FLAGS, **values):
        return evaluate.main(["rts-evaluate"])


def rows_of(path) -> dict[str, dict]:
    with open(path, newline="") as file:
        return {
            os.path.basename(row.pop("file")): {k: float(v) for k, v in row.items()}
            for row in csv.DictReader(file)
        }


def test_the_command_and_every_metric(model, tmp_path, photograph):
    """In a process of its own, with references of another suffix, and bad files among good ones."""
    images, reference = tmp_path / "images", tmp_path / "reference"
    big = photograph[:260, :420]
    small = big[::2, ::2].copy()
    save(images / "cat.png", small)
    save(images / "deep" / "grey.png", small[..., 0])
    save(images / "alone.png", small)
    save(images / "other size.png", small)
    save(images / "tiny.png", small[:20])
    (images / "broken.jpg").write_bytes(b"no image")
    save(reference / "cat.bmp", big)
    save(reference / "deep" / "grey.png", big[..., 0])
    save(reference / "other size.png", big[:-1])
    arguments = [
        f"--model={model}",
        f"--images={images}",
        f"--reference={reference}",
        f"--csv={tmp_path / 'out.csv'}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "rts_tf.evaluate", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    bad = ["alone.png", "broken.jpg", "other size.png", "tiny.png"]
    assert [os.path.basename(line.split(": ")[1]) for line in errors] == bad
    assert "must be 420x260, twice its size, not 420x259" in errors[2]
    assert "smaller than 32 pixels" in errors[3]

    rows, loaded = rows_of(tmp_path / "out.csv"), rts_tf.load(model)
    assert list(rows) == ["cat.png", "grey.png"]
    row, enhanced = rows["cat.png"], loaded.enhance(to_float(small))
    change = enhanced - to_float(small)
    assert row["difference_ratio_percent"] == pytest.approx(100 * np.abs(change).mean(), rel=1e-4)
    assert row["brightness_drift_levels"] == pytest.approx(255 * change.mean(), abs=1e-3)
    assert row["mos_raw_before"] == pytest.approx(measure(small).mos_raw, abs=1e-9)
    assert row["mos_raw_after"] == pytest.approx(measure(to_uint8(enhanced)).mos_raw, abs=1e-6)
    assert row["mos_gain"] == pytest.approx(row["mos_raw_after"] - row["mos_raw_before"])
    expected = fidelity(loaded.upscale(small), big)
    assert [row[key] for key in expected._fields] == pytest.approx(list(expected), rel=1e-6)

    lines = done.stdout.splitlines()
    assert "MOS gain" in lines[1] and "mean of 2" in lines[4]
    assert any("--wide adds MOS before, MOS after" in line for line in lines)
    assert any("2 below 1 megapixel" in line for line in lines)
    psnr = next(i for i, line in enumerate(lines) if "PSNR Y" in line)
    assert "without 2 pixels on every side" in lines[psnr - 1]
    assert float(lines[psnr + 1].split()[1]) == pytest.approx(expected.psnr_y, abs=6e-3)


def test_without_mos_and_reference(model, tmp_path, photograph, capsys):
    save(tmp_path / "images" / "cat.png", photograph[:80, :90])
    (tmp_path / "images" / "notes.txt").write_text("no image")
    csv_file = tmp_path / "out.csv"
    assert command(model=model, images=tmp_path / "images", mos=False, csv=csv_file) == 0
    out, err = capsys.readouterr()
    assert err.endswith(f"note: {tmp_path / 'images'}: passed over: 1 .txt\n")
    assert "overshoot" in out and "--wide adds clipped %" in out
    assert "MOS gain" not in out and "PSNR" not in out
    assert not [key for key in rows_of(csv_file)["cat.png"] if "mos" in key or "unsharp" in key]


@pytest.mark.parametrize(
    "flags, error",
    [
        ({}, "--model is missing"),
        ({"model": "{}/nothing"}, "nothing: no such file"),
        ({"model": "{}"}, "--images is missing"),
        ({"model": "{}", "images": "{}/empty"}, "empty: holds no images"),
        ({"model": "{}", "images": "{}/nowhere"}, "nowhere: no such folder"),
        (
            {"model": "{}", "images": "{}", "reference": "{}/nowhere"},
            "--reference={}/nowhere: no such folder",
        ),
        ({"model": "{}", "images": "{}", "csv": "{}/no/a.csv"}, "there is no folder"),
        ({"model": "{}", "images": "{}"}, "has no final.keras"),
        ({"model": "{}/cat.png", "images": "{}"}, "cat.png: is not a network"),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path, photograph, capsys, flags, error):
    (tmp_path / "empty").mkdir()
    save(tmp_path / "cat.png", photograph)
    assert command(**{name: value.format(tmp_path) for name, value in flags.items()}) == 1
    output = capsys.readouterr()
    assert output.err.startswith("error: ") and output.err.count("\n") == 1
    assert error.format(tmp_path) in output.err
    assert not output.out


def test_ctrl_c_stops_and_writes_nothing(model, tmp_path, photograph, capsys, monkeypatch):
    for i in range(8):
        save(tmp_path / "images" / f"{i}.png", photograph[:64, :64])
    seen, real = [], evaluate.measure_image

    def measure_image(image, mos):
        seen.append(image.file)
        os.kill(os.getpid(), signal.SIGINT)
        return real(image, mos)

    monkeypatch.setattr(evaluate, "measure_image", measure_image)
    csv_file = tmp_path / "out.csv"
    assert command(model=model, images=tmp_path / "images", mos=False, csv=csv_file) == 130
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert len(seen) < 8 and not csv_file.exists()
