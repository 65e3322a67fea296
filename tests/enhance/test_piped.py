"""An image through standard input and output, of which the commands here have the descriptors."""

import contextlib
import io
import os
import sys

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import photo, state
from tests.support.enhance_command import command, model_file  # noqa: F401  fixture
from tests.support.image_files import PROFILE, exif, saved

JPEG = saved(photo(), "JPEG", quality=95, exif=exif(6), icc_profile=PROFILE)


@contextlib.contextmanager
def standard_input(contents: bytes, path):
    """``contents`` on descriptor 0."""
    path.write_bytes(contents)
    before = os.dup(0)
    with open(path, "rb") as file:
        os.dup2(file.fileno(), 0)
        try:
            yield
        finally:
            os.dup2(before, 0)
            os.close(before)


@pytest.fixture
def piped(model_file, tmp_path, capfdbinary):
    """Run the command: its exit code, the bytes on standard output, and all that it printed."""

    def piped(contents: bytes, *arguments):
        capfdbinary.readouterr()
        with standard_input(contents, tmp_path / "given"):
            code, printed, err = command(f"--model={model_file}", "--strength=0", *arguments)
        sys.stdout.flush()
        assert "Traceback" not in err
        return code, capfdbinary.readouterr().out, printed + err

    return piped


@pytest.mark.parametrize(
    ("kind", "made"),
    [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP"), ("AVIF", "AVIF"), ("GIF", "PNG")],
)
def test_an_image_comes_out_in_its_format(piped, kind, made):
    contents = saved(photo(), kind)
    code, out, said = piped(contents, "-", "--output=-")
    assert code == 0 and "enhanced 1 of 1 images: -" in said, said
    image = Image.open(io.BytesIO(out))
    assert image.format == made
    if made == "PNG":
        given = Image.open(io.BytesIO(contents)).convert("RGB")
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), np.asarray(given))


def test_what_belongs_to_it_comes_with_it(piped, tmp_path):
    code, out, _ = piped(JPEG, "-", "--output=-")
    image = Image.open(io.BytesIO(out))
    assert code == 0 and image.info["icc_profile"] == PROFILE and image.getexif()[0x0112] == 1
    code, out, said = piped(JPEG, "-", f"--output={tmp_path / 'made.png'}")
    assert code == 0 and not out and "made.png" in said
    made = Image.open(tmp_path / "made.png")
    assert made.format == "PNG" and made.info["icc_profile"] == PROFILE
    assert "already there" in piped(b"", "-", f"--output={tmp_path / 'made.png'}")[2]


def test_without_an_output_it_goes_to_standard_output(piped):
    code, out, said = piped(JPEG, "-")
    assert code == 0 and Image.open(io.BytesIO(out)).format == "JPEG" and "images: -" in said


def test_a_terminal_gets_no_image(piped, monkeypatch):
    monkeypatch.setattr(os, "isatty", lambda descriptor: descriptor == 1)
    code, out, said = piped(JPEG, "-")
    assert code == 1 and not out and "-: standard output is the terminal" in said


def test_a_file_goes_to_standard_output(piped, tmp_path):
    photo().save(tmp_path / "in.png")
    code, out, _ = piped(b"", tmp_path / "in.png", "--output=-", "--scale=2")
    assert code == 0 and Image.open(io.BytesIO(out)).size == (128, 128)


MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(400)


@pytest.mark.parametrize(
    ("contents", "arguments", "reason"),
    [
        (b"", ["-", "--output=-"], "standard input: is empty; name a video as a file, or"),
        (b"text", ["-", "--output=-"], "standard input: is neither an image (PNG, JPEG, WebP"),
        (MP4, ["-", "--output=-"], "nor YUV4MPEG2; name a video as a file, or pipe it through ff"),
        (MP4, ["-", "--output={}/x.png"], "standard input: is neither an image"),
        (JPEG[:-300], ["-", "--output=-"], "error: standard input: cannot be read (image file"),
        (JPEG, ["-", "--output={}"], ": is a folder; name a file for the image on standard inp"),
        (JPEG, ["-", "--output={}/x.gif"], "x.gif: cannot tell the format; end it in .png"),
        (JPEG, ["-", "{}/given", "--output=-"], "name one input to be enhanced as a stream"),
        (JPEG, ["{}", "--output=-"], ": is a folder; name a folder as --output, not -."),
        (b"YUV4MPEG2 W5 H5 It\n", ["-", "--output=-"], "standard input: is interlaced; make who"),
    ],
    # Not the contents: the profile in them has the time when it was made.
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}",
)
def test_mistakes_are_one_line_and_nothing_is_written(piped, tmp_path, contents, arguments, reason):
    given = [argument.replace("{}", str(tmp_path)) for argument in arguments]
    code, out, said = piped(contents, *given)
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert code == 1 and not out and len(lines) == 1 and reason in lines[0], said
    assert [path.name for path in state(tmp_path)] == ["given"]
