"""The command rts_tf.viqet."""

import csv
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rts_tf import viqet
from rts_tf.cli import csv_output
from rts_tf.images.dtypes import to_float, to_uint8
from rts_tf.metrics import parallel
from rts_tf.metrics.artifacts import measure_artifacts
from rts_tf.metrics.unsharp import unsharp_mask
from rts_tf.metrics.viqet import Quality, measure
from tests.support.commands import set_flags


def save(path, image) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return str(path)


def command(*arguments, **flags) -> int:
    with set_flags(viqet.FLAGS, **flags):
        return viqet.main(["rts-viqet", *map(str, arguments)])


def test_table_csv_and_bad_files_in_one_run(tmp_path, photograph):
    photos = tmp_path / "photos"
    save(photos / "b.png", photograph)
    save(photos / "a, grey.jpg", photograph[..., 1])
    save(
        photos / "deep" / "opaque.png",
        np.dstack([photograph, np.full_like(photograph[..., 0], 255)]),
    )
    save(photos / "clear.png", np.dstack([photograph, photograph[..., 0]]))
    save(photos / "long.png", photograph[:10])
    (photos / "broken.jpg").write_bytes(b"no image")
    (photos / "notes.txt").write_text("no image either")
    other = save(tmp_path / "other.png", photograph[:, ::-1])
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "rts_tf.viqet",
            photos,
            other,
            tmp_path / "missing.png",
            f"--csv={tmp_path / 'out.csv'}",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [os.path.basename(line.split(": ")[1]) for line in errors] == [
        "broken.jpg",
        "clear.png",
        "long.png",
        "missing.png",
    ]
    assert "Traceback" not in done.stderr

    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [
        "file",
        "resolution",
        "edge_acutance",
        "noise_signature_index",
        "flat_region_index",
        "texture_acutance",
        "saturation",
        "color_warmth",
        "illumination",
        "dynamic_range",
        "over_exposed",
        "under_exposed",
        "mos",
        "mos_raw",
    ]
    names = ["photos/a, grey.jpg", "photos/b.png", "photos/deep/opaque.png", "other.png"]
    assert [row[0] for row in rows[1:]] == [str(tmp_path / name) for name in names]
    figures = np.array([[float(x) for x in row[1:]] for row in rows[1:]])
    np.testing.assert_allclose(figures[1], measure(photograph), rtol=1e-12)
    np.testing.assert_allclose(figures[2], figures[1], rtol=1e-12)

    table = done.stdout.splitlines()
    assert table[0].split()[:4] == ["image", "MOS", "raw", "MOS"]
    assert [line[:23].strip() for line in table[1:6]] == [*names, "mean of 4"]
    assert float(table[5].split()[3]) == pytest.approx(figures[:, -2].mean(), abs=6e-4)
    assert table[6].startswith("MOS: predicted opinion") and "4 below 1 megapixel" in table[-1]


def test_a_good_folder_ends_with_0_and_night_is_another_model(tmp_path, photograph, capsys):
    save(tmp_path / "photo.png", photograph)
    (tmp_path / "notes.txt").write_text("no image")
    assert command(tmp_path, category="night") == 0
    said = capsys.readouterr()
    assert said.err.endswith(f"note: {tmp_path}: passed over: 1 .txt\n")
    row = said.out.splitlines()[1].split()
    assert row[0] == "photo.png"
    assert float(row[2]) == pytest.approx(measure(photograph, "night").mos_raw, abs=6e-4)


@pytest.mark.parametrize(
    "arguments, flags, error",
    [
        (["{}/empty"], {}, "empty: holds no images"),
        (["{}/photo.png"], {"csv": "{}/nowhere/a.csv"}, "there is no folder"),
        (["{}/photo.png"], {"csv": "{}"}, "is a folder"),
        (["{}/photo.png"], {"csv": "{}/photo.png"}, "would overwrite an image"),
        (["{}/photo.pn"], {}, "No such file"),
    ],
)
def test_mistakes_are_named_in_one_line(tmp_path, photograph, capsys, arguments, flags, error):
    (tmp_path / "empty").mkdir()
    photo = tmp_path / "photo.png"
    save(photo, photograph)
    before = photo.read_bytes()
    assert (
        command(
            *(a.format(tmp_path) for a in arguments),
            **{k: v.format(tmp_path) for k, v in flags.items()},
        )
        == 1
    )
    output = capsys.readouterr()
    assert output.err.count("\n") == 1 and output.err.startswith("error: ") and error in output.err
    assert not output.out
    assert photo.read_bytes() == before


