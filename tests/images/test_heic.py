"""HEIC, which phones write: what belongs to an image is kept, and the rest is named."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rts_tf.errors import ImageError
from rts_tf.images import formats, listing, read
from rts_tf.images.image_file import pixel_count, read_image_file
from tests.support.commands import photo
from tests.support.enhance_command import model_file, run  # noqa: F401  fixtures
from tests.support.image_files import EIGHT, PROFILE, check_exif, exif, saved
from tests.support.paths import ROOT

pillow_heif = pytest.importorskip("pillow_heif", reason="the extra 'images' is not installed")
formats.make_known("HEIF")  # to Pillow, so that the tests can write it
PACKET = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


def heic(path, image=None, **options):
    image = image or Image.fromarray(EIGHT)
    path.write_bytes(saved(image, "HEIF", quality=-1, chroma=444, **options))
    return path


def test_it_is_turned_once_and_keeps_profile_exif_and_xmp(tmp_path):
    path = heic(tmp_path / "a.heic", exif=exif(6), icc_profile=PROFILE, xmp=PACKET)
    found = read_image_file(path)
    upright = np.rot90(EIGHT, -1)
    assert found.pixels.shape == upright.shape and pixel_count(path) == EIGHT[..., 0].size
    assert np.abs(found.pixels.astype(int) - upright).max() <= 3
    assert found.icc == PROFILE and found.metadata.xmp == PACKET and not found.warning
    check_exif(found.exif)


def test_grey_and_transparency(tmp_path):
    grey = read_image_file(heic(tmp_path / "grey.heic", Image.fromarray(EIGHT).convert("L")))
    assert grey.pixels.shape[:2] == EIGHT.shape[:2] and grey.alpha is None
    cut = photo().convert("RGBA")
    cut.putalpha(Image.fromarray(np.asarray(photo())[..., 0]))
    found = read_image_file(heic(tmp_path / "alpha.heic", cut))
    assert np.abs(found.alpha.astype(int) - np.asarray(cut)[..., 3]).max() <= 1


def test_what_is_lost_is_named(tmp_path):
    path = tmp_path / "deep.heic"
    deep = np.random.default_rng(0).integers(0, 65536, (64, 64, 3)).astype(np.uint16)
    pillow_heif.encode("RGB;16", (64, 64), deep.tobytes(), str(path), save_nclx_profile=False)
    assert "bits a sample, of which 8 were kept" in read_image_file(path).warning


def box(kind: bytes, contents: bytes) -> bytes:
    return (8 + len(contents)).to_bytes(4, "big") + kind + contents


def test_the_maps_of_phones_are_named():
    from rts_tf.images.boxes import _of_heif

    def auxiliary(name: bytes) -> bytes:
        properties = box(b"ipco", box(b"auxC", bytes(4) + name + b"\0"))
        return box(b"meta", bytes(4) + box(b"iprp", properties))

    gain = _of_heif(auxiliary(b"urn:com:apple:photo:2020:aux:hdrgainmap"))
    assert gain.gain_map and not gain.depth
    depth = _of_heif(auxiliary(b"urn:mpeg:hevc:2015:auxid:2"))
    assert depth.depth and not depth.gain_map
    alpha = _of_heif(auxiliary(b"urn:mpeg:hevc:2015:auxid:1"))
    assert not alpha.depth and not alpha.gain_map


def test_several_images_are_refused(tmp_path):
    contents = saved(photo(), "HEIF", save_all=True, append_images=[photo(1)])
    (tmp_path / "a.heic").write_bytes(contents)
    with pytest.raises(ImageError, match="a.heic: holds 2 images"):
        read_image_file(tmp_path / "a.heic")


def test_a_damaged_file(tmp_path):
    contents = saved(photo(), "HEIF")
    for end in (70, len(contents) // 2, len(contents) - 40):
        (tmp_path / "a.heic").write_bytes(contents[:end])
        with pytest.raises(ImageError, match="a.heic: cannot be read"):
            read_image_file(tmp_path / "a.heic")


def test_without_the_package_the_message_names_the_extra(tmp_path, monkeypatch):
    less = tuple(kind for kind in formats.FORMATS if kind != "HEIF")
    for module in (formats, listing, read):
        monkeypatch.setattr(module, "FORMATS", less)
    path = heic(tmp_path / "a.heic")
    reason = r"a.heic: is HEIC; to read it, pip install 'rts_tf\[images\]'"
    with pytest.raises(ImageError, match=reason):
        read_image_file(path)
    assert listing.passed_over([path]).endswith("to read HEIC, pip install 'rts_tf[images]'")


def test_the_package_is_loaded_for_such_a_file_only(tmp_path):
    """It takes a tenth of a second of every command."""
    photo().save(tmp_path / "a.png")
    heic(tmp_path / "a.heic")
    code = (
        "import sys; from rts_tf.images.image_file import read_image_file as read;"
        "read(sys.argv[1]); print(*sorted({'pillow_heif', 'pillow_jxl'} & set(sys.modules)))"
    )
    for name, loaded in (("a.png", ""), ("a.heic", "pillow_heif")):
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / name], capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0 and done.stdout.strip() == loaded, done.stderr


def test_in_a_folder_it_becomes_a_jpeg(run, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    heic(folder / "a.heic", exif=exif(6), icc_profile=PROFILE)
    out, err = run(folder, f"--output={tmp_path / 'out'}", "--strength=0")
    assert "enhanced 1 of 1 images" in out and not err
    made = Image.open(tmp_path / "out" / "a.jpg")
    assert made.format == "JPEG" and made.info["icc_profile"] == PROFILE
    assert made.size == EIGHT.shape[:2] and made.getexif()[0x0112] == 1
    contents = io.BytesIO((tmp_path / "out" / "a.jpg").read_bytes())
    upright = np.rot90(EIGHT, -1).astype(int)
    assert np.abs(np.asarray(Image.open(contents)) - upright).mean() < 6
