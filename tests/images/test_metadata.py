"""Metadata: kept where the format of the output holds it, else named in one line."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from rts_tf.images import photoshop, xmp
from rts_tf.images.image_file import ImageFile, read_image_file
from rts_tf.images.metadata import Metadata
from rts_tf.images.write import write_image_file
from tests.support.image_files import (
    EIGHT,
    PROFILE,
    SIXTEEN,
    check_exif,
    cmyk_profile,
    exif,
    saved,
    tif,
)

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description dc:creator="somebody"'
    b' tiff:Orientation="6" tiff:ImageWidth="4000" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>'
)
IPTC = b"\x1c\x02\x78\x00\x07a title"
PATH = b"8BIM\x07\xd0\x00\x00" + struct.pack(">I", 4) + b"path"
URL = b"8BIM\x04\x0b\x03url" + struct.pack(">I", 6) + b"a site"


def segment(marker: int, contents: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(contents) + 2) + contents


def jpeg(*segments: bytes, **options) -> bytes:
    """A JPEG of ``EIGHT`` with further segments."""
    plain = saved(Image.fromarray(EIGHT), "JPEG", quality=95, **options)
    return plain[:2] + b"".join(segments) + plain[2:]


def read(tmp_path, contents: bytes, suffix: str = ".jpg"):
    (tmp_path / f"in{suffix}").write_bytes(contents)
    return read_image_file(tmp_path / f"in{suffix}")


HELD = {  # what each format holds
    ".png": {"xmp", "comments", "icc", "exif", "dpi"},
    ".jpg": {"xmp", "iptc", "comments", "icc", "exif", "dpi", "extended_xmp", "resources"},
    ".webp": {"xmp", "icc", "exif", "dpi"},
    ".tif": {"xmp", "iptc", "icc", "exif", "dpi", "resources"},
    ".bmp": {"dpi"},
}
NAMES = {
    "xmp": "XMP",
    "iptc": "IPTC",
    "comments": "comment",
    "icc": "ICC profile",
    "exif": "EXIF",
    "resources": "Photoshop's image resources",
    "extended_xmp": "XMP",
}


@pytest.mark.parametrize("suffix", HELD)
def test_all_that_a_camera_and_an_editor_write(tmp_path, suffix):
    block = photoshop.joined(IPTC, URL)
    found = read(
        tmp_path,
        jpeg(
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)),
            segment(0xED, b"Photoshop 3.0\0" + block),
            **{"xmp": XMP, "comment": b"a comment", "icc_profile": PROFILE},
            **{"exif": exif(), "dpi": (300, 300)},
        ),
    )
    assert found.metadata.iptc == IPTC and found.metadata.resources == URL and not found.notes
    notes = write_image_file(tmp_path / f"out{suffix}", found)
    again = read_image_file(tmp_path / f"out{suffix}")
    assert not again.notes
    for name, text in NAMES.items():
        before, after = (getattr(f.metadata, name, getattr(f, name, b"")) for f in (found, again))
        if name in HELD[suffix]:
            if name == "xmp":
                before = xmp.for_size(before, EIGHT.shape[1], EIGHT.shape[0])
            if name == "exif":
                check_exif(after, width=EIGHT.shape[1])
            elif (name, suffix) == ("comments", ".png"):
                assert Image.open(tmp_path / "out.png").text["Comment"] == "a comment"
            else:
                assert after == before, name
        else:
            assert not after and text in notes[0], name
    assert again.dpi == pytest.approx((300, 300), abs=0.01)


def test_other_programs_find_what_is_kept(tmp_path):
    image = ImageFile(EIGHT, metadata=Metadata(xmp=XMP, iptc=IPTC, comments=(b"one", b"two")))
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        write_image_file(tmp_path / f"a{suffix}", image)
        with Image.open(tmp_path / f"a{suffix}") as opened:
            opened.load()
            assert b"somebody" in opened.info["xmp"], suffix
    jpeg_file = Image.open(tmp_path / "a.jpg")
    assert jpeg_file.info["photoshop"][0x0404] == IPTC
    assert [contents for name, contents in jpeg_file.applist if name == "COM"] == [b"one", b"two"]


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png", ".tif"])
def test_xmp_describes_the_upright_pixels(tmp_path, suffix):
    kind = {".jpg": "JPEG", ".webp": "WEBP", ".png": "PNG", ".tif": "TIFF"}[suffix]
    if suffix == ".png":
        write_image_file(tmp_path / "in.png", ImageFile(EIGHT, metadata=Metadata(xmp=XMP)))
        found = read_image_file(tmp_path / "in.png")
    elif suffix == ".tif":
        tags = [(700, 1, len(XMP), XMP, True)]
        found = read(tmp_path, tif(EIGHT, photometric="rgb", extratags=tags), suffix)
    else:
        found = read(tmp_path, saved(Image.fromarray(EIGHT), kind, xmp=XMP), suffix)
    assert found.pixels.shape[:2] == (55, 41)
    expected = XMP.replace(b'Orientation="6"', b'Orientation="1"')
    if suffix == ".png":  # which was written with its size
        expected = expected.replace(b"4000", b"55")
    assert found.metadata.xmp == expected
    larger = found._replace(pixels=found.pixels.repeat(2, axis=0).repeat(2, axis=1))
    write_image_file(tmp_path / f"out{suffix}", larger)
    again = read_image_file(tmp_path / f"out{suffix}")
    assert again.pixels.shape[:2] == (110, 82)
    assert b'ImageWidth="82" xmp:Rating="5"' in again.metadata.xmp


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (ImageFile(EIGHT, exif=exif(artist="x" * 70000)), "EXIF of 70 kB"),
        (ImageFile(EIGHT, metadata=Metadata(xmp=XMP + b" " * 70000)), "XMP of 70 kB"),
        (ImageFile(EIGHT, icc=PROFILE + bytes(17_000_000)), "ICC profile of 17"),
        (ImageFile(EIGHT, metadata=Metadata(comments=(b"x" * 70000,))), "comment"),
        (ImageFile(EIGHT, dpi=(0.2, 0.2)), "resolution of 0.2 dpi"),
    ],
    ids=["EXIF", "XMP", "ICC", "comment", "DPI"],
)
def test_what_is_too_large_for_jpeg_never_costs_the_image(tmp_path, image, reason):
    (note,) = write_image_file(tmp_path / "a.jpg", image)
    assert note.startswith("JPEG has no room for these, which were left out: ") and reason in note
    assert read_image_file(tmp_path / "a.jpg").pixels.shape == EIGHT.shape


def test_iptc_of_several_segments(tmp_path):
    image = ImageFile(EIGHT, metadata=Metadata(iptc=IPTC * 20000))
    assert write_image_file(tmp_path / "a.jpg", image) == ()
    assert read_image_file(tmp_path / "a.jpg").metadata.iptc == IPTC * 20000


def test_webp_has_its_resolution_in_exif(tmp_path):
    (note,) = write_image_file(tmp_path / "a.webp", ImageFile(EIGHT, dpi=(300.0, 150.0)))
    assert "resolution of 300 x 150 dpi is now in the EXIF" in note
    found = read_image_file(tmp_path / "a.webp")
    assert found.dpi == (300, 150)
    assert write_image_file(tmp_path / "b.webp", found) == ()  # it is there already


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp"])
def test_8_of_16_bits_are_said(tmp_path, suffix):
    (note,) = write_image_file(tmp_path / f"a{suffix}", ImageFile(SIXTEEN))
    assert "its 16 bits per sample became 8" in note
    assert write_image_file(tmp_path / "a.png", ImageFile(SIXTEEN)) == ()


def test_clipping_paths_are_left_out_of_a_rotated_image(tmp_path):
    for orientation, kept in ((1, PATH + URL), (6, URL)):
        block = segment(0xED, b"Photoshop 3.0\0" + PATH + URL)
        found = read(tmp_path, jpeg(block, exif=exif(orientation)))
        assert found.metadata.resources == kept
        assert bool(found.notes) == (orientation == 6)
    assert found.notes == ("its clipping paths were left out, since it was rotated",)


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ([segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\xff\xffcut")], "IPTC is damaged"),
        ([segment(0xE2, b"ICC_PROFILE\0\2\4junk")], "ICC profile is damaged"),
        ([segment(0xE1, b"Exif\0\0junk and more of it")], "EXIF is damaged"),
        ([segment(0xEB, b"JPcontent credentials")], "application data was left out: APP11"),
    ],
)
def test_what_cannot_be_kept_is_named(tmp_path, segments, reason):
    found = read(tmp_path, jpeg(*segments))
    assert len(found.notes) == 1 and reason in found.notes[0]
    assert found.pixels.shape == EIGHT.shape


def test_what_is_behind_the_image_is_named(tmp_path):
    gain_map = XMP.replace(b"xmp:Rating", b'hdrgm:Version="1.0" xmp:Rating')
    found = read(tmp_path, jpeg(xmp=gain_map))
    assert found.notes == ("its gain map (Ultra HDR) was left out, so it is SDR now",)
    assert b"hdrgm" not in found.metadata.xmp and b'xmp:Rating="5"' in found.metadata.xmp
    motion = XMP.replace(b"xmp:Rating", b'GCamera:MotionPhoto="1" xmp:Rating')
    found = read(tmp_path, jpeg(xmp=motion) + b"a video")
    assert found.notes == ("the video behind the image (motion photo) was left out",)
    assert b"MotionPhoto" not in found.metadata.xmp
    found = read(tmp_path, jpeg() + b"something else")
    assert found.notes == ("data behind the end of the image was left out",)
    assert not read(tmp_path, jpeg() + b"\0\0\n").notes  # padding
    small = Image.fromarray(EIGHT[::2, ::2])
    two = saved(Image.fromarray(EIGHT), "MPO", save_all=True, append_images=[small])
    assert "further images in the file (MPO)" in read(tmp_path, two).notes[0]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "TIFF, 16 bits"])
def test_cmyk_is_converted_by_its_profile(tmp_path, kind):
    """Against LittleCMS itself: black ink of this profile is a dark blue."""
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, 8:, 3] = 255
    icc = cmyk_profile()
    if kind == "TIFF, 16 bits":
        tags = [(34675, 7, len(icc), icc, True)]
        contents = tif(inks.astype(np.uint16) * 257, photometric="separated", extratags=tags)
    else:
        image = Image.fromarray(inks, "CMYK")
        contents = saved(image, kind, icc_profile=icc)
    found = read(tmp_path, contents)
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    expected = ImageCms.profileToProfile(
        Image.fromarray(inks, "CMYK"),
        source,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        outputMode="RGB",
    )
    difference = np.abs(found.pixels.astype(int) - np.asarray(expected))
    assert difference.max() <= (3 if kind == "JPEG" else 0)
    assert found.pixels[0, 15, 2] > found.pixels[0, 15, 0] + 20  # blue
    assert "its CMYK colours became sRGB, by its profile" in found.notes
    assert ImageCms.ImageCmsProfile(io.BytesIO(found.icc)).profile.xcolor_space == "RGB "


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile_is_that_of_ideal_inks(tmp_path, kind):
    image = Image.fromarray(EIGHT).convert("CMYK")
    found = read(tmp_path, saved(image, kind))
    assert np.abs(found.pixels.astype(int) - EIGHT).mean() < 4 and not found.icc
    assert found.notes == (
        "its CMYK colours became RGB as those of ideal inks, since it has no profile",
    )


def test_the_notes_of_a_file_in_one_line():
    assert ImageFile(EIGHT, notes=("one thing", "another")).warning == "one thing; another"
    assert ImageFile(EIGHT).warning == ""
