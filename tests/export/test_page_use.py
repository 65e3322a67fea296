"""The page in use: images, settings, keyboard, screen readers, screens, missing graphics."""

import base64
import json

import numpy as np
import pytest

from rts_tf.errors import RtsError
from rts_tf.export.runners.browser import enhanced
from rts_tf.images.icc import SRGB_CURVE, SRGB_PRIMARIES, profile
from tests.support.browser import seen
from tests.support.image_files import EIGHT
from tests.support.pages import differs, expected, opened, page_of_both, png, result

NASTY = "<img src=x onerror=alert(1)>&amp;\"'.a.png"
WIDTHS = (360, 768, 1280)
CONTROLS = ("button", "link", "slider", "combobox", "Button", "ComboBoxMenu")
FOCUS = "document.activeElement.id || document.activeElement.tagName"
# What lies outside of the window
CUT_OFF = """[...document.body.querySelectorAll('*')].filter(element => {
    const box = element.getBoundingClientRect();
    return (box.right > innerWidth + 1 || box.left < -1) && !element.closest('.compare');
  }).map(element => element.tagName + ' ' + element.className).join(', ')"""
ALL_DONE = """new Promise(resolve => setInterval(() => {
    if (images.length && images.every(isDone)) resolve(images.map(image => image.name));
  }, 5))"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("page"), page_of_both()) as opened_tab:
        yield opened_tab


def given(tab, event: str, *names: str) -> None:
    """Let an event bring one image under each name: a drop, a paste, or a choice."""
    contents = base64.b64encode(png(EIGHT)).decode("ascii")
    tab.evaluate(f"""(() => {{
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob("{contents}"), letter => letter.charCodeAt(0));
      for (const name of {json.dumps(names)}) {{
        transfer.items.add(new File([bytes], name, {{ type: "image/png" }}));
      }}
      if ("{event}" === "change") {{
        element("files").files = transfer.files;
        element("files").dispatchEvent(new Event("change"));
      }} else {{
        const kind = "{event}" === "paste" ? ClipboardEvent : DragEvent;
        document.body.dispatchEvent(new kind("{event}", {{
          clipboardData: transfer, dataTransfer: transfer, bubbles: true, cancelable: true,
        }}));
      }}
    }})()""")


@pytest.mark.parametrize("event", ["change", "drop", "paste"])
def test_images_are_chosen_dropped_or_pasted(tab, event):
    tab.evaluate("clear()")
    given(tab, event, "a.png", "b.png")
    assert tab.evaluate(ALL_DONE) == ["a.png", "b.png"]
    assert tab.evaluate("[shown.name, element('several').hidden]") == ["a.png", False]
    tab.evaluate("element('list').querySelectorAll('button')[1].click()")
    assert tab.evaluate("element('name').textContent") == "b.png"


def test_a_file_of_another_kind_is_refused(tab):
    notice = "element('notice').textContent"
    before = tab.evaluate(notice)
    tab.evaluate("add([new File(['words'], 'a.txt', { type: 'text/plain' })])")
    assert tab.evaluate(notice) == "None of these files is an image."
    enhanced(tab, png(EIGHT))
    assert tab.evaluate(notice) == before


def test_names_are_text(tab):
    before = tab.evaluate("document.images.length")
    enhanced(tab, png(EIGHT), NASTY, format="image/webp", strength=100)
    assert tab.evaluate("element('name').textContent") == NASTY
    assert tab.evaluate("element('list').textContent").startswith(NASTY)
    assert tab.evaluate("document.images.length") == before
    assert tab.evaluate("element('download').download") == NASTY[:-4] + "_enhanced.webp"


def test_another_setting_begins_again(tab):
    tab.evaluate("clear()")
    result(tab, EIGHT, strength=100, network=0)
    tab.evaluate("""element("strength").value = 30;
      element("strength").dispatchEvent(new Event("input"))""")
    assert tab.evaluate("element('percent').textContent") == "30 %"
    tab.evaluate("new Promise(resolve => setTimeout(resolve, 2 * WAIT))")
    tab.evaluate(ALL_DONE)
    assert tab.evaluate("JSON.parse(shown.key).strength") == 0.3
    kept = result(tab, EIGHT, strength=30)
    assert differs(kept, expected(0, EIGHT, 0.3))[0] <= 1


def test_the_result_looks_as_the_image_did(tab):
    """Of a file with a strange profile, both sides of the slider have the same colours."""
    green_is_blue = (*SRGB_PRIMARIES[:4], *SRGB_PRIMARIES[6:], *SRGB_PRIMARIES[4:6])
    strange = profile(green_is_blue, SRGB_CURVE, 3, "strange")
    flat = np.full((200, 200, 3), (40, 160, 90), np.uint8)
    shown = []
    for settings in ({}, {"icc_profile": strange}):
        enhanced(tab, png(flat, **settings), format="image/png", strength=0)
        box = tab.evaluate("""(() => {
          const compare = document.querySelector(".compare");
          compare.scrollIntoView({ block: "center", behavior: "instant" });
          const { left, top, width, height } = compare.getBoundingClientRect();
          return Promise.all([...document.querySelectorAll(".compare img")].map(i => i.decode()))
            .then(() => [left + width / 4, left + 3 * width / 4, top + 0.7 * height]);
        })()""")
        left, right, row = map(int, box)
        window = seen(tab).astype(int)
        assert np.abs(window[row, left] - window[row, right]).max() <= 1
        shown.append(window[row, left])
    assert np.abs(shown[0] - shown[1]).max() > 30  # the browser follows the profile


def test_every_control_has_a_name(tab):
    tab.evaluate("clear()")
    given(tab, "change", "a.png", "b.png")
    tab.evaluate(ALL_DONE)
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node["name"]["value"])
        for node in nodes
        if node.get("role", {}).get("value") in CONTROLS and not node.get("ignored")
    ]
    assert len(named) >= 9 and all(name.strip() for _, name in named), named
    live = tab.evaluate("[element('status').role, element('notice').role]")
    assert live == ["status", "alert"]
    assert tab.evaluate("element('status').textContent").startswith("Enhanced: 55")


def test_the_keyboard_reaches_everything(tab):
    tab.evaluate("clear()")
    given(tab, "change", "a.png", "b.png")
    tab.evaluate(ALL_DONE)
    tab.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reached = []
    for _ in range(16):
        tab.press("Tab", 9)
        reached.append(tab.evaluate(FOCUS))
    assert reached[:5] == ["files", "network", "strength", "format", "download"]
    assert {"SELECT", "INPUT", "BUTTON", "all", "clear", "SUMMARY"} <= {*reached}  # the slider too


def test_nothing_is_wider_than_the_screen(tab):
    enhanced(tab, png(EIGHT), "a_name_without_any_blank_in_it_" * 8, format="image/png")
    for width in WIDTHS:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        tab.call("Emulation.setDeviceMetricsOverride", **size)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate(CUT_OFF) == ""
    tab.call("Emulation.clearDeviceMetricsOverride")


def test_it_says_that_there_is_no_graphics_card(tab):
    result(tab, EIGHT, network=0)
    assert "without a graphics card" in tab.evaluate("element('notice').textContent")


def test_it_says_that_it_cannot_work(tmp_path):
    changes = {"const gl = fast || made({});": "const gl = null;"}
    with opened(tmp_path, page_of_both(), changes) as tab:
        with pytest.raises(RtsError, match="no WebGL2"):
            enhanced(tab, png(EIGHT))
        assert tab.evaluate("element('files').disabled && !element('notice').hidden")
