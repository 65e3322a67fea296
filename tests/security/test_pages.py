"""Whatever a file is called, its name is text on a page; and pages run their own scripts only."""

import base64
import hashlib
import re

import numpy as np
import pytest

from rts_tf.errors import printable
from rts_tf.images.image_file import ImageFile
from rts_tf.report.comparison import Comparison
from rts_tf.report.distillation_page import write_distillation_report
from rts_tf.report.preview_page import Candidate, Section, write_preview
from rts_tf.report.run_page import Strip, write_report
from tests.support.browser import browser
from tests.support.html_page import Page
from tests.support.summaries import summary

NAMES = [
    "<img src=x onerror=alert(1)>.png",
    "\"'><script>alert(1)</script>.png",
    "</script></style></title><svg onload=alert(1)>.png",
    "&lt;b&gt;{{x}}${x}$slider.png",
    "\u202egnp.exe",
    "\u2066a\u2069\x1b[31m\n.png",
]
GREY = np.full((70, 70, 3), 128, np.uint8)


def compared(path, name) -> None:
    page = Comparison(path, name)
    page.add(name, ImageFile(GREY), ImageFile(GREY))
    page.write()


def previewed(path, name) -> None:
    candidate = Candidate(name, name, name, 1.0, GREY, True)
    write_preview(path, [Section(name, GREY, (70, 70), [candidate])], name)


def reported(path, name) -> None:
    contents = summary()
    for key in ("network", "preset", "selected_because", "stopped_because"):
        contents[key] = name
    contents["config"] = {name: name}
    write_report(path, contents, [Strip(name, (GREY, GREY))], GREY, GREY)


def distilled(path, name) -> None:
    contents = {"network": name, "teacher": name, "parameters": 1, "macs_per_pixel": 1}
    contents |= {
        "training_seconds": 1.0,
        "inputs": 1,
        "images": 1,
        "rows": [],
        "config": {name: name},
    }
    write_distillation_report(path, contents, GREY, GREY)


PAGES = {"compare": compared, "preview": previewed, "report": reported, "distill": distilled}


@pytest.mark.parametrize("kind", PAGES)
def test_names_are_text(kind, tmp_path):
    plain = tmp_path / "plain.html"
    PAGES[kind](plain, "a.png")
    tags = Page(plain.read_text(encoding="utf-8")).tags
    for number, name in enumerate(NAMES):
        path = tmp_path / f"{number}.html"
        PAGES[kind](path, name)
        html = path.read_text(encoding="utf-8")
        page = Page(html)
        assert page.tags == tags, name  # no element more than with a plain name
        assert printable(name) in page.text or name in page.text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", html)
        assert all(address.startswith(("data:", "#")) for address in page.addresses)


@pytest.mark.parametrize("kind", PAGES)
def test_the_policy_allows_the_script_of_the_page_alone(kind, tmp_path):
    PAGES[kind](tmp_path / "a.html", "a.png")
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy"\s+content="([^"]*)"', html)
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert len(scripts) == 1 and f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "base-uri 'none'" in policy
    assert "connect-src" not in policy and "form-action 'none'" in policy


def test_in_a_browser(tmp_path):
    """The slider works under the policy, and what is put into the page does not run."""
    previewed(tmp_path / "a.html", NAMES[0])
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    harm = "<img src='data:,' onerror='document.title=1'><script>document.title=1</script>"
    (tmp_path / "a.html").write_text(html.replace("<header>", harm + "<header>"), encoding="utf-8")
    with browser(tmp_path / "profile") as tab:
        tab.open(tmp_path / "a.html")
        assert tab.evaluate("document.title") == "RTS: preview"
        cut = "getComputedStyle(document.querySelector('.compare')).getPropertyValue('--cut')"
        assert tab.evaluate(cut).strip() == "50%"
        assert tab.evaluate("document.querySelector('.frame > .right').textContent") == NAMES[0]
