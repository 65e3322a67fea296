"""The same files through enhance, server and set-top runner: each does what the docs promise."""

import io
import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed (the extra 'device')")

from rts_tf.images.image_file import read_image_file
from rts_tf.settop import command as settop
from tests.support.commands import photo
from tests.support.enhance_command import command, model_file  # noqa: F401  fixture
from tests.support.exported import converted
from tests.support.image_files import PROFILE, SIXTEEN, exif, planes, png, saved, tiff
from tests.support.images import BOMB, damaged, transparent
from tests.support.paths import ROOT, SHARED

PAGE = ROOT / "docs" / "serving-and-devices.md"
TWO = {"save_all": True, "append_images": [photo(1)]}
OPAQUE = photo().convert("RGBA")
MARKED = photo().quantize(16)
RGB16 = np.ascontiguousarray(SIXTEEN[..., ::-1])


def png16() -> bytes:
    import cv2

    return cv2.imencode(".png", RGB16)[1].tobytes()


def same_profile(image: Image.Image, _) -> bool:
    return image.info.get("icc_profile") == PROFILE


def same_artist(image: Image.Image, _) -> bool:
    return image.getexif().get(0x013B) == "somebody"


def turned(image: Image.Image, _) -> bool:
    return image.size == (40, 64)


def same_alpha(_, path) -> bool:
    found = read_image_file(path)
    return found.alpha is not None and found.alpha.min() < 255


def sixteen(_, path) -> bool:
    return read_image_file(path).pixels.dtype == np.uint16


def same_size(image: Image.Image, _) -> bool:
    return min(image.size) > 32


WIDE = photo(0, 40, 64)
# By the words of the page: the files, and whether what was made holds what the words are about
ROWS = {
    "PNG or JPEG, RGB or grey of 8 bits, palette": (
        same_size,
        saved(photo(), "PNG"),
        saved(photo(), "JPEG"),
        saved(photo().convert("L"), "PNG"),
        saved(photo().convert("L"), "JPEG"),
        saved(photo().quantize(16), "PNG"),
        saved(photo().convert("1"), "PNG"),
    ),
    "WebP, TIFF, BMP": (
        same_size,
        saved(photo(), "WEBP"),
        saved(photo(), "TIFF"),
        saved(photo(), "BMP"),
    ),
    "AVIF, GIF": (same_size, saved(photo(), "AVIF"), saved(photo(), "GIF")),
    "alpha that is opaque everywhere": (same_size, saved(OPAQUE, "PNG")),
    "transparency": (same_alpha, saved(transparent(), "PNG")),
    "a colour that is marked as transparent": (
        same_alpha,
        saved(MARKED, "PNG", transparency=MARKED.getpixel((5, 5))),
        saved(photo(), "PNG", transparency=photo().getpixel((5, 5))),
    ),
    "16 bits a sample": (
        sixteen,
        png16(),
        saved(Image.fromarray(SIXTEEN[..., 0]), "PNG"),
        tiff(SIXTEEN[..., 0], 16),
    ),
    "several images (animated, pages)": (
        same_size,
        saved(photo(), "PNG", **TWO),
        saved(photo(), "WEBP", **TWO),
        saved(photo(), "TIFF", **TWO),
    ),
    "EXIF orientation": (
        turned,
        saved(WIDE, "JPEG", exif=exif(6)),
        saved(WIDE, "PNG", exif=exif(8)),
    ),
    "ICC profile": (
        same_profile,
        saved(photo(), "PNG", icc_profile=PROFILE),
        saved(photo(), "JPEG", icc_profile=PROFILE),
    ),
    "EXIF": (
        same_artist,
        saved(photo(), "PNG", exif=exif(6, "somebody")),
        saved(photo(), "JPEG", exif=exif(1, "somebody")),
    ),
    "damage, or another format": (
        same_size,
        damaged(saved(photo(), "PNG")),
        saved(photo(), "PNG")[:-3000],
        saved(photo(), "JPEG")[:200],
        b"no image",
        saved(photo(), "PPM"),
        b"",
    ),
    "more pixels than the limit": (same_size, BOMB),
}
FILES = [(row, i) for row, (_, *files) in ROWS.items() for i in range(len(files))]


