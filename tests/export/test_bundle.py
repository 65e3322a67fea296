"""The folder for a device: what is in it, that it runs there, and what is refused."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data

from rts_tf.errors import ConfigError, RtsError
from rts_tf.export import __main__ as export
from rts_tf.export.bundle import check_bundle, write_bundle
from rts_tf.export.spec import ExportSpec
from rts_tf.storage import sha256_of_file
from tests.support.commands import command_of

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")
from rts_tf.settop.litert import Network  # noqa: E402
from tests.support.exported import NETWORK, SIZE, converted  # noqa: E402

SPEC = ExportSpec(heads=("enhance",), precisions=("int8", "float32"))


@pytest.fixture
def exported(tmp_path, monkeypatch):
    """The directory of an export whose card is only as long as needed."""
    folder = tmp_path / "exported"
    (folder / "tflite").mkdir(parents=True)
    names = [("enhance", "int8"), ("enhance", "float32"), ("upscale", "float16")]
    entries = []
    for head, kind in names:
        path = folder / "tflite" / f"{head}_{kind}.tflite"
        path.write_bytes(converted(head, kind))
        name = path.relative_to(folder).as_posix()
        entries.append({"file": name, "kind": kind, "signature": head})
    entries.append({"file": "tflite/enhance_int8_any.tflite", "kind": "int8_any"})
    entries[-1]["signature"] = "enhance"
    (folder / "export.json").write_text(json.dumps({"files": entries}))
    # The table of the card is tested in test_card.py.
    monkeypatch.setattr("rts_tf.export.card._readable", lambda card: "# Export\n")
    return folder


def test_it_runs_where_there_is_neither_tensorflow_nor_this_package(exported, tmp_path):
    write_bundle(exported, SPEC, tmp_path / "box")
    box = tmp_path / "device"
    shutil.copytree(tmp_path / "box", box)
    listed = json.loads((box / "export.json").read_text())["files"]
    assert [entry["file"] for entry in listed] == [
        "tflite/enhance_int8.tflite",
        "tflite/enhance_float32.tflite",
    ]
    assert sorted(path.name for path in (box / "tflite").iterdir()) == [
        "enhance_float32.tflite",
        "enhance_int8.tflite",
    ]
    assert "python3 -m settop" in (box / "README.md").read_text()
    lines = (box / "SHA256SUMS").read_text().splitlines()
    sums = dict(line.split("  ")[::-1] for line in lines)
    files = {path.relative_to(box).as_posix() for path in box.rglob("*") if path.is_file()}
    assert sums == {name: sha256_of_file(box / name) for name in files - {"SHA256SUMS"}}
    image = np.ascontiguousarray(data.chelsea()[: SIZE[0], : SIZE[1]])
    Image.fromarray(image).save(box / "photo.png")
    blocked = ("tensorflow", "keras", "rts_tf", "absl", "rich", "cv2")
    start = f"import runpy, sys; sys.modules |= dict.fromkeys({blocked}); "
    start += "runpy.run_module('settop', None, '__main__')"
    words = ["tflite/enhance_int8.tflite", "photo.png", "--output=better.png"]
    done = subprocess.run(
        [sys.executable, "-c", start, *words], cwd=box, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    wanted = Network(box / "tflite" / "enhance_int8.tflite", 1).run(image)
    np.testing.assert_array_equal(np.asarray(Image.open(box / "better.png")), wanted)


def test_nothing_is_left_where_it_cannot_be_written(exported, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = set(tmp_path.iterdir())
    monkeypatch.setattr("rts_tf.export.bundle.publish", full)
    with pytest.raises(RtsError, match=r"`bundle`=.*box: cannot be written \(No space left"):
        write_bundle(exported, SPEC, tmp_path / "box")
    assert set(tmp_path.iterdir()) == before


def test_a_folder_that_is_there_is_refused(tmp_path):
    (tmp_path / "mine").write_text("")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(ConfigError, match="is there already; remove it, or name another"):
            check_bundle(folder, SPEC)
    (tmp_path / "empty").mkdir()
    check_bundle(tmp_path / "empty", SPEC)
    with pytest.raises(ConfigError, match="there is no directory to make it in"):
        check_bundle(tmp_path / "a" / "b", SPEC)


def test_the_command_refuses_before_it_exports(tmp_path):
    flags = (f"--bundle={tmp_path / 'box'}", "--formats=saved_model", "--model=residual1")
    code, _, errors = command_of(export, *flags)
    assert code == 1 and errors.count("\n") == 1
    assert "--bundle=" in errors and "holds TFLite files; add tflite to --formats" in errors


def test_the_command_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr("rts_tf.export.steps.SECONDS", 0.0)
    monkeypatch.setattr("rts_tf.export.calibration.CALIBRATION", (4, 64))
    NETWORK.save(tmp_path / "model.keras")
    flags = ("--formats=tflite", "--heads=enhance", "--precisions=float32")
    size = ("--height=64", "--width=96")
    folder = f"--bundle={tmp_path / 'box'}"
    code, out, errors = command_of(
        export, f"--model={tmp_path / 'model.keras'}", *flags, *size, folder
    )
    assert code == 0, errors
    assert f"for a box:  {tmp_path / 'box'}; its README.md" in out + errors
    (entry,) = json.loads((tmp_path / "box" / "export.json").read_text())["files"]
    assert entry["file"] == "tflite/enhance_float32.tflite"
    assert (tmp_path / "box" / "EXPORT.md").read_text().startswith("# Export of residual1")
