"""Files are of the format that their first bytes say, and a folder is listed by that."""

import io
import os
import subprocess

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from rts_tf.errors import ImageError
from rts_tf.images import formats, listing
from rts_tf.images.formats import KINDS, SIGNATURE, kind_of, kind_of_suffix
from rts_tf.images.image_file import read_image_file
from rts_tf.images.rgb import read_image
from rts_tf.images.write import write_image_file
from tests.support.commands import photo
from tests.support.image_files import EIGHT, ORIENTED, PROFILE, SIXTEEN, check_exif, exif, saved

pytest.importorskip("pillow_jxl", reason="the extra 'images' is not installed")
pytest.importorskip("pillow_heif", reason="the extra 'images' is not installed")
formats.make_known("HEIF")  # to Pillow, so that the tests can write it


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_is_known_by_its_start_and_read(tmp_path, kind):
    options = {"lossless": True} if kind in ("WEBP", "JXL") else {}
    contents = saved(photo(), kind, **options)
    assert kind_of(contents[:SIGNATURE]) == kind
    (tmp_path / "image").write_bytes(contents)
    found = read_image_file(tmp_path / "image").pixels
    decoded = np.asarray(Image.open(io.BytesIO(contents)).convert("RGB"))
    np.testing.assert_array_equal(found, decoded)
    assert all(kind_of_suffix(f"a{suffix.upper()}") == kind for suffix in KINDS[kind].suffixes)


@pytest.mark.parametrize(
    "contents",
    [
        b"BMW is a maker of cars, and this is a letter about one of them.",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1jpeg" + bytes(40),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(40),
        b"RIFF\0\0\0\0AVI LIST" + bytes(40),
        b"II*\0\x10\0\0\0CR\2\0" + bytes(40),  # raw of a camera
        b"%PDF-1.4" + bytes(60),
    ],
)
def test_other_files_are_no_images(contents):
    assert kind_of(contents) == ""


def test_avif_keeps_what_belongs_to_an_image(tmp_path):
    image = read_image_file(_png(tmp_path, EIGHT))
    image = image._replace(alpha=EIGHT[..., 0].copy(), icc=PROFILE, exif=exif())
    write_image_file(tmp_path / "a.avif", image)
    found = read_image_file(tmp_path / "a.avif")
    assert found.icc == PROFILE and not found.warning
    block = Image.Exif()  # without the orientation, for which AVIF has a place of its own
    block.load(found.exif)
    assert block[Base.Make] == "a camera" and block.get_ifd(IFD.GPSInfo)[1] == "N"
    assert np.abs(found.pixels.astype(int) - EIGHT).mean() < 3
    assert np.abs(found.alpha.astype(int) - image.alpha).max() <= 8
    write_image_file(
        tmp_path / "b.avif", image._replace(pixels=EIGHT[..., :1].copy(), alpha=None, icc=b"")
    )
    assert read_image_file(tmp_path / "b.avif").pixels.shape[2] == 1


def _png(folder, pixels):
    Image.fromarray(pixels).save(folder / "in.png")
    return folder / "in.png"


@pytest.mark.parametrize("orientation", [1, 6])
def test_jpeg_xl_is_turned_once_and_keeps_profile_exif_and_xmp(tmp_path, orientation):
    """Its decoder has turned the pixels; what EXIF says about that is of no account (18181-2)."""
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    contents = saved(
        Image.fromarray(EIGHT),
        "JXL",
        lossless=True,
        exif=exif(orientation),
        xmp=packet,
        use_container=True,
    )
    (tmp_path / "a.jxl").write_bytes(contents)
    found = read_image_file(tmp_path / "a.jxl")
    np.testing.assert_array_equal(found.pixels, EIGHT)
    assert found.icc
    check_exif(found.exif)
    from rts_tf.images.boxes import complete

    with Image.open(tmp_path / "a.jxl") as image:
        assert complete(image, tmp_path / "a.jxl") == "" and image.info["xmp"] == packet


def test_a_jpeg_inside_jpeg_xl_is_turned_by_its_exif(tmp_path):
    jpeg = tmp_path / "a.jpg"
    Image.fromarray(EIGHT).save(jpeg, quality=95, exif=exif(6))
    with Image.open(jpeg) as image, pytest.warns(UserWarning, match="JPEG reconstruction"):
        image.save(tmp_path / "a.jxl")
    wanted = ORIENTED[6](np.asarray(Image.open(jpeg)))
    found = read_image_file(tmp_path / "a.jxl").pixels
    assert found.shape == wanted.shape and np.abs(found.astype(int) - wanted).max() <= 3


