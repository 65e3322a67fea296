"""Bad images among good ones, Ctrl-C, and a full disk: each is named, and no half file is left."""

import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from rts_tf.errors import printable
from rts_tf.images.image_file import ImageFile
from rts_tf.images.write import write_image_file
from tests.support.commands import photo, state
from tests.support.disk import largest_file
from tests.support.enhance_command import command, model_file  # noqa: F401  fixture
from tests.support.image_files import EIGHT, SIXTEEN, tif
from tests.support.images import BAD, DANGLING, GOOD, LOOP, NOT_UTF8
from tests.support.paths import ROOT


def png16(end: int | None = None) -> bytes:
    """A 16-bit colour PNG, cut at ``end``."""
    import cv2

    return cv2.imencode(".png", SIXTEEN)[1].tobytes()[:end]


# What only training refuses: images that are transparent or smaller than a patch
FINE = {
    name for name, (_, reason) in BAD.items() if "transparent" in reason or "smaller than" in reason
}
REFUSED = {name: entry for name, entry in BAD.items() if name not in FINE} | {
    "truncated in 16 bits.png": (png16(-5000), "cannot be read"),
    "damaged in 16 bits.png": (png16()[:3000] + bytes(64) + png16()[3064:], "cannot be read"),
    "signed.tif": (tif(SIXTEEN.view(np.int16), photometric="rgb"), "has signed integers"),
    "unsigned.tif": (tif(SIXTEEN.astype(np.uint32), photometric="rgb"), "integers of 32 bits"),
    "sensor.tif": (tif(SIXTEEN[..., 0], photometric="cfa"), "colours of the kind CFA"),
    DANGLING: (b"", "cannot be read .No such file"),
    LOOP: (b"", "cannot be read"),
}


def lines_of(err: str, kind: str) -> list[str]:
    """The lines of an output that begin with "error: " or "note: "."""
    return [line for line in err.splitlines() if line.startswith(f"{kind}: ")]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, model_file):
    """(folder, its output, result of the command) on all good and bad images."""
    root = tmp_path_factory.mktemp("mixed")
    folder = root / "images"
    for name, (contents, _) in {**BAD, **REFUSED, **GOOD}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name not in (DANGLING, LOOP):
            (folder / name).write_bytes(contents)
    (folder / DANGLING).symlink_to(folder / "gone.png")
    (folder / LOOP).symlink_to(folder / LOOP)
    with contextlib.suppress(OSError):  # some file systems take UTF-8 names alone
        (folder / NOT_UTF8).write_bytes(GOOD["jpeg.png"][0])
    page = f"--compare={root / 'page.html'}"
    return (
        folder,
        root / "better",
        command(folder, f"--output={root / 'better'}", f"--model={model_file}", page),
    )


def test_there_are_thirty_kinds():
    assert len(REFUSED) >= 29


@pytest.mark.parametrize("name", REFUSED, ids=printable)
def test_a_bad_image_is_named_with_its_reason(mixed, name):
    folder, output, (code, out, err) = mixed
    assert code == 1 and "Traceback" not in out + err, err
    lines = [
        line
        for line in err.splitlines()
        if line.startswith(f"error: {printable(str(folder / name))}: ")
    ]
    assert len(lines) == 1 and re.search(REFUSED[name][1], lines[0]), lines or err
    assert not os.path.lexists(output / name)


def test_all_the_others_are_made_and_nothing_else(mixed):
    folder, output, (_, out, err) = mixed
    good = {*GOOD, *FINE} | ({NOT_UTF8} if (folder / NOT_UTF8).exists() else set())
    # Two are JPEG files called .png, and get the suffix that is right.
    renamed = {"jpeg.png": "jpeg.jpg", NOT_UTF8: NOT_UTF8.replace(".png", ".jpg")}
    assert {
        path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()
    } == {renamed.get(name, name) for name in good}
    assert len(lines_of(err, "error")) == len(REFUSED) and f"enhanced {len(good)} of" in out
    noted = sorted(line.split("/")[-1].split(": ")[0] for line in lines_of(err, "note"))
    assert noted == ["camera.jpg", "cmyk.jpg", "cmyk.tif", "lab.tif"]
    assert len(err.splitlines()) == len(REFUSED) + len(noted)
    for name in ("transparent.png", "transparent.webp"):
        alphas = [np.asarray(Image.open(path / name))[..., 3] for path in (folder, output)]
        np.testing.assert_array_equal(*alphas)
    assert (
        Image.open(output / "1x1.png").size == (1, 1)
        and Image.open(output / "grey.jpg").mode == "L"
    )
    assert (folder.parent / "page.html").exists()


