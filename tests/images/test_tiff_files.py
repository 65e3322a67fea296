"""TIFF files of every kind: read as they look, or refused for the true reason."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import IFD, Base

from rts_tf.errors import ImageError
from rts_tf.images.image_file import is_image_file, pixel_count, read_image_file
from rts_tf.images.write import write_image_file
from tests.support.image_files import (
    EIGHT,
    ORIENTED,
    PROFILE,
    SIXTEEN,
    check_exif,
    exif,
    saved,
    tif,
)

ALPHA8, ALPHA16 = EIGHT[..., 2], SIXTEEN[..., 2]
RGBA8, RGBA16 = np.dstack([EIGHT, ALPHA8]), np.dstack([SIXTEEN, ALPHA16])
GREY_AND_ALPHA16 = np.ascontiguousarray(SIXTEEN[..., 1:])
COLOUR, GREY = {"photometric": "rgb"}, {"photometric": "minisblack"}
PLAIN_ALPHA = {"extrasamples": ["unassalpha"]}
SEPARATE = {"planarconfig": "separate"}
MAP = np.random.default_rng(0).integers(0, 65536, (3, 256)).astype(np.uint16)
PALETTE = {"photometric": "palette"}

READ = {  # name: (samples, how they are written, the pixels, alpha)
    "RGB": (EIGHT, COLOUR, EIGHT, None),
    "RGB, 16 bits": (SIXTEEN, COLOUR, SIXTEEN, None),
    "planes": (EIGHT.transpose(2, 0, 1), COLOUR | SEPARATE, EIGHT, None),
    "planes, 16 bits": (SIXTEEN.transpose(2, 0, 1), COLOUR | SEPARATE, SIXTEEN, None),
    "alpha": (RGBA8, COLOUR | PLAIN_ALPHA, EIGHT, ALPHA8),
    "alpha, 16 bits": (RGBA16, COLOUR | PLAIN_ALPHA, SIXTEEN, ALPHA16),
    "grey and alpha, 16 bits": (
        *(GREY_AND_ALPHA16, GREY | PLAIN_ALPHA | {"planarconfig": "contig"}),
        *(SIXTEEN[..., 1:2], ALPHA16),
    ),
    "white at zero": (255 - EIGHT[..., 0], {"photometric": "miniswhite"}, EIGHT[..., :1], None),
    "white at zero, 16 bits": (
        *(65535 - SIXTEEN[..., 0], {"photometric": "miniswhite"}, SIXTEEN[..., :1], None),
    ),
    "one bit": (EIGHT[..., 0] > 99, GREY, np.where(EIGHT[..., :1] > 99, 255, 0), None),
    "colour map of 16 bits": (
        EIGHT[..., 0],
        PALETTE | {"colormap": MAP},
        MAP.T[EIGHT[..., 0]],
        None,
    ),
    "colour map of 8 bits": (
        *(EIGHT[..., 0], PALETTE | {"colormap": MAP >> 8}, (MAP >> 8).T[EIGHT[..., 0]], None),
    ),
    "colour map of 8 in 16 bits": (
        EIGHT[..., 0],
        PALETTE | {"colormap": (MAP >> 8) * 257},
        *((MAP >> 8).T[EIGHT[..., 0]], None),
    ),
}


def read(tmp_path, contents: bytes):
    (tmp_path / "in.tif").write_bytes(contents)
    return read_image_file(tmp_path / "in.tif")


@pytest.mark.parametrize("container", [{}, {"byteorder": ">"}, {"bigtiff": True}], ids=str)
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", READ)
def test_read_exactly(tmp_path, kind, compression, container):
    samples, how, pixels, alpha = READ[kind]
    if "alpha" in kind and "grey" in kind:
        how = how | {"photometric": "minisblack"}
    found = read(tmp_path, tif(samples, **how, **container, compression=compression))
    assert found.pixels.dtype in (np.uint8, np.uint16)
    np.testing.assert_array_equal(found.pixels, pixels)
    np.testing.assert_array_equal(found.alpha, alpha)
    assert not found.notes and is_image_file(tmp_path / "in.tif")
    assert pixel_count(tmp_path / "in.tif") == EIGHT.shape[0] * EIGHT.shape[1]
    write_image_file(tmp_path / "out.tif", found)
    again = read_image_file(tmp_path / "out.tif")
    np.testing.assert_array_equal(again.pixels, found.pixels)
    np.testing.assert_array_equal(again.alpha, found.alpha)


def test_big_endian_bigtiff(tmp_path):
    found = read(tmp_path, tif(EIGHT, **COLOUR, bigtiff=True, byteorder=">", software="a cat"))
    np.testing.assert_array_equal(found.pixels, EIGHT)
    block = Image.Exif()
    block.load(found.exif)
    assert block[Base.Software] == "a cat" and not found.notes


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("samples", [RGBA8, EIGHT], ids=["RGB", "grey"])
def test_an_extra_sample_of_no_kind_becomes_alpha_with_a_line(tmp_path, compression, samples):
    mode = "RGBA" if samples.shape[2] == 4 else "LA"
    image = Image.fromarray(RGBA8 if mode == "RGBA" else np.ascontiguousarray(EIGHT[..., 1:]), mode)
    contents = bytearray(saved(image, "TIFF", compression=compression))
    with tifffile.TiffFile(io.BytesIO(contents)) as file:
        at = file.pages[0].tags["ExtraSamples"].valueoffset
    contents[at : at + 2] = bytes(2)  # unspecified
    found = read(tmp_path, bytes(contents))
    np.testing.assert_array_equal(found.alpha, ALPHA8)
    np.testing.assert_array_equal(found.pixels, EIGHT if mode == "RGBA" else EIGHT[..., 1:2])
    (note,) = found.notes
    assert "does not say what it is, became alpha" in note


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_further_extra_samples_are_named(tmp_path, compression):
    how = COLOUR | {"extrasamples": ["unspecified", "unassalpha"], "compression": compression}
    found = read(tmp_path, tif(np.dstack([EIGHT, EIGHT[..., 0], ALPHA8]), **how))
    np.testing.assert_array_equal(found.alpha, ALPHA8)
    assert found.notes == ("further samples of each pixel were left out: 1",)


@pytest.mark.parametrize("colour", [EIGHT, SIXTEEN], ids=["8 bits", "16 bits"])
def test_colours_are_divided_by_the_alpha_that_multiplies_them(tmp_path, colour):
    white = int(np.iinfo(colour.dtype).max)
    alpha = np.full(colour.shape[:2], white, colour.dtype)
    alpha[:, ::2], alpha[::7] = white // 2 + 1, 0
    factor = alpha[..., None] / white
    multiplied = np.rint(colour * factor).astype(colour.dtype)
    samples = np.dstack([multiplied, alpha])
    found = read(tmp_path, tif(samples, **COLOUR, extrasamples=["assocalpha"]))
    np.testing.assert_array_equal(found.alpha, alpha)
    seen = alpha > 0
    assert np.abs(found.pixels[seen].astype(int) - colour[seen]).max() <= 1
    assert (found.pixels[~seen] == 0).all() and not found.notes


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("samples", [SIXTEEN, SIXTEEN[..., 0]], ids=["RGB", "grey"])
def test_floating_point_becomes_16_bits(tmp_path, dtype, samples):
    how = COLOUR if samples.ndim == 3 else GREY
    found = read(tmp_path, tif((samples / 65535).astype(dtype), **how))
    expected = np.rint((samples / 65535).astype(dtype).astype(float) * 65535)
    np.testing.assert_array_equal(found.pixels.reshape(samples.shape), expected)
    assert "became integers of 16 bits" in found.notes[0]


def not_a_number() -> np.ndarray:
    values = (EIGHT / 255).astype(np.float32)
    values[3, 4, 1] = np.nan
    return values


REFUSED = {
    "floating point beyond 1": (EIGHT.astype(np.float32), COLOUR, "from 0 to 231; scale them"),
    "not a number": (not_a_number(), COLOUR, "infinite or not a number"),
    "signed": (SIXTEEN.astype(np.int16), COLOUR, "has signed integers"),
    "32 bits": (SIXTEEN.astype(np.uint32), COLOUR, "has integers of 32 bits"),
    "complex": (SIXTEEN[..., 0].astype(np.complex64), GREY, "has complex numbers"),
    "pages": (np.stack([EIGHT, EIGHT]), COLOUR, "holds 2 images"),
    "sensor": (SIXTEEN[..., 0], {"photometric": "cfa"}, "colours of the kind CFA"),
    "Lab of 16 bits": (SIXTEEN, {"photometric": "cielab"}, "is Lab of a kind"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_for_the_true_reason(tmp_path, kind):
    samples, how, reason = REFUSED[kind]
    with pytest.raises(ImageError, match=f"in.tif: .*{reason}"):
        read(tmp_path, tif(samples, **how))


def test_a_codec_that_is_missing_is_named(tmp_path):
    image = Image.fromarray((EIGHT[..., 0] / 255).astype(np.float32))
    try:
        found = read(tmp_path, saved(image, "TIFF", compression="tiff_lzw"))
    except ImageError as error:
        assert "is compressed by LZW" in str(error) and "imagecodecs" in str(error)
    else:  # imagecodecs is installed
        assert found.pixels.dtype == np.uint16


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("samples", [EIGHT, SIXTEEN, (EIGHT / 255).astype(np.float32)], ids=str)
def test_every_reader_makes_it_upright_once(tmp_path, samples, orientation):
    tags = [(274, "H", 1, orientation, True)]
    plain = read(tmp_path, tif(samples, **COLOUR))
    found = read(tmp_path, tif(samples, **COLOUR, extratags=tags))
    np.testing.assert_array_equal(found.pixels, ORIENTED[orientation](plain.pixels))


def test_metadata_comes_back(tmp_path):
    iptc = b"\x1c\x02\x78\x00\x05hello"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + bytes(len(iptc) % 2)
    tags = [
        (700, 1, 6, b"<x/>\n\n", True),
        (33723, 7, len(iptc), iptc, True),
        (34377, 1, len(resource), resource, True),
        (34675, 7, len(PROFILE), PROFILE, True),
    ]
    found = read(
        tmp_path, tif(EIGHT, **COLOUR, extratags=tags, resolution=(118, 118), resolutionunit=3)
    )
    assert (found.metadata.xmp, found.metadata.iptc) == (b"<x/>\n\n", iptc)
    assert found.icc == PROFILE and found.dpi == pytest.approx((299.72, 299.72))
    assert write_image_file(tmp_path / "out.tif", found._replace(exif=exif())) == ()
    again = read_image_file(tmp_path / "out.tif")
    assert (again.metadata, again.icc) == (found.metadata, PROFILE) and not again.notes
    check_exif(again.exif)
    with tifffile.TiffFile(tmp_path / "out.tif") as file:  # as other programs see it
        assert file.pages[0].tags[33723].value == iptc


def test_previews_and_layers_are_named(tmp_path):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(EIGHT, **COLOUR)
        writer.write(EIGHT[::4, ::4], **COLOUR, subfiletype=1)
    found = read(tmp_path, file.getvalue())
    np.testing.assert_array_equal(found.pixels, EIGHT)
    assert found.notes == ("smaller images and masks in the file were left out",)
    layers = tif(EIGHT, **COLOUR, extratags=[(65000, 7, 99, bytes(99), True)])
    layers = layers.replace(struct.pack("<HH", 65000, 7), struct.pack("<HH", 37724, 7))
    assert read(tmp_path, layers).notes == ("its Photoshop layers were left out",)


def test_exif_of_a_file_that_pillow_cannot_open(tmp_path):
    samples = (EIGHT / 255).astype(np.float32)
    with pytest.raises(OSError):
        Image.open(io.BytesIO(tif(samples, **COLOUR)))
    written = read(tmp_path, tif(EIGHT, **COLOUR))._replace(exif=exif())
    write_image_file(tmp_path / "tags.tif", written)
    contents = bytearray((tmp_path / "tags.tif").read_bytes())
    with tifffile.TiffFile(io.BytesIO(contents)) as file:  # make it signed integers of 8 bits
        at = file.pages[0].tags["SampleFormat"].valueoffset
        assert IFD.Exif in file.pages[0].tags
    contents[at : at + 6] = struct.pack("<HHH", 4, 4, 4)  # undefined, which Pillow does not know
    found = read(tmp_path, bytes(contents))
    check_exif(found.exif)
    np.testing.assert_array_equal(found.pixels, EIGHT)


def test_libraries_print_nothing_of_their_own(tmp_path, capfd):
    damaged = bytearray(saved(Image.fromarray(EIGHT), "TIFF", compression="tiff_lzw"))
    damaged[208:260] = b"\xff" * 52
    with pytest.raises(ImageError, match="cannot be read"):
        read(tmp_path, bytes(damaged))
    read(tmp_path, tif(SIXTEEN, **COLOUR, extratags=[(65000, "H", 1, 7, True)]))
    image = Image.fromarray(SIXTEEN[..., 0])
    read(tmp_path, saved(image, "TIFF", compression="tiff_lzw", tiffinfo={65000: 7}))
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
