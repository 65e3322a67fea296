"""--preview: crops of the inputs through the networks that fit, on one page, and nothing else."""

import os

import numpy as np
import pytest
from PIL import Image
from skimage import data

import rts_tf
from rts_tf.cli.enhance_flags import FLAGS
from rts_tf.enhance import AUTO, FAST, preview
from rts_tf.enhance.preview import Wish, models_for
from tests.support.browser import browser
from tests.support.commands import state
from tests.support.enhance_command import command, model_file, refused  # noqa: F401  fixture
from tests.support.html_page import Page, decode

NETWORKS = ["residual1", "luma-small"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder with a JPEG and a PNG that is large. Two networks stand for all."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.chelsea()[:90, :120]).save("photo.jpg", quality=60)
    Image.fromarray(np.tile(data.chelsea(), (2, 2, 1))).save("large.png")
    monkeypatch.setattr(preview, "models_for", lambda wish: NETWORKS)
    return tmp_path


def test_nothing_but_a_page_is_written(here):
    before = state(here)
    code, out, _ = command("--preview", "photo.jpg", "large.png", "--model=luma-small")
    assert code == 0 and out.endswith("\n\npreview: preview.html\n")
    table = out.splitlines()
    assert table[0].split() == ["network", "for", "chosen", "s/MP", "all"]
    assert [line.split()[0] for line in table[1:3]] == NETWORKS
    assert "2 of 2" not in table[1] and "2 of 2" in table[2]
    assert "seconds per megapixel of the crops" in " ".join(out.split())
    assert max(map(len, table)) <= 80
    after = state(here)
    text = after.pop(here / "preview.html").decode()
    assert after == before
    page = Page(text)
    assert text.count('<section class="preview">') == 2 and "2 images" in page.text
    assert "The most detailed 512 × 512 of 902 × 600 pixels" in page.text
    assert page.text.count("s per megapixel, about ") == 2 * len(NETWORKS)
    assert page.text.count("chosen") == 2  # that of the user
    assert not [address for address in page.addresses if not address.startswith("data:")]
    # The crop is enhanced as a part of its image is, without a border.
    name, images = "luma-small", page.images
    whole = rts_tf.load(name).enhance(data.chelsea()[:90, :120])
    shown = decode(images[3]["src"]).astype(int)  # a JPEG, after the two of large.png
    assert shown.shape == whole.shape and np.abs(shown - whole).mean() < 8
    assert command("--preview", "photo.jpg")[0] == 0  # which replaces the page


def test_a_page_of_any_name(here):
    (here / "preview.html").write_text("precious")
    assert "is there, and is no preview; name another" in refused("--preview", "photo.jpg")
    assert (here / "preview.html").read_text() == "precious"
    assert command("--preview=page.html", "photo.jpg")[0] == 0
    assert os.path.exists("page.html")
    assert "--preview=page.txt: name a file that ends in .html" in refused(
        "--preview=page.txt", "photo.jpg"
    )
    assert "--preview: does not apply to a pipe" in refused("--preview", "-")
    (here / "bad.png").write_bytes(b"nothing")
    assert "none of the inputs can be read" in refused("--preview=page.html", "bad.png")


def test_the_flag_needs_no_value():
    for words, value in (
        (["--preview", "a.jpg"], "preview.html"),
        (["--preview=x.html", "a.jpg"], "x.html"),
        (["--nopreview", "a.jpg"], ""),
        (["a.jpg"], ""),
    ):
        before = FLAGS.preview if FLAGS.is_parsed() else ""
        try:
            assert FLAGS(["command", *words])[1:] == ["a.jpg"] and FLAGS.preview == value
        finally:
            FLAGS["preview"].value = before


def test_networks_that_fit():
    every = set(models_for(Wish(AUTO, 1, 1.0, False)))
    assert {"residual1", "residual3", "residual3-jpeg", "residual3-video"} < every
    assert {"luma-large", "luma-clean-large"} < every and "residual3-wide" not in every
    larger = set(models_for(Wish(AUTO, 2, 1.0, False)))
    assert {"residual3-wide", "residual3-wide-jpeg"} < larger and "luma-large" not in larger
    assert "luma-large" not in models_for(Wish(AUTO, 1, 1.0, True))
    assert models_for(Wish("my_run", 1, 1.0, False))[0] == "my_run"
    assert set(models_for(Wish(FAST, 1, 1.0, False))) == every


def test_frames_of_a_video(here):
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    from tests.support.videos import make

    make(here / "clip.mp4", count=30, size=(640, 560))
    code, out, _ = command("--preview", "clip.mp4", "--strength=0")
    text = (here / "preview.html").read_text()
    assert code == 0 and text.count("<h2>clip.mp4, 0:00:00.") == 3
    assert [path.name for path in here.iterdir() if "clip" in path.name] == ["clip.mp4"]
    images = Page(text).images
    np.testing.assert_array_equal(decode(images[0]["src"]), decode(images[1]["src"]))


def test_twice_the_size(here):
    NETWORKS.remove("luma-small")
    try:
        assert command("--preview", "photo.jpg", "--scale=2")[0] == 0
    finally:
        NETWORKS.append("luma-small")
    shown = [
        decode(image["src"]).shape for image in Page((here / "preview.html").read_text()).images
    ]
    assert shown == [(180, 240, 3)] * 2


def test_in_a_browser(here, tmp_path):
    """A choice shows its network, and no width cuts anything off."""
    command("--preview", "photo.jpg", "--model=residual1")
    with browser(tmp_path / "profile") as tab:
        tab.open(here / "preview.html")
        source = "document.querySelector('img.after').src"
        label = "document.querySelector('.frame > .right').textContent"
        first = tab.evaluate(source)
        assert tab.evaluate(label) == "residual1"
        tab.evaluate("document.querySelector('.choices input[value=luma-small]').click()")
        assert tab.evaluate(label) == "luma-small" and tab.evaluate(source) != first
        for width in (360, 768, 1280):
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            tab.call("Emulation.setDeviceMetricsOverride", **size)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert not tab.errors
