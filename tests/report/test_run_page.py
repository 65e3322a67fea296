"""The page of a run: complete, exact, self-contained, and never half written."""

import math
import re

import numpy as np
import pytest

from rts_tf.report import columns, figures, slider
from rts_tf.report.run_page import Strip, write_report
from tests.support.html_page import Page, decode
from tests.support.summaries import NASTY, selected_by_mos, summary


def noise(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def strips():
    return [
        Strip(name, tuple(noise(10 * row + stage) for stage in range(5)))
        for row, name in enumerate(["a", NASTY])
    ]


@pytest.fixture
def html(tmp_path, strips):
    write_report(tmp_path / "report.html", summary(), strips, noise(98, 40, 60), noise(99, 40, 60))
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_makes_no_requests(html):
    page = Page(html)
    assert page.addresses
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert "@import" not in html and "link" not in page.tags


def test_memory_that_the_system_does_not_report(tmp_path, html):
    assert "at most 2.1 GB of" in html
    unknown = summary() | {"peak_memory_mb": math.nan}
    write_report(tmp_path / "report.html", unknown, [], noise(1), noise(2))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "at most an unknown amount of" in page and "nan GB" not in page


def test_tables_have_a_row_per_stage(html):
    page = Page(html)
    table_1, _, training = page.tables
    assert [row[0] for row in table_1] == ["stage", "HR1", "HR2", "HR3 selected", "HR4"]
    assert table_1[2] == [
        "HR2",
        "1.70",
        "1.35",
        "0.85",
        "0.80",
        "0.50 ± 0.10",
        "+0.00",
        "-0.05",
        "1.80",
    ]
    assert training[4][:5] == ["4", "300", "0.00120", "1 min 00 s", "9.3 s"]
    assert sum(page.selected) == 2  # stage 3, once in each table


def test_images_are_exact(html, strips):
    before, after, *crops = (decode(image["src"]) for image in Page(html).images)
    np.testing.assert_array_equal(before, noise(98, 40, 60))
    np.testing.assert_array_equal(after, noise(99, 40, 60))
    np.testing.assert_array_equal(crops, [crop for strip in strips for crop in strip.crops])


def test_crops_are_enlarged_by_a_whole_factor(html):
    crops = Page(html).images[2:]
    assert {(image["width"], image["height"]) for image in crops} == {("192", "192")}
    assert re.search(r"\.strips img \{[^}]*image-rendering: pixelated", html)


def test_text_is_escaped(html):
    page = Page(html)
    assert not {"b", "i", "u"} & set(page.tags)
    assert page.text.count(NASTY) == 2  # as the name of a strip and as a setting
    assert page.images[-1]["alt"] == f"{NASTY}, HR4"
    assert "delta <i>fell</i>" in page.text and "<u>done</u>" in page.text


def test_curve_is_inline_and_takes_the_colour_of_the_page(html):
    svg = html[html.index("<svg") : html.index("</svg>")]
    assert "currentColor" in svg and figures.INK not in svg
    for text in (
        "mean change, % of full scale",
        "unsharp mask, repeated",
        "HRn from HR0 (ratio)",
        "the paper's ratio",
    ):
        assert text in svg


def test_every_column_is_explained(html):
    text = Page(html).text
    assert all(column.meaning in text for column in columns.TABLE_1 + columns.TRAINING)


def test_mos_has_its_tables_and_its_curve(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, selected_by_mos(), [], noise(1), noise(2))
    html = path.read_text(encoding="utf-8")
    page = Page(html)
    _, table_2, artifacts, _ = page.tables
    assert [row[0] for row in table_2[1:]] == [
        "LR, JPEG",
        "LR, half size",
        "HR0",
        "HR1",
        "HR2",
        "HR3 selected",
        "HR4",
    ]
    assert table_2[1][1:3] == ["2.900", "-0.100"] and table_2[6][1:3] == ["3.300", "0.300"]
    assert artifacts[3][1:3] == ["–", "2.00"] and artifacts[6][1:3] == ["0.90", "2.90 (3.70)"]
    assert artifacts[7][1:3] == ["–", "2.90 (–)"]  # no unsharp mask reaches it
    assert html.count("<svg") == 2 and "MOS above HR0" in html and figures.INK not in html
    assert all(column.meaning in page.text for column in columns.TABLE_2 + columns.ARTIFACTS)


def test_without_mos_the_page_says_why(html):
    assert "Not measured: delta, since the images are <small>" in Page(html).text


def test_one_stage_without_crops(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, summary(stages=1, selected=1), [], noise(1), noise(2))
    table_1, training = Page(path.read_text(encoding="utf-8")).tables
    assert len(table_1) == len(training) == 2


def test_same_run_same_page(tmp_path, html, strips):
    path = tmp_path / "again.html"
    write_report(path, summary(), strips, noise(98, 40, 60), noise(99, 40, 60))
    assert path.read_text(encoding="utf-8") == html


def test_large_images_become_jpeg(tmp_path, monkeypatch):
    monkeypatch.setattr(slider, "LARGEST_EXACT", 64 * 64 - 1)
    grey = np.full((64, 64, 3), 128, np.uint8)
    write_report(tmp_path / "report.html", summary(), [], grey, grey)
    image = Page((tmp_path / "report.html").read_text(encoding="utf-8")).images[0]["src"]
    assert image.startswith("data:image/jpeg")
    np.testing.assert_array_equal(decode(image), grey)


@pytest.mark.parametrize("step", ["os.replace", "pathlib.Path.write_text"])
def test_a_failure_leaves_the_old_page(tmp_path, monkeypatch, step):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")

    def fail(*_, **__):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(step, fail)
        with pytest.raises(OSError, match="disk full"):
            write_report(path, summary(), [], noise(1), noise(2))
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("strips", "before", "after"),
    [
        ([], noise(1), noise(2, 32, 32)),
        ([], noise(1) / 255, noise(2) / 255),
        ([Strip("a", (noise(1), noise(2, 32, 32)))], noise(1), noise(2)),
    ],
)
def test_wrong_arrays_are_refused_and_nothing_is_written(tmp_path, strips, before, after):
    with pytest.raises(ValueError, match="size|uint8"):
        write_report(tmp_path / "report.html", summary(), strips, before, after)
    assert not list(tmp_path.iterdir())
