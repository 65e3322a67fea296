"""What people get wrong. Each kind gives one line that names the file or flag, and exit code 1, or a stated skip; never a
traceback, and nothing lost or half-written.

The command runs in this process (``python -m rts_tf.main`` takes seconds to start), but for what absl says before it.
"""

import contextlib
import fcntl
import io
import json
import os
import pathlib
import re
import resource
import shutil
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from PIL import Image
from skimage import data

from rts_tf import main
from rts_tf.config import Config
from rts_tf.errors import RtsError
from rts_tf.imaging.files import printable

ROOT = pathlib.Path(__file__).parent.parent
TINY = ("--network=residual1", "--stages=1", "--first_steps=1", "--patch=32", "--batch=1", "--precision=float32")


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of rts_tf.main with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with flagsaver.flagsaver(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        rest = flags.FLAGS(["rts-train", *arguments])
        code = main.main(rest)
    return code, out.getvalue(), err.getvalue()


def refused(*arguments: str) -> str:
    """The one line with which the command refuses these arguments."""
    code, out, err = command(*arguments)
    assert code == 1, out + err
    assert "Traceback" not in out + err
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert err.startswith("error: ") and len(errors) == 1 and err.count("\n") == 1, err
    return errors[0]


def state(folder: pathlib.Path) -> dict:
    """Every file below ``folder`` with its bytes, but for the lock, which is always there and empty."""
    files = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}
    assert not [path for path in files if ".tmp" in path.name], "a half-written file is left"
    return files


def photo(i: int = 0, height: int = 64, width: int = 64) -> Image.Image:
    return Image.fromarray(data.chelsea()[7 * i : 7 * i + height, 9 * i : 9 * i + width])


@pytest.fixture
def good(tmp_path) -> pathlib.Path:
    """A folder of three photographs."""
    folder = tmp_path / "good"
    folder.mkdir()
    for i in range(3):
        photo(i).save(folder / f"{i}.png")
    return folder


# --- settings: refused before TensorFlow is loaded or anything written