def test_bad_ones_are_tried_again_and_named_again(mixed, model_file):
    folder, output, (_, _, err) = mixed
    before = state(output)
    code, out, again = command(folder, f"--output={output}", f"--model={model_file}")
    assert code == 1 and state(output) == before
    assert again.splitlines() == lines_of(err, "error")


def test_what_the_format_cannot_hold(tmp_path, model_file):
    write_image_file(tmp_path / "in.png", ImageFile(EIGHT, EIGHT[..., 0]))
    code, _, err = command(
        tmp_path / "in.png", f"--output={tmp_path / 'out.jpg'}", f"--model={model_file}"
    )
    assert (
        code == 1
        and "out.jpg: is transparent in places, which JPEG cannot hold; name a .png" in err
    )
    assert not (tmp_path / "out.jpg").exists()


def test_a_disk_that_is_full(photo_folder, tmp_path, model_file, monkeypatch):
    random = (
        np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    )  # larger than the others as a PNG
    Image.fromarray(random).save(photo_folder / "1.png")
    output = tmp_path / "out"
    output.mkdir()
    Image.fromarray(random).save(output / "old.png")
    with largest_file(11_000):
        code, out, err = command(photo_folder, f"--output={output}", f"--model={model_file}")
    assert (
        code == 1 and err == f"error: {output / '1.png'}: cannot be written (File too large)\n"
    ), err
    assert (
        sorted(path.name for path in output.iterdir()) == ["0.png", "2.png", "old.png"]
        and "enhanced 2 of 3" in out
    )

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("rts_tf.storage.sync", full)
    code, out, err = command(photo_folder, f"--output={output}", f"--model={model_file}")
    assert (
        code == 1
        and "1.png: cannot be written (No space left on device). What was done is kept; make room"
        in err
    )
    assert sorted(path.name for path in output.iterdir()) == ["0.png", "2.png", "old.png"]


def test_a_place_that_cannot_be_written(photo_folder, tmp_path, model_file):
    (tmp_path / "file").write_text("precious")
    code, _, err = command(
        photo_folder, f"--output={tmp_path / 'file' / 'out'}", f"--model={model_file}"
    )
    assert (
        code == 1
        and err.count("cannot be written (Not a directory)") == 3
        and "Traceback" not in err
    )


def test_memory_that_is_full(photo_folder, tmp_path, model_file, monkeypatch):
    from rts_tf.inference import Enhancer

    monkeypatch.setattr(Enhancer, "enhance", lambda *_: (_ for _ in ()).throw(MemoryError()))
    code, _, err = command(photo_folder, f"--output={tmp_path / 'out'}", f"--model={model_file}")
    assert code == 1 and err.count("there is not enough memory for it; name a smaller --tile") == 3


def test_ctrl_c_leaves_no_half_file_and_the_same_command_continues(tmp_path, model_file):
    """SIGINT in the middle of a folder, in this process; then again."""
    folder, output = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for i in range(30):
        photo(i % 20, 150, 150).save(folder / f"{i:02d}.png")

    def interrupt():
        while not (output.exists() and any(output.glob("*.png"))):
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    code, out, err = command(folder, f"--output={output}", f"--model={model_file}")
    thread.join()
    assert code == 130 and "stopped; what was written is whole. The same command continues." in err
    made = state(output)  # refuses half-written files
    assert 0 < len(made) < 30
    code, out, _ = command(folder, f"--output={output}", f"--model={model_file}")
    assert (
        code == 0
        and f"enhanced {30 - len(made)} of" in out
        and made.items() <= state(output).items()
    )
    for path in output.iterdir():
        Image.open(path).load()


def test_the_real_command(photo_folder, tmp_path, model_file):
    """As a user starts it; and a mistake is told before TensorFlow is loaded."""
    python = [
        sys.executable,
        "-m",
        "rts_tf.enhance",
        str(photo_folder / "0.png"),
        f"--model={model_file}",
    ]
    here = ROOT
    done = subprocess.run(
        [*python, f"--output={tmp_path / 'out.png'}"], capture_output=True, text=True, cwd=here
    )
    assert (
        done.returncode == 0
        and done.stderr.startswith("device: ")
        and done.stderr.count("\n") == 1
        and Image.open(tmp_path / "out.png").size == (64, 64)
    ), done.stderr
    done = subprocess.run([*python, "--scale=3"], capture_output=True, text=True, cwd=here)
    assert done.returncode == 2 and "--scale" in done.stderr and "Traceback" not in done.stderr