def test_an_empty_folder_does_not_hide_the_others(tmp_path, photograph, capsys):
    (tmp_path / "empty").mkdir()
    photo = save(tmp_path / "photo.png", photograph)
    assert command(tmp_path / "empty", photo) == 1
    output = capsys.readouterr()
    assert "mean of 1" in output.out and "holds no images" in output.err


def test_a_full_disk_leaves_the_table_and_the_old_csv(tmp_path, photograph, capsys, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    photo, old = save(tmp_path / "photo.png", photograph), tmp_path / "out.csv"
    old.write_text("old")
    monkeypatch.setattr(csv_output, "write_text", full)
    assert command(photo, csv=str(old)) == 1
    output = capsys.readouterr()
    assert "mean of 1" in output.out
    assert "out.csv: cannot be written (No space left on device)" in output.err
    assert old.read_text() == "old"


def test_a_mistyped_category_is_refused(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "rts_tf.viqet", tmp_path, "--category=day"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "one of landscape, night, arrangements, wall" in done.stderr


def test_against_the_original_the_unsharp_mask_is_its_own_baseline(tmp_path, photograph, capsys):
    """An image that was sharpened with an unsharp mask costs what the baseline costs.

    The original may have another suffix.
    """
    originals, better = tmp_path / "originals", tmp_path / "better"
    save(originals / "deep" / "cat.bmp", photograph)
    sharpened = to_uint8(unsharp_mask(to_float(photograph), 0.8))
    save(better / "deep" / "cat.png", sharpened)
    assert command(better, against=str(originals), csv=str(tmp_path / "out.csv")) == 0
    out = capsys.readouterr().out
    assert "MOS gain  mask" in out and "what an unsharp mask of the same MOS would" in out
    assert "--wide adds clipped %, corner dB." in out
    with open(tmp_path / "out.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    cost = measure_artifacts(to_float(sharpened), to_float(photograph))
    assert float(row["clipped_percent"]) == pytest.approx(cost.clipped_percent, abs=1e-9)
    assert float(row["mos_gain"]) == pytest.approx(
        measure(sharpened).mos_raw - measure(photograph).mos_raw, abs=1e-9
    )
    assert float(row["unsharp_amount"]) == pytest.approx(0.8, abs=0.08)  # interpolated
    for figure, tolerance in (
        ("overshoot_levels", 0.1),
        ("flat_noise_gain", 0.05),
        ("corner_gain_db", 0.4),
    ):
        assert float(row[f"unsharp_{figure}"]) == pytest.approx(float(row[figure]), abs=tolerance)


def test_against_what_is_not_there_or_not_its_original(tmp_path, photograph, capsys):
    photo = save(tmp_path / "a.png", photograph)
    original = save(tmp_path / "originals" / "b.png", photograph[:, :200])
    for against, reason in (
        (tmp_path / "nowhere", "nowhere: no such file or folder"),
        (tmp_path / "originals", "a.png: cannot be read (No such file"),
        (
            original,
            f"a.png: it and its original {original} are not of one size (451x300 and 200x300)",
        ),
    ):
        assert command(photo, against=str(against)) == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("error: ") and reason in error


def test_ctrl_c_stops_and_writes_nothing(tmp_path, photograph, capsys, monkeypatch):
    for i in range(8):
        save(tmp_path / f"{i}.png", photograph)
    measured = []

    def measure_image(image, category):
        measured.append(image.file)
        os.kill(os.getpid(), signal.SIGINT)
        return real(image, category)

    real = viqet.measure_image
    monkeypatch.setattr(viqet, "measure_image", measure_image)
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    assert command(tmp_path, csv=str(tmp_path / "out.csv")) == 130
    assert "stopped; nothing was written" in capsys.readouterr().err
    assert len(measured) <= 3 and not (tmp_path / "out.csv").exists()


def test_names_of_the_table_and_warnings():
    """The path that all share is left out. Control characters do not reach the terminal."""
    quality = Quality(**(dict.fromkeys(Quality._fields, 2.5) | {"flat_region_index": math.nan}))
    rows = [
        viqet.Measured(os.path.join("some", "place", name), quality, 5000, {})
        for name in ("a.png", "ab\x1b.png")
    ]
    lines = viqet.quality_table(rows).splitlines()
    assert [line[:11].strip() for line in lines[1:4]] == ["a.png", "ab\\x1b.png", "mean of 2"]
    assert viqet.quality_table(rows[:1]).splitlines()[1].startswith("a.png")
    assert viqet.mos_warnings(rows) == []
    (line,) = viqet.mos_warnings([rows[0]._replace(contours=3)])
    assert "a.png: the MOS means nothing" in line