SETTINGS = {
    "unknown preset": (["--preset=fast"], "--preset=fast: choose one of quick, standard, paper"),
    "no stages": (["--stages=0"], "--stages=0: must be from 1"),
    "negative stages": (["--stages=-3"], "--stages=-3: must be from 1"),
    "far too many stages": (["--stages=1000000"], "--stages=1000000: must be from 1 to 100"),
    "odd patch": (["--patch=33"], "--patch=33: must be even"),
    "tiny patch": (["--patch=8"], "--patch=8: must be from 16"),
    "empty batch": (["--batch=0"], "--batch=0"),
    "no steps": (["--first_steps=0"], "--first_steps=0"),
    "negative epochs": (["--epochs=-1"], "--epochs=-1"),
    "learning rate zero": (["--learning_rate=0"], "--learning_rate=0"),
    "learning rate not a number": (["--learning_rate=nan"], "--learning_rate=nan"),
    "learning rate infinite": (["--learning_rate=inf"], "--learning_rate=inf"),
    "average that never moves": (["--ema=1"], "--ema=1"),
    "unknown network": (["--network=vgg"], "--network=vgg: choose one of residual1"),
    "unknown kernel": (["--kernel=nearest"], "--kernel=nearest: choose"),
    "unknown degradation": (["--degradation=blur"], "--degradation=blur: choose"),
    "unknown anchor": (["--anchor=high"], "--anchor=high: choose"),
    "unknown precision": (["--precision=float16"], "--precision=float16: choose"),
    "JPEG range reversed": (["--jpeg_low=90", "--jpeg_high=80"], "--jpeg_low=90 is above --jpeg_high=80"),
    "JPEG quality above 100": (["--jpeg_high=101"], "--jpeg_high=101"),
    "negative seed": (["--seed=-1"], "--seed=-1"),
    "shards without pictures": (["--images_per_shard=0"], "--images_per_shard=0"),
    "no checkpoints": (["--checkpoint_every=0"], "--checkpoint_every=0"),
    "no data": (["--data="], "--data is empty"),
    "no workdir": (["--workdir="], "--workdir is empty"),
    "folder without a flag": (["photos"], "unexpected argument 'photos': settings are flags, as in --data=FOLDER"),
    "two lines in a flag": (["--network=a\nb"], "--network=a\\nb: choose"),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_settings(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, reason = SETTINGS[kind]
    assert reason in refused("--workdir=run", *arguments) and not list(tmp_path.iterdir())


def test_what_absl_refuses_is_no_traceback_either(tmp_path):
    """In processes of their own: these flags do not get as far as main()."""
    for argument, reason in (
        ("--stges=3", "Unknown command line flag 'stges'. Did you mean: stages"),
        ("--stages=abc", "flag --stages=abc"),
        ("--stages=2.5", "flag --stages=2.5"),
        ("--preset=\u5c71", "error: --preset=\\u5c71: choose one of"),  # a terminal that has no such letter
    ):
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-m", "rts_tf.main", "--workdir=run", argument]
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and reason in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())


# --- folders that cannot be trained on


def missing(folder):
    return [f"--data={folder / 'nowhere'}"], f"--data={folder / 'nowhere'}: no such folder"


def a_file(folder):
    return [f"--data={folder / '0.png'}"], f"--data={folder / '0.png'}: is not a folder"


def empty(folder):
    (folder / "empty").mkdir()
    return [f"--data={folder / 'empty'}"], f"--data={folder / 'empty'}: holds no photographs (png, jpg"


def other_files(folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "a.txt").write_text("a")
    (folder / "texts" / "b.gif").write_bytes(b"GIF89a")
    return [f"--data={folder / 'texts'}"], f"--data={folder / 'texts'}: holds no photographs"


def one_photograph(folder):
    (folder / "one").mkdir()
    photo().save(folder / "one" / "1.png")
    return [f"--data={folder / 'one'}"], f"--data={folder / 'one'}: holds one photograph; add more"


def all_damaged(folder):
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    return [f"--data={folder}"], f"--data={folder}: none of its 2 photographs can be used; the lines above say why"


def patch_too_large(folder):
    return [f"--data={folder}", "--patch=66"], f"--data={folder}: none of its 2 photographs.*needs 66 pixels a side.*--patch"


def validation_missing(folder):
    return [f"--data={folder}", "--validation=nowhere"], f"--validation={os.getcwd()}/nowhere: no such folder"


def validation_empty(folder):
    (folder / "empty").mkdir()
    return [f"--data={folder}", f"--validation={folder / 'empty'}"], f"--validation={folder / 'empty'}: holds no photographs"


def validation_too_small(folder):
    small = folder.parent / "small"
    small.mkdir()
    photo(0, 1, 1).save(small / "dot.png")
    photo(0, 15, 64).save(small / "strip.png")
    return [f"--data={folder}", f"--validation={small}"], f"--validation={small}: none of its 2 photographs can be used"


def div2k_offline(folder):
    return ["--data=div2k", f"--data_dir={folder / '0.png'}"], "--data=div2k: tensorflow-datasets could not prepare DIV2K"


def two_lines_in_its_name(folder):
    return [f"--data={folder}/a\nb"], f"--data={folder}/a\\nb: no such folder"


@pytest.mark.parametrize(
    "make",
    [missing, a_file, empty, other_files, one_photograph, all_damaged, patch_too_large, validation_missing, validation_empty,
     validation_too_small, div2k_offline, two_lines_in_its_name],
)  # fmt: skip
def test_folders(make, good, tmp_path):
    arguments, reason = make(good)
    before = state(good)
    line = refused(f"--workdir={tmp_path / 'run'}", *TINY, *arguments)
    assert reason in line or re.search(reason, line)
    assert state(good) == before
    assert not list((tmp_path / "run").rglob("stage_*"))


def test_a_folder_that_is_mended_is_taken(good, tmp_path, monkeypatch):
    """The same command, after the reason for refusing is gone, gets as far as training."""
    from rts_tf import recurrence

    def phase_a(self, stage, targets):
        raise RtsError(f"stage {stage} begins with {len(self.training.sizes)} pictures")

    monkeypatch.setattr(recurrence._Run, "phase_a", phase_a)
    whole = {path: path.read_bytes() for path in good.iterdir()}
    for path in whole:
        path.write_bytes(b"")
    arguments = [f"--workdir={tmp_path / 'run'}", f"--data={good}", *TINY]
    assert "none of its 2 photographs" in refused(*arguments)
    for path, contents in whole.items():
        path.write_bytes(contents)
    assert "stage 1 begins with 2 pictures" in refused(*arguments)


# --- folders with bad pictures among good ones: each is skipped with a line, and the run goes on


def chunk(kind: bytes, contents: bytes) -> bytes:
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", zlib.crc32(kind + contents))


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def damaged(contents: bytes) -> bytes:
    """Sixteen bytes in the middle are lost."""
    middle = len(contents) // 2
    return contents[:middle] + bytes(16) + contents[middle + 16 :]


def transparent() -> Image.Image:
    picture = photo()
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def white_at_zero() -> bytes:
    """Tag 262 set to WhiteIsZero in a 16-bit grey TIFF."""
    file = saved(Image.fromarray(np.asarray(photo().convert("L"), np.uint16) * 257), "TIFF")
    old, new = (struct.pack("<HHIHH", 262, 3, 1, value, 0) for value in (1, 0))
    assert file.count(old) == 1
    return file.replace(old, new)


GREY_32 = Image.fromarray(np.asarray(photo().convert("L"), np.int32))
BOMB = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"")

