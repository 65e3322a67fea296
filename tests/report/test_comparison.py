"""The before/after slider, on the page of --compare and on that of a run, in a real browser."""

import re

import numpy as np
import pytest

from rts_tf.images.image_file import ImageFile
from rts_tf.report import comparison
from rts_tf.report.comparison import Comparison
from rts_tf.report.run_page import write_report
from tests.support.browser import browser, seen
from tests.support.html_page import Page, decode
from tests.support.image_files import PROFILE
from tests.support.summaries import NASTY, summary

RED, BLUE = (200, 0, 0), (0, 0, 200)
SIDE = 300
CUT = "getComputedStyle(document.querySelectorAll('.compare')[{}]).getPropertyValue('--cut')"
BOX = (
    "(r => [r.left, r.top, r.width, r.height])"
    "(document.querySelectorAll('.compare')[{}].getBoundingClientRect())"
)
ZOOM = (
    "(select => {{ select.value = '{}'; select.dispatchEvent(new Event('change')); }})"
    "(document.querySelector('.slider select'))"
)
INTO_VIEW = """document.querySelector('.compare')
    .scrollIntoView({block: 'center', behavior: 'instant'})"""
LOADED = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
RENDERING = "getComputedStyle(document.querySelector('.compare img')).imageRendering"


def plain(colour, height: int = SIDE, width: int = SIDE, **more) -> ImageFile:
    return ImageFile(np.full((height, width, 3), colour, np.uint8), **more)


def compared(path) -> None:
    page = Comparison(path, "Enhanced by <i>a network</i>.")
    page.add("a.png", plain(RED), plain(BLUE))
    page.add(NASTY, plain(RED), plain(BLUE))
    assert page.write()


def reported(path) -> None:
    write_report(path, summary(), [], plain(RED).pixels, plain(BLUE).pixels)


def percent(text: str) -> float:
    return float(text.strip().rstrip("%"))


@pytest.mark.parametrize("make", [compared, reported])
def test_in_a_browser(make, tmp_path):
    """Drag, keyboard, zoom to pixels, and what is seen; from file://, without an error."""
    make(tmp_path / "page.html")
    with browser(tmp_path / "profile") as tab:
        tab.open(tmp_path / "page.html")
        count = tab.evaluate("document.querySelectorAll('.slider').length")
        assert count == (2 if make is compared else 1)
        assert tab.evaluate(LOADED)
        assert percent(tab.evaluate(CUT.format(0))) == 50
        tab.evaluate(INTO_VIEW)
        left, top, width, height = tab.evaluate(BOX.format(0))
        middle = top + height / 2

        tab.drag((left + width / 2, middle), (left + width / 4, middle))
        assert percent(tab.evaluate(CUT.format(0))) == pytest.approx(25, abs=1)
        window = seen(tab)
        row = window[int(top + 0.8 * height)]  # below the labels and the grip
        assert tuple(row[int(left + 0.2 * width)]) == RED
        assert tuple(row[int(left + 0.3 * width)]) == BLUE
        tab.drag((left + 5, middle), (left + 2 * width, middle))  # beyond the edge
        assert percent(tab.evaluate(CUT.format(0))) == 100

        for _ in range(3):
            tab.press("ArrowLeft", 37)  # the drag gave it the focus
        assert percent(tab.evaluate(CUT.format(0))) == 97
        if count == 2:
            assert percent(tab.evaluate(CUT.format(1))) == 50  # each slider has its own

        tab.evaluate(ZOOM.format(4))
        assert tab.evaluate(BOX.format(0))[2] == 4 * SIDE
        assert tab.evaluate(RENDERING) == "pixelated"
        assert tab.evaluate("document.querySelector('.window').scrollLeft") > 0  # at the middle
        tab.evaluate(ZOOM.format("fit"))
        assert tab.evaluate(BOX.format(0))[2] == width
        tab.evaluate(ZOOM.format(1))
        assert tab.evaluate(BOX.format(0))[2] == SIDE
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert not tab.errors


def test_the_page_is_self_contained_and_escaped(tmp_path):
    compared(tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Page(html)
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert len(page.images) == 4
    assert "link" not in page.tags and "@import" not in html and not re.search(r"url\((?!#)", html)
    assert not {"i", "b", "u"} & set(page.tags)
    assert page.text.count(NASTY) == 1 and "<i>a network</i>" in page.text


def test_the_middle_of_a_large_image_is_shown_with_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "SHOWN", (20, 30))
    random = np.random.default_rng(1).integers(0, 256, (61, 80, 3)).astype(np.uint8)
    page = Comparison(tmp_path / "page.html", "")
    page.add("large", ImageFile(random, icc=PROFILE), ImageFile(255 - random))
    page.add("twice", ImageFile(random), ImageFile(random.repeat(2, axis=0).repeat(2, axis=1)))
    page.write()
    found = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    before, after, enlarged, twice = (decode(image["src"]) for image in found.images)
    np.testing.assert_array_equal(before, random[20:40, 25:55])
    np.testing.assert_array_equal(after, 255 - before)
    np.testing.assert_array_equal(twice[::2, ::2], before)
    assert enlarged.shape == (40, 60, 3)
    assert np.abs(enlarged[::2, ::2].astype(int) - before).mean() < 30
    assert "The middle 30 × 20 of 80 × 61 pixels." in found.text
    assert "enlarged by bicubic interpolation" in found.text


def test_of_many_images_some_are_shown_with_a_note(tmp_path):
    most = comparison.MOST_IMAGES
    page = Comparison(tmp_path / "page.html", "Enhanced.")
    for i in range(most + 3):
        page.add(f"{i:02d}", plain(RED, 4, 4), plain(BLUE, 4, 4))
    page.write()
    found = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(found.images) == 2 * most
    assert f"This page shows {most} of {most + 3} images." in found.text


def test_without_images_there_is_no_page(tmp_path):
    assert not Comparison(tmp_path / "page.html", "").write() and not list(tmp_path.iterdir())