def made_by_ffmpeg(pixels: np.ndarray, path, *options: str):
    """An image that Pillow cannot write, from uint8 or uint16 [..., H, W, C]."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra 'quality' is not installed")
    height, width, channels = pixels.shape[-3:]
    kind = {("u1", 3): "rgb24", ("u2", 3): "rgb48le", ("u2", 1): "gray16le"}
    source = ["-f", "rawvideo", "-pix_fmt", kind[pixels.dtype.str[1:], channels]]
    source += ["-s", f"{width}x{height}", "-i", "-"]
    command = [ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *options, path]
    subprocess.run(command, input=pixels.tobytes(), check=True)
    return path


def test_bits_and_colours_that_the_decoders_drop_are_reported(tmp_path):
    jxl = "-c:v", "libjxl", "-distance", "0"
    made_by_ffmpeg(SIXTEEN, tmp_path / "colour.jxl", *jxl)
    assert (
        "has 16 bits a sample, of which 8 were kept"
        in read_image_file(tmp_path / "colour.jxl").warning
    )
    made_by_ffmpeg(SIXTEEN[..., :1].copy(), tmp_path / "grey.jxl", *jxl)
    grey = read_image_file(tmp_path / "grey.jxl")
    np.testing.assert_array_equal(grey.pixels, SIXTEEN[..., :1])
    assert not grey.warning
    hdr = "format=yuv444p10le,setparams=color_primaries=bt2020:color_trc=smpte2084"
    options = ("-c:v", "libaom-av1", "-cpu-used", "8", "-still-picture", "1", "-vf", hdr)
    made_by_ffmpeg(EIGHT[:40, :54].copy(), tmp_path / "hdr.avif", *options)
    warning = read_image_file(tmp_path / "hdr.avif").warning
    assert "10 bits a sample" in warning and "primaries 9, transfer function 16" in warning


def test_animations_are_refused(tmp_path):
    """Of JPEG XL too, whose decoder gives the first image without a word."""
    frames = np.stack([EIGHT[:40, :54], EIGHT[1:41, 1:55]])
    made_by_ffmpeg(frames, tmp_path / "a.jxl", "-c:v", "libjxl_anim", "-f", "image2pipe")
    saved_frames = {"save_all": True, "append_images": [photo(1)]}
    for kind in ("AVIF", "GIF"):
        (tmp_path / f"a.{kind.lower()}").write_bytes(saved(photo(), kind, **saved_frames))
    for suffix in ("jxl", "avif", "gif"):
        for read in (read_image, read_image_file):
            with pytest.raises(ImageError, match=rf"a.{suffix}: holds .* images \(animated"):
                read(tmp_path / f"a.{suffix}")


def test_a_damaged_jpeg_xl(tmp_path):
    (tmp_path / "a.jxl").write_bytes(saved(photo(), "JXL")[:300])
    with pytest.raises(ImageError, match="a.jxl: cannot be read .it is damaged"):
        read_image_file(tmp_path / "a.jxl")


def test_without_the_plug_in_the_message_names_the_extra(tmp_path, monkeypatch):
    less = tuple(kind for kind in formats.FORMATS if kind != "JXL")
    for module in (formats, listing):
        monkeypatch.setattr(module, "FORMATS", less)
    monkeypatch.setattr("rts_tf.images.read.FORMATS", less)
    (tmp_path / "a.jxl").write_bytes(saved(photo(), "JXL"))
    with pytest.raises(
        ImageError, match=r"a.jxl: is JPEG XL; to read it, pip install 'rts_tf\[images\]'"
    ):
        read_image_file(tmp_path / "a.jxl")
    images, others = listing.listing(tmp_path)
    line = listing.passed_over(tmp_path / name for name in others)
    assert (
        not images and line == "passed over: 1 .jxl; to read JPEG XL, pip install 'rts_tf[images]'"
    )


def test_the_preview_in_a_raw_file_is_refused(tmp_path):
    for tag, value in ((254, 1), (50706, b"\1\4\0\0")):
        Image.fromarray(EIGHT).save(tmp_path / "a.tif", tiffinfo={tag: value})
        with pytest.raises(ImageError, match="a.tif: is a raw file of a camera"):
            read_image_file(tmp_path / "a.tif")


def test_a_folder_is_listed_by_contents(tmp_path):
    """Images have any name; hidden files and folders are left out, links to folders counted."""
    png, jpeg, tiff = (saved(photo(), kind) for kind in ("PNG", "JPEG", "TIFF"))
    files = {
        "a.jfif": jpeg,
        "b": jpeg,
        "c.jpg": png,
        "below/d.PNG": png,
        "below/e.backup": png,
        "damaged.png": b"nothing",
        "raw.nef": tiff,
        "notes.txt": b"text",
        "more.TXT": b"text",
        "empty": b"",
        ".hidden.png": png,
        ".hidden/f.png": png,
        ".clip.mp4.rts/settings.json": b"{}",
    }
    for name, contents in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(contents)
    (tmp_path / "linked").symlink_to(tmp_path / "below")
    images, others = listing.listing(tmp_path)
    assert images == ("a.jfif", "b", "below/d.PNG", "below/e.backup", "c.jpg", "damaged.png")
    line = listing.passed_over(tmp_path / name for name in others)
    assert line.startswith("passed over: 2 .txt, ")
    assert set(line.partition(": ")[2].split(", ")) == {
        "2 .txt",
        "1 .nef",
        "1 without a suffix",
        "1 linked folder(s)",
    }
    many = [tmp_path / f"x.{i}" for i in range(12)]
    assert listing.passed_over(many).endswith("1 .7, 4 others") and not listing.passed_over([])
    os.mkfifo(tmp_path / "pipe.png") if hasattr(os, "mkfifo") else None
    assert listing.listing(tmp_path).images == images