BAD = {  # name: (contents, reason)
    "zero bytes.png": (b"", "is empty"),
    "truncated.png": (saved(photo(), "PNG")[:-3000], "cannot be read"),
    "truncated.jpg": (saved(photo(), "JPEG")[:-300], "cannot be read"),
    "truncated.webp": (saved(photo(), "WEBP")[:-100], "is not a PNG, JPEG|cannot be read"),
    "truncated.tif": (saved(photo(), "TIFF")[:900], "cannot be read"),
    "truncated.bmp": (saved(photo(), "BMP")[:900], "cannot be read"),
    "header only.png": (saved(photo(), "PNG")[:20], "is not a PNG|cannot be read"),
    "damaged.png": (damaged(saved(photo(), "PNG")), "cannot be read"),
    "without data.png": (saved(photo(), "PNG").replace(b"IDAT", b"IDAX", 1), "is not a PNG|cannot be read"),
    "bomb.png": (BOMB, "has more than 89 million pixels; cut or scale it down"),
    "404.jpg": (b"<!DOCTYPE html><title>404 Not Found</title>", "is not a PNG, JPEG, WebP, TIFF or BMP picture"),
    "a GIF.png": (saved(photo(), "GIF"), "is not a PNG"),
    "cmyk.jpg": (saved(photo().convert("CMYK"), "JPEG"), "colour mode CMYK is not supported; convert it to RGB"),
    "cmyk.tif": (saved(photo().convert("CMYK"), "TIFF"), "colour mode CMYK is not supported; convert it to RGB"),
    "float.tiff": (saved(photo().convert("F"), "TIFF"), "colour mode F is not supported"),
    "grey of 32 bits.tif": (saved(GREY_32, "TIFF"), "grey TIFF, but not of 16 bits"),
    "white at zero.tif": (white_at_zero(), "grey TIFF, but not of 16 bits from black at 0"),
    "animated.webp": (saved(photo(), "WEBP", save_all=True, append_images=[photo(3)]), "holds 2 pictures"),
    "animated.png": (saved(photo(), "PNG", save_all=True, append_images=[photo(3)]), "holds 2 pictures"),
    "pages.tif": (saved(photo(), "TIFF", save_all=True, append_images=[photo(3)]), "holds 2 pictures"),
    "transparent.png": (saved(transparent(), "PNG"), "is transparent in places.*flatten it"),
    "transparent.webp": (saved(transparent(), "WEBP", lossless=True), "is transparent in places.*flatten it"),
    "1x1.png": (saved(photo(0, 1, 1), "PNG"), "1x1 is smaller than 32 pixels a side"),
    "smaller than a patch.png": (saved(photo(0, 31, 200), "PNG"), "200x31 is smaller than 32 pixels a side"),
    "odd and too small.png": (saved(photo(0, 33, 31), "PNG"), "31x33 is smaller than 32"),
    "two\nlines.png": (b"", "is empty"),
    "-dash.jpg": (b"", "is empty"),
    "[bold]markup[/bold].png": (b"", "is empty"),
    "\u5c71 \u00fcber 'all' \"the\" rest.png": (b"", "is empty"),
}
DANGLING, LOOP, NOT_UTF8 = "dangling.png", "loop.png", b"caf\xe9.png".decode("utf-8", "surrogateescape")


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(photo(1, 64, 40), "JPEG", exif=exif)


