"""The command, from a run to what is published; interrupted, killed, and given bad flags."""

import hashlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rts_tf import networks
from rts_tf.export import PRECISIONS, calibration, limits, steps
from rts_tf.export import __main__ as export
from rts_tf.export.pipeline import ExportPipeline
from rts_tf.export.publication import next_version, sha256
from rts_tf.export.runners import process
from rts_tf.export.spec import ExportSpec
from rts_tf.inference import load
from tests.support.commands import command_of
from tests.support.disk import largest_file
from tests.support.exported import NETWORK
from tests.support.fake_viqet import fake_measure
from tests.support.networks import NETWORKS

SPEC = ExportSpec(
    heads=("enhance",), precisions=("float32", "int8", "int8_float_residual"), height=64, width=96
)


def command(*arguments):
    """Exit code and standard error of the command, run in this process."""
    code, _, errors = command_of(export, *arguments)
    return code, errors


def files(folder):
    """What is published: hashes by path. Neither the lock nor the room for the work."""
    found = (
        p
        for p in sorted(folder.rglob("*"))
        if p.is_file() and ".partial" not in p.parts and p.name != ".lock"
    )
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


@pytest.fixture(scope="module", autouse=True)
def less_work():
    """Crops as few and as small as in tests.support.exported, and no VIQET.

    Observing all crops takes seconds, and so does VIQET; test_limits.py measures with it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "CALIBRATION", (12, 64))
        patch.setattr(limits, "measure", fake_measure)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "final.keras"
    NETWORK.save(path)
    return path


@pytest.mark.parametrize(
    ("network", "flags", "reason"),
    [
        ("srcnn", [], "--formats=tflite: needs a network that ends in a pixel shuffle"),
        (
            "residual3-wide",
            ["--precisions=float32,int8"],
            "--precisions=int8: integers need a convolution right before",
        ),
        ("residual3-wide", ["--precisions=float32", "--heads=enhance", "--formats=tflite"], ""),
    ],
)
def test_other_networks_are_exported_as_far_as_they_can_be(
    tmp_path, monkeypatch, network, flags, reason
):
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    networks.build(network).save(tmp_path / "model.keras")
    code, errors = command(
        f"--model={tmp_path / 'model.keras'}", "--height=64", "--width=96", *flags
    )
    assert (code, reason in errors) == (1 if reason else 0, True), errors
    assert (tmp_path / "export" / "export.json").exists() == (not reason)


@pytest.fixture(scope="module")
def exported(model):
    """What the command makes of a network, in 64x96."""
    steps.SECONDS, before = 0.0, steps.SECONDS
    code, errors = command(
        f"--model={model}",
        "--height=64",
        "--width=96",
        "--heads=enhance",
        f"--precisions={','.join(SPEC.precisions)}",
    )
    steps.SECONDS = before
    assert code == 0, errors
    return model.parent / "export"


def test_what_is_there(exported):
    served = [
        f"saved_model/rts/1/{name}" for name in ("saved_model.pb", "variables/variables.index")
    ]
    made = files(exported)
    assert {
        *served,
        *(f"tflite/enhance_{p}.tflite" for p in SPEC.precisions),
        "EXPORT.md",
        "export.json",
    } <= set(made)
    readable = (exported / "EXPORT.md").read_text()
    entries = json.loads((exported / "export.json").read_text())["files"]
    assert [e["kind"] for e in entries] == [*SPEC.precisions, "saved_model", "saved_model"]
    for entry in entries:
        assert f"{entry['psnr_db']:.1f} dB" in readable and entry["file"] in readable
        assert entry["milliseconds"] > 0 and entry["peak_memory_mb"] > 0


def test_the_card_is_true(exported, tmp_path):
    """Measured again, from the published files."""
    frame = calibration.mosaic(calibration.sample_crops().validation, SPEC.height, SPEC.width)
    x = frame.astype(np.float32) / 255
    expected = load(exported.parent / "final.keras").enhance(x)
    for entry in json.loads((exported / "export.json").read_text())["files"]:
        path = exported / entry["file"]
        if entry["kind"] == "saved_model":
            continue  # in test_saved_model.py
        assert (
            files(exported)[entry["file"]] == entry["sha256"]
            and path.stat().st_size == entry["bytes"]
        )
        runner = "rts_tf.export.runners.litert"
        run = process.run(runner, path, "enhance", frame, seconds=0.0, scratch=tmp_path)
        for name, value in limits.compare(run.output, expected, x).items():
            assert entry[name] == pytest.approx(value, rel=1e-3, abs=1e-3), (entry["file"], name)
        limits.check(entry["kind"], "enhance", entry)


def again(exported, place):
    """A second export of the same, made but not yet published, in a copy of the first."""
    shutil.copytree(exported, place)
    crops = calibration.sample_crops()
    work = ExportPipeline(load(exported.parent / "final.keras"), crops, SPEC, "test", place)
    work.entries = json.loads((place / "export.json").read_text())["files"]
    work.partial.mkdir()
    shutil.copytree(place / "saved_model/rts/1", work.partial / "saved_model")
    for entry in work.entries:
        if entry["kind"] == "saved_model":
            entry["file"] = f"saved_model/rts/{next_version(place)}"
        else:
            shutil.copy(place / entry["file"], work.partial)
    return work


def test_the_next_export_is_version_2_and_the_card_keeps_what_is_still_true(exported, tmp_path):
    work, before = again(exported, tmp_path / "export"), files(exported)
    work.entries = [entry for entry in work.entries if entry["kind"] == "saved_model"]
    (work.output / "tflite/enhance_int8.tflite").write_bytes(b"another")
    work._publish()
    listed = {
        entry["file"] for entry in json.loads((work.output / "export.json").read_text())["files"]
    }
    others = {f"tflite/enhance_{p}.tflite" for p in ("float32", "int8_float_residual")}
    assert listed == others | {"saved_model/rts/1", "saved_model/rts/2"}
    made = files(work.output)
    assert all(
        made[name] == before[name] == made[name.replace("rts/1", "rts/2")]
        for name in before
        if "rts/1" in name
    )


ONE_HEAD = ("--formats=tflite", "--heads=enhance", "--height=32", "--width=32")


def test_a_file_that_misses_its_limit_is_withheld(model, tmp_path, monkeypatch):
    monkeypatch.setitem(limits.MIN_DB, "int8", 90.0)
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    arguments = (f"--model={model}", f"--output={tmp_path}", *ONE_HEAD)
    code, errors = command(*arguments, "--precisions=float32,int8")
    note, error = errors.splitlines()
    assert note.startswith("note: withheld: tflite/enhance_int8.tflite has ")
    assert "at least 90, missed by" in note and "--precisions: a file that it names" in error
    contents = json.loads((tmp_path / "export.json").read_text())
    assert code == 1 and [file["file"] for file in contents["withheld"]] == [
        "tflite/enhance_int8.tflite"
    ]
    assert [path.name for path in (tmp_path / "tflite").iterdir()] == ["enhance_float32.tflite"]
    assert "`tflite/enhance_int8.tflite` has " in (tmp_path / "EXPORT.md").read_text()
    try:
        export.FLAGS.set_default("precisions", ["float32", "int8"])
        code, errors = command(*arguments)
    finally:
        export.FLAGS.set_default("precisions", list(PRECISIONS))
    assert (code, errors) == (0, f"{note}\n")


def test_nothing_is_published_where_all_files_miss_their_limits(model, tmp_path, monkeypatch):
    monkeypatch.setitem(limits.MIN_DB, "int8", 90.0)
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    arguments = (f"--model={model}", f"--output={tmp_path}", *ONE_HEAD)
    code, errors = command(*arguments, "--precisions=int8")
    assert code == 1 and "no file keeps its limits: tflite/enhance_int8.tflite has " in errors
    assert errors.count("\n") == 1 and not files(tmp_path) and not (tmp_path / ".partial").exists()


@pytest.mark.parametrize("formats", ["tflite", "saved_model"])
def test_a_disk_that_is_full(model, tmp_path, formats):
    with largest_file(3000):
        code, errors = command(
            f"--model={model}",
            f"--output={tmp_path}",
            f"--formats={formats}",
            "--precisions=float32",
            "--heads=enhance",
            "--height=32",
            "--width=32",
        )
    assert (
        code == 1
        and errors.startswith(f"error: {tmp_path}: cannot be written (")
        and errors.count("\n") == 1
    )
    assert "What was published before is as it was." in errors and not files(tmp_path)


def test_killed_while_publishing(exported, tmp_path):
    """After kill -9 before each rename and removal, files are whole and a card is true."""
    old, new = files(exported), None
    for step in range(100):
        place = tmp_path / f"place {step}"
        work = again(exported, place)
        child = os.fork()
        if not child:
            # A lock that a thread of TensorFlow held at the fork would never be released.
            signal.alarm(60)
            left = step

            def dies(function):
                def wrapped(*arguments, **kwargs):
                    nonlocal left
                    left -= 1
                    if left < 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return function(*arguments, **kwargs)

                return wrapped

            os.replace, pathlib.Path.unlink = dies(os.replace), dies(pathlib.Path.unlink)
            work._publish()
            os._exit(0)
        killed = os.waitpid(child, 0)[1] != 0
        made = files(place)
        second = {name: digest for name, digest in made.items() if "rts/2" in name}
        assert (
            not second
            or {n.replace("rts/2", "rts/1"): d for n, d in second.items()}.items() <= old.items()
        )
        assert not second or len(second) == sum("rts/1" in name for name in old)
        assert all(
            made[name] == old[name] for name in old if name not in ("EXPORT.md", "export.json")
        )
        if "export.json" in made:
            for entry in json.loads((place / "export.json").read_text())["files"]:
                assert sha256(place / entry["file"]) == entry["sha256"]
        if not killed:
            new = made
            break
    assert step >= 8 and new and any("rts/2" in name for name in new)


def test_killed_while_working(model, tmp_path):
    """kill -9 of a real process: nothing is published, and the next export clears up."""
    arguments = [
        sys.executable,
        "-m",
        "rts_tf.export",
        f"--model={model}",
        f"--output={tmp_path}",
        "--formats=tflite",
        "--precisions=float32",
        "--height=64",
        "--width=96",
    ]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob(".partial/*.tflite")):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not files(tmp_path) and not list(tmp_path.glob("**/rts/*"))
    work = ExportPipeline(load(model), calibration.sample_crops(), SPEC, "test", tmp_path)
    with work.workspace():
        assert list(tmp_path.glob(".partial/*")) == []


WRONG = {
    "nothing to export": ([], "either --workdir=RUN, or --model=FILE.keras"),
    "two things": (["--workdir=a", "--model=b"], "either --workdir=RUN, or --model=FILE.keras"),
    "a run that is not there": (["--workdir=nowhere"], "--workdir=nowhere: has no final.keras"),
    "a stage that is not there": (
        ["--workdir=nowhere", "--stage=3"],
        "--stage=3: nowhere/stage_3/model.keras is not there",
    ),
    "a stage of a file": (["--model=a.keras", "--stage=3"], "--stage=3: is for --workdir"),
    "a file that is not there": (["--model=a.keras"], "a.keras: no such file"),
    "an unknown head": (
        ["--model=a", "--heads=enhance,denoise"],
        "--heads=denoise: choose from enhance, upscale",
    ),
    "an unknown precision": (
        ["--model=a", "--precisions=int4"],
        "--precisions=int4: choose from float32",
    ),
    "an unknown format": (
        ["--model=a", "--formats=pytorch"],
        "--formats=pytorch: choose from saved_model, tflite, onnx, shader, page",
    ),
    "no format": (["--model=a", "--formats="], "--formats=: choose from"),
    "an odd width": (["--model=a", "--width=961"], "--width=961: must be even"),
    "no height": (["--model=a", "--height=0"], "--height=0: must be even, from 32"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_bad_flags(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, reason = WRONG[kind]
    code, errors = command(*arguments)
    assert (
        code == 1 and errors.startswith("error: ") and errors.count("\n") == 1 and reason in errors
    )
    assert not list(tmp_path.iterdir())


def test_a_run_without_its_images(tmp_path):
    NETWORKS["residual1"].save(tmp_path / "final.keras")
    code, errors = command(f"--workdir={tmp_path}")
    assert (
        code == 1
        and "the images to calibrate on" in errors
        and f"--model={tmp_path}/final.keras" in errors
    )


def test_without_litert(model, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, errors = command(f"--model={model}")
    assert code == 1 and "pip install ai-edge-litert" in errors


def test_all_weights_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("rts_tf.pretrained.names", lambda: ("luma-small", "residual1"))
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    flags = ["--model=all", f"--output={tmp_path}", *ONE_HEAD]
    code, errors = command(*flags, "--precisions=float16")
    assert code == 0
    assert errors.startswith("note: luma-small: --precisions=float16: luma4_32 is a network for")
    assert [*(tmp_path / "residual1" / "tflite").iterdir()] == [
        tmp_path / "residual1" / "tflite" / "enhance_float16.tflite"
    ]
    code, errors = command(*flags, f"--bundle={tmp_path / 'box'}")
    assert (
        code == 1
        and errors == "error: --bundle: is a folder for one network; name it with --model.\n"
    )
