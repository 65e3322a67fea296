"""Bad pictures among good ones: each is skipped with a line, and the run goes on. Finished runs that were damaged later."""

import contextlib
import io
import json
import os
import re
import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from rts_tf.imaging.files import printable
from tests.command import TINY, command, photo, refused, state


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


# --- a finished run that was damaged


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