GOOD = {  # name: (contents, height and width in the run: even)
    "odd.png": (saved(photo(1, 65, 77), "PNG"), (64, 76)),
    "exactly a patch.png": (saved(photo(2, 32, 33), "PNG"), (32, 32)),
    "rotated.JPG": (rotated(), (40, 64)),
    "jpeg.png": (saved(photo(3), "JPEG"), (64, 64)),
    "grey.jpg": (saved(photo(4).convert("L"), "JPEG"), (64, 64)),
    "palette.png": (saved(photo(5).quantize(64), "PNG"), (64, 64)),
    "opaque.png": (saved(photo(6).convert("RGBA"), "PNG"), (64, 64)),
    "16 bits.png": (saved(Image.fromarray(np.asarray(photo(7).convert("L"), np.uint16) * 257), "PNG"), (64, 64)),
    "below/it/a.tiff": (saved(photo(8), "TIFF"), (64, 64)),
    "folder.png/b.webp": (saved(photo(9), "WEBP"), (64, 64)),
    "--stages=9.bmp": (saved(photo(10), "BMP"), (64, 64)),
    "\u5c71 \u00fcber.png": (saved(photo(11), "PNG"), (64, 64)),
    "e\u0301 decomposed.png": (saved(photo(12), "PNG"), (64, 64)),
    "good\nlines.png": (saved(photo(13), "PNG"), (64, 64)),
    "[red]'\"$(x).png": (saved(photo(14), "PNG"), (64, 64)),
    "camera.jpg": (saved(photo(15), "MPO", save_all=True, append_images=[photo(15, 32, 32)]), (64, 64)),
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """(folder, arguments, result of the command) on all good and bad pictures."""
    root = tmp_path_factory.mktemp("mixed")
    folder, validation = root / "pictures", root / "validation"
    for name, (contents, _) in {**BAD, **GOOD}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)
    (folder / DANGLING).symlink_to(folder / "gone.png")
    (folder / LOOP).symlink_to(folder / LOOP)
    with contextlib.suppress(OSError):  # some file systems take UTF-8 names alone
        (folder / NOT_UTF8).write_bytes(GOOD["jpeg.png"][0])
    (folder / "notes.txt").write_text("passed over without a word")
    validation.mkdir()
    photo(20).save(validation / "judged.png")
    (validation / "cut.png").write_bytes(saved(photo(), "PNG")[:-3000])
    arguments = [f"--workdir={root / 'run'}", f"--data={folder}", f"--validation={validation}", *TINY]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "1000")
        return folder, arguments, command(*arguments)


@pytest.mark.parametrize("name", [*BAD, DANGLING, LOOP, NOT_UTF8], ids=printable)
def test_a_bad_picture_is_skipped_with_its_reason(mixed, name):
    folder, _, (code, out, err) = mixed
    if not os.path.lexists(folder / name):
        pytest.skip("this file system takes UTF-8 names alone")
    assert code == 0 and "Traceback" not in out + err, err
    reason = {DANGLING: "cannot be read .No such file", LOOP: "cannot be read", NOT_UTF8: "is not UTF-8; rename it"}
    expected = BAD[name][1] if name in BAD else reason[name]
    lines = [line for line in out.splitlines() if re.match(f"skipped (.*/)?{re.escape(printable(name))}: ", line)]
    assert len(lines) == 1 and re.search(expected, lines[0]), lines or out


