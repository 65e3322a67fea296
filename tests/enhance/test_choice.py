"""Which weights are chosen for an image or a video, and that the command says so."""

import types

import numpy as np
import pytest
from PIL import Image

from rts_tf import pretrained
from rts_tf.data.codecs import jpeg
from rts_tf.enhance import choice
from rts_tf.enhance.weights import Weights
from rts_tf.images.coding import jpeg_quality
from rts_tf.images.image_file import ImageFile, read_image_file
from tests.support.enhance_command import command


@pytest.fixture
def photo(photograph) -> Image.Image:
    return Image.fromarray(photograph[:120, :160])


@pytest.mark.parametrize("quality", [20, 30, 50, 75, 89, 90, 95, 100])
def test_the_quality_of_a_jpeg_file_is_read_from_its_tables(photo, tmp_path, quality):
    photo.save(tmp_path / "a.jpg", quality=quality)
    image = read_image_file(tmp_path / "a.jpg")
    assert image.coding.quality == pytest.approx(quality, abs=1)
    expected = choice.CLEAN if image.coding.quality >= choice.CLEAN_QUALITY[1] else choice.JPEG
    assert choice.for_image(image).model == expected


def test_a_table_of_ones_is_the_best_quality():
    assert jpeg_quality([1] * 64) == 99 and jpeg_quality([255] * 64) < 15


@pytest.mark.parametrize(
    ("name", "settings", "model"),
    [
        ("a.webp", {"quality": 80}, choice.VIDEO),
        ("a.webp", {"lossless": True}, choice.CLEAN),
        ("a.png", {}, choice.CLEAN),
        ("a.tif", {}, choice.CLEAN),
    ],
)
def test_other_formats(photo, tmp_path, name, settings, model):
    photo.save(tmp_path / name, **settings)
    assert choice.for_image(read_image_file(tmp_path / name)).model == model


def test_webp_with_metadata_has_its_pixels_in_a_later_chunk(photo, tmp_path):
    for lossless, model in ((True, choice.CLEAN), (False, choice.VIDEO)):
        photo.save(tmp_path / "a.webp", lossless=lossless, icc_profile=b"x" * 333)
        assert choice.for_image(read_image_file(tmp_path / "a.webp")).model == model


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_block_edges_of_an_earlier_jpeg_are_seen(photo, tmp_path, mode):
    photo.save(tmp_path / "a.jpg", quality=40)
    Image.open(tmp_path / "a.jpg").convert(mode).save(tmp_path / "a.png")
    chosen = choice.for_image(read_image_file(tmp_path / "a.png"))
    assert chosen.model == choice.JPEG and "block edges of" in chosen.reason


def test_large_16_bit_images_are_looked_at_in_their_middle(photograph):
    wide = np.pad(photograph, ((700, 700), (800, 800), (0, 0)), mode="reflect")
    fine = ImageFile(wide.astype(np.uint16) * 257)
    assert choice.for_image(fine).model == choice.CLEAN
    blocky = ImageFile(jpeg(wide, 40).astype(np.uint16) * 257)
    assert choice.for_image(blocky).model == choice.JPEG


@pytest.mark.parametrize(
    ("codec", "model"), [("h264", choice.VIDEO), ("av1", choice.VIDEO), ("ffv1", choice.CLEAN)]
)
def test_videos_by_their_codec(codec, model):
    assert choice.for_video(types.SimpleNamespace(codec=codec)).model == model


def test_tiny_images_have_no_grid(photo, tmp_path):
    photo.crop((0, 0, 9, 9)).save(tmp_path / "a.png")
    assert choice.for_image(read_image_file(tmp_path / "a.png")).model == choice.CLEAN


@pytest.mark.parametrize(
    ("name", "settings", "model"),
    [
        ("a.png", {}, choice.LARGER),
        ("a.jpg", {"quality": 95}, choice.LARGER),
        ("a.jpg", {"quality": 90}, choice.LARGER_JPEG),
        ("a.jpg", {"quality": 75}, choice.LARGER_JPEG),
        ("a.webp", {"quality": 80}, choice.LARGER_JPEG),
    ],
)
def test_images_to_be_enlarged(photo, tmp_path, name, settings, model):
    photo.save(tmp_path / name, **settings)
    image = read_image_file(tmp_path / name)
    assert choice.for_image(image, scale=2) == (model, choice.for_image(image).reason)


def test_every_choice_comes_with_the_package():
    larger = {choice.LARGER, choice.LARGER_JPEG}
    luma = {choice.LUMA_CLEAN, choice.LUMA_CODED}
    assert {choice.CLEAN, choice.JPEG, choice.VIDEO} | larger | luma <= set(pretrained.names())
    assert pretrained.resolved("fast") == choice.LUMA_CODED


def test_real_time_has_networks_for_clean_and_for_coded_input():
    clean, coded = choice.Choice(choice.CLEAN, "a"), choice.Choice(choice.JPEG, "b")
    assert choice.in_real_time(clean) == (choice.LUMA_CLEAN, "a")
    assert choice.in_real_time(coded) == (choice.LUMA_CODED, "b")


def test_the_command_says_what_it_chose(photo, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for quality in (40, 60, 97):
        photo.save(folder / f"{quality}.jpg", quality=quality)
    code, out, err = command(str(folder / "40.jpg"), f"--output={tmp_path / 'one.png'}")
    assert code == 0 and f"weights: {choice.JPEG}, for a JPEG of quality 40; --model" in out, err
    code, out, err = command(str(folder), f"--output={tmp_path / 'out'}")
    assert code == 0 and f"weights: {choice.JPEG} for 2, {choice.CLEAN} for 1" in out, out + err
    named = Weights(choice.CLEAN)
    named.for_image(read_image_file(folder / "40.jpg"))
    assert named.chosen() == ""
