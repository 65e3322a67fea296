"""The pages on screens from a phone to a desktop: nothing is wider than the screen."""

import numpy as np
import pytest

from rts_tf.images.image_file import ImageFile
from rts_tf.report.comparison import Comparison
from rts_tf.report.distillation_page import write_distillation_report
from rts_tf.report.run_page import Strip, write_report
from tests.support.browser import browser
from tests.support.distillations import distilled
from tests.support.summaries import selected_by_mos

BEFORE = np.full((300, 900, 3), 90, np.uint8)
AFTER = np.full((300, 900, 3), 160, np.uint8)
LONG_NAME = "a_name_without_any_blank_in_it_" * 8 + ".png"
WIDTHS = (360, 768, 1280)
# What lies outside of the window and in no box of its own that scrolls
CUT_OFF = """[...document.body.querySelectorAll('*')].filter(element => {
    const box = element.getBoundingClientRect();
    return (box.right > innerWidth + 1 || box.left < -1)
      && !element.closest('.scroll > *') && !element.closest('.compare');
  }).map(element => element.tagName + ' ' + element.className).join(', ')"""
SCROLLING = """[...document.querySelectorAll('.scroll')]
  .filter(box => box.scrollWidth > box.clientWidth).length"""


def run(path):
    summary = selected_by_mos()
    summary["config"]["data"] = "/a_long_path" * 20
    crops = tuple(BEFORE[:64, :64] for _ in range(4))
    write_report(path, summary, [Strip("a.png", crops)], BEFORE, AFTER)


def comparison(path):
    page = Comparison(path, f"Enhanced by {LONG_NAME}.")
    page.add(LONG_NAME, ImageFile(BEFORE), ImageFile(AFTER))
    assert page.write()


def distillation(path):
    write_distillation_report(path, distilled(), BEFORE, AFTER)


@pytest.mark.parametrize("write", [run, comparison, distillation])
def test_nothing_is_wider_than_the_screen(write, tmp_path):
    write(tmp_path / "page.html")
    with browser(tmp_path / "profile") as tab:
        tab.open(tmp_path / "page.html")
        tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for width in WIDTHS:
            # A window of Chromium is at least 500 pixels wide; this says how wide the page is.
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            tab.call("Emulation.setDeviceMetricsOverride", **size)
            assert tab.evaluate("innerWidth") == width
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            assert tab.evaluate(CUT_OFF) == ""
        assert tab.evaluate(SCROLLING) == 0  # there is room for all of it on a desktop