def test_the_good_ones_are_used_and_nothing_else(mixed):
    folder, arguments, (code, out, _) = mixed
    run = folder.parent / "run"
    shards = [json.loads(path.read_text()) for path in sorted((run / "source" / "training").glob("0*.json"))]
    sizes = {name: tuple(size) for shard in shards for name, size in shard["sizes"].items()}
    assert sizes == {name: size for name, (_, size) in GOOD.items()}
    assert code == 0 and len(re.findall("^skipped ", out, re.MULTILINE)) == len(list_of_bad(folder)) + 1
    summary = json.loads((run / "summary.json").read_text())
    assert summary["training_pictures"] == len(GOOD) and summary["validation_pictures"] == 1
    assert "notes.txt" not in out and (run / "report.html").exists() and (run / "final.keras").exists()


def list_of_bad(folder):
    return [name for name in (*BAD, DANGLING, LOOP, NOT_UTF8) if os.path.lexists(folder / name)]


def test_a_finished_run_run_again_says_so(mixed):
    folder, arguments, _ = mixed
    before = state(folder.parent / "run")
    code, out, err = command(*arguments)
    assert code == 0 and f"{folder.parent / 'run'}: this run is finished; nothing to do." in out and not err
    assert state(folder.parent / "run") == before


# --- run directories


def is_a_file(run):
    run.write_text("precious")
    return f"--workdir={run}: cannot be made or written to (File exists); name another"


def below_a_file(run):
    run.parent.joinpath("file").write_text("precious")
    return run.parent / "file" / "run", "cannot be made or written to (Not a directory)"


def unwritable(run):
    if os.geteuid() == 0:  # whom permissions do not stop
        return pathlib.Path("/proc/rts_run"), "--workdir=/proc/rts_run: cannot be made or written to"
    run.mkdir(mode=0o555)
    return f"--workdir={run}: cannot be made or written to (Permission denied)"


def a_folder_of_something_else(run):
    run.mkdir()
    (run / "letter.txt").write_text("precious")
    return f"--workdir={run}: is not empty and not a run (it has no config.json); name another"


def config_truncated(run):
    run.mkdir()
    (run / "config.json").write_text(Config().to_json()[:100])
    return f"{run}/config.json: cannot read the settings"


def config_of_bytes(run):
    run.mkdir()
    (run / "config.json").write_bytes(bytes(range(128, 256)))
    return f"{run}/config.json: "


def config_of_another_program(run):
    run.mkdir()
    (run / "config.json").write_text('{"model_type": "bert"}')
    return f"{run}/config.json: cannot read the settings: not the settings of this version"


def config_of_wrong_types(run):
    run.mkdir()
    (run / "config.json").write_text(Config().to_json().replace('"stages": 4', '"stages": "4"'))
    return f"{run}/config.json: cannot read the settings: --stages='4': must be of type int"


def config_is_a_folder(run):
    (run / "config.json").mkdir(parents=True)
    return "Is a directory"


def other_settings(run):
    run.mkdir()
    (run / "config.json").write_text(Config(seed=7, data="/elsewhere", precision="float32").to_json())
    return "(?=.*seed: 7, here 1)(?=.*data: '/elsewhere', here '.*good')(?=.*patch: 96, here 32)(?!.*tile)"


@pytest.mark.parametrize(
    "make",
    [is_a_file, below_a_file, unwritable, a_folder_of_something_else, config_truncated, config_of_bytes,
     config_of_another_program, config_of_wrong_types, config_is_a_folder, other_settings],
)  # fmt: skip
def test_run_directories(make, good, tmp_path):
    made = make(tmp_path / "run")
    run, reason = made if isinstance(made, tuple) else (tmp_path / "run", made)
    before = state(tmp_path)
    for _ in range(2):  # the second time too: nothing was begun
        line = refused(f"--workdir={run}", f"--data={good}", *TINY)
        assert reason in line or re.search(reason, line), line
    assert state(tmp_path) == before


