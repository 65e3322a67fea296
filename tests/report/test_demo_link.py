"""The link from a report to an exported page."""

from importlib import resources

import pytest

from rts_tf.report.demo_link import link_demo_page

TEMPLATES = resources.files("rts_tf.report") / "web"


@pytest.fixture(params=["report", "distillation"])
def report(tmp_path, request):
    path = tmp_path / "run" / "report.html"
    path.parent.mkdir()
    path.write_text((TEMPLATES / f"{request.param}.html.template").read_text(), encoding="utf-8")
    return path


def test_a_report_has_the_link_once_and_to_the_last_page(report, tmp_path):
    before = report.read_text()
    assert link_demo_page(report, tmp_path / "run" / "export" / "page" / "a.html")
    once = report.read_text()
    assert once.count("<a href=") == before.count("<a href=") + 1
    assert '<a href="export/page/a.html">' in once and "<h1>" in once
    assert link_demo_page(report, tmp_path / "else where" / 'b"<.html')
    twice = report.read_text()
    assert "export/page/a.html" not in twice
    assert '<a href="../else%20where/b%22%3C.html">' in twice
    assert len(twice) < len(once) + 40


def test_there_is_no_report(tmp_path):
    assert not link_demo_page(tmp_path / "report.html", tmp_path / "a.html")
    (tmp_path / "report.html").write_text("<h1>another page</h1>")
    assert not link_demo_page(tmp_path / "report.html", tmp_path / "a.html")
    assert (tmp_path / "report.html").read_text() == "<h1>another page</h1>"