def promises() -> dict[str, list[str]]:
    """The cells of each row of the table in the docs."""
    rows = re.findall(r"^\| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    cells = [row.split(" | ") for row in rows]
    return {first: rest for first, *rest in cells if first != "in the file"}


@pytest.fixture(scope="module")
def doors(model_file, saved_model_directory, tmp_path_factory):
    """By name: what enhances the file at a path into another path, and returns what it says."""
    box = tmp_path_factory.mktemp("box") / "enhance_dynamic.tflite"
    box.write_bytes(converted("enhance", "dynamic"))
    serve = tf.saved_model.load(str(saved_model_directory)).signatures["serving_default"]

    def enhance(source, target):
        return command(source, f"--output={target}", f"--model={model_file}")[2]

    def server(source, target):
        try:
            (made,) = serve(image_bytes=tf.constant([source.read_bytes()])).values()
        except tf.errors.InvalidArgumentError as error:
            return str(error)
        target.write_bytes(made.numpy()[0])
        return ""

    def runner(source, target):
        settop.main([str(box), str(source), f"--output={target}"])
        return ""

    return {"enhance": enhance, "server": server, "runner": runner}


def test_the_page_has_these_rows():
    assert list(promises()) == list(ROWS)


@pytest.mark.parametrize("door", ["enhance", "server", "runner"])
@pytest.mark.parametrize(("row", "number"), FILES)
def test_what_is_promised(doors, tmp_path, row, number, door):
    kept, *files = ROWS[row]
    source, target = tmp_path / "given", tmp_path / "made.png"
    source.write_bytes(files[number])
    doors[door](source, target)
    found = "refused"
    if target.exists():
        with Image.open(target) as image:
            found = "kept" if kept(image, target) else "not kept"
    assert found == promises()[row][list(doors).index(door)]


def test_the_runner_names_what_else_it_does_not_keep(doors, tmp_path, capsys):
    Image.fromarray(np.asarray(photo())).save(tmp_path / "a.jpg", xmp=b"<x/>", comment=b"hello")
    doors["runner"](tmp_path / "a.jpg", tmp_path / "a.png")
    assert "a.jpg: not kept: XMP, comment; rts_tf.enhance" in capsys.readouterr().err
    (tmp_path / "b.png").write_bytes(saved(photo(), "PNG", icc_profile=PROFILE, exif=exif()))
    doors["runner"](tmp_path / "b.png", tmp_path / "b.bmp")
    assert "b.png: not kept: ICC profile, EXIF;" in capsys.readouterr().err
    name = "x" * 251 + ".png"
    doors["runner"](tmp_path / "a.jpg", tmp_path / name)
    assert (tmp_path / name).exists()


def test_tiffs_that_pillow_alone_reads_wrongly_are_refused_by_the_runner(doors, tmp_path, capsys):
    for contents, reason in (
        (planes(SIXTEEN), "is of 16 bits a sample"),
        (saved(photo().quantize(16), "TIFF"), "is a TIFF with a palette"),
        (saved(photo(), "TIFF", tiffinfo={254: 1}), "is a raw file of a camera"),
        (saved(photo(), "TIFF", **TWO), "holds 2 images (animated or multi-page)"),
        (png(10000, 10000, 8, 2, b""), "exceeds limit of 89478485 pixels"),
        (saved(photo(), "GIF"), "cannot be read as an image: it is none of PNG, JPEG, WEBP"),
    ):
        (tmp_path / "a.tif").write_bytes(contents)
        doors["runner"](tmp_path / "a.tif", tmp_path / "a.png")
        said = capsys.readouterr().err
        assert (
            said.startswith(f"error: {tmp_path / 'a.tif'}: ")
            and reason in said
            and not (tmp_path / "a.png").exists()
        )


@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared")
def test_files_that_once_lost_something(doors, tmp_path, capsys):
    cases = SHARED / "cases"
    doors["runner"](cases / "settop_rgb16.png", tmp_path / "a.png")
    assert "settop_rgb16.png: is of 16 bits a sample" in capsys.readouterr().err
    said = doors["server"](cases / "server_alpha.png", tmp_path / "a.png")
    assert "transparent in places, and alpha is not kept" in said and not list(tmp_path.iterdir())
    with io.BytesIO((cases / "photo.jfif").read_bytes()) as file:
        size = Image.open(file).size
    for door in doors.values():
        door(cases / "photo.jfif", tmp_path / "b.png")
        assert Image.open(tmp_path / "b.png").size == size
        (tmp_path / "b.png").unlink()