def test_hidden_files_of_others_are_kept(good, tmp_path):
    """A directory with hidden files alone may become a run; what is not ours stays, whatever its name."""
    (tmp_path / "run").mkdir()
    kept = [tmp_path / "run" / name for name in (".DS_Store", ".notes.tmp", ".letter.tmp.odt")]
    for path in kept:
        path.write_text("precious")
    refused(f"--workdir={tmp_path / 'run'}", f"--data={good / 'nowhere'}", *TINY)
    assert all(path.read_text() == "precious" for path in kept)


def test_two_processes_on_one_directory(good, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with open(run / ".lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        line = refused(f"--workdir={run}", f"--data={good}", *TINY)
        assert f"--workdir={run}: another process is working on this run; wait" in line
    line = refused(f"--workdir={run}", f"--data={good / 'nowhere'}", *TINY)
    assert "no such folder" in line  # the lock is free again, and each refusal frees it


def a_stray_file(run):
    (run / "summary.json").unlink()
    (run / "source" / "training" / "holiday.tfrecord").write_text("precious")
    return "source/training/holiday.tfrecord: does not belong to this run; move it away"


def summary_damaged(run):
    (run / "summary.json").write_text('{"preset":')
    return "summary.json: is damaged .*delete it"


def summary_of_another_kind(run):
    (run / "summary.json").write_text("[]")
    return "summary.json: is damaged .not an object.; delete it"


def metrics_damaged(run):
    (run / "summary.json").unlink()
    (run / "stage_1" / "metrics.json").write_text("")
    return "stage_1/metrics.json: is damaged .*delete it"


def photographs_changed(run):
    (run / "summary.json").unlink()
    (run / "source" / "training" / "00000.tfrecord").write_bytes(b"damaged")
    photo(30).save(run.parent / "pictures" / "--stages=9.bmp")  # in the first shard
    return "00000.tfrecord: made again, it differs from what the run began with"


@pytest.mark.parametrize(
    "damage", [a_stray_file, summary_damaged, summary_of_another_kind, metrics_damaged, photographs_changed]
)
def test_damaged_runs(damage, mixed, tmp_path):
    """A copy of a finished run and its pictures, damaged: refused by name, and what is whole is kept."""
    folder, arguments, _ = mixed
    for name in ("run", "pictures", "validation"):
        shutil.copytree(folder.parent / name, tmp_path / name, symlinks=True)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config |= {"data": str(tmp_path / "pictures"), "validation": str(tmp_path / "validation")}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    reason = damage(tmp_path / "run")
    network = (tmp_path / "run" / "stage_1" / "model.keras").read_bytes()
    line = refused(*(argument.replace(str(folder.parent), str(tmp_path)) for argument in arguments))
    assert re.search(reason, line), line
    assert (tmp_path / "run" / "stage_1" / "model.keras").read_bytes() == network


# --- the machine


@contextlib.contextmanager
def largest_file(size: int):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("size", "reason"), [(100, "File too large.*What was done is kept"), (3000, r"00000.tfrecord: cannot be written .*MB free")]
)
def test_a_disk_that_is_full(good, tmp_path, size, reason):
    """Later stages of the run meet it in test_crash.py."""
    run = tmp_path / "run"
    with largest_file(size):
        line = refused(f"--workdir={run}", f"--data={good}", *TINY)
    assert re.search(reason, line)
    assert not [path for path in state(run) if path.suffix == ".tfrecord"]


def test_memory_that_is_full(good, tmp_path, monkeypatch):
    import tensorflow as tf

    from rts_tf import recurrence

    def exhausted(config, workdir):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[4096,4096]\n\t [[node]]")

    monkeypatch.setattr(recurrence, "run", exhausted)
    line = refused(f"--workdir={tmp_path / 'run'}", f"--data={good}", *TINY)
    assert "no memory or disk is left (OOM when allocating tensor with shape[4096,4096])" in line and "--batch" in line
