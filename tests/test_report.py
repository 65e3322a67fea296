"""The page of a run: complete, exact, self-contained, and never half written."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from rts_tf import report
from rts_tf.report import Strip, duration, table1, write_report

NASTY = """<b>"it's"</b> & $network ${after}.png"""


def picture(seed: int, height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def summary(stages: int = 4, selected: int = 3) -> dict:
    """A run as in summary.json."""
    return {
        "preset": "quick", "network": "residual3", "parameters": 114643, "training_pictures": 9,
        "validation_pictures": 2, "selected_stage": selected,
        "selected_because": "delta <i>fell</i>", "stopped_because": "<u>done</u>",
        "seconds": 231.0, "peak_memory_mb": 2100, "config": {"data": NASTY, "validation": "", "batch": 8},
        "stages": [
            {
                "stage": stage, "steps": 300, "final_loss": 0.0012, "phase_a_seconds": 60.1, "phase_b_seconds": 9.3,
                "difference_ratio_percent": 0.85 * stage, "delta_percent": 0.85, "step_difference_percent": 0.8,
                "alpha_mean": 0.5, "alpha_std": 0.1, "brightness_drift_levels": -0.001, "network_drift_levels": -0.05,
                "unsharp_ratio_percent": 0.9 * stage, "weights_sha256": "0123456789abcdef" * 4,
            }
            for stage in range(1, stages + 1)
        ],
    }  # fmt: skip


class Page(HTMLParser):
    """What a browser would see: attributes, table rows with their cells, and the text."""

    def __init__(self, html: str):
        super().__init__()
        self.addresses, self.pictures, self.tags, self.tables, self.selected, self.text = [], [], [], [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.addresses += [attributes[key] for key in ("src", "href", "xlink:href", "action") if key in attributes]
        if tag == "img":
            self.pictures.append(attributes)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
            self.selected.append(attributes.get("class") == "selected")
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data.strip("\n")


def decode(uri: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2]))))


@pytest.fixture
def strips():
    return [
        Strip(name, tuple(picture(10 * row + stage) for stage in range(5))) for row, name in enumerate(["a", NASTY])
    ]


@pytest.fixture
def html(tmp_path, strips):
    write_report(tmp_path / "report.html", summary(), strips, picture(98, 40, 60), picture(99, 40, 60))
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_asks_nothing_of_the_network(html):
    page = Page(html)
    assert page.addresses
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert "@import" not in html and "link" not in page.tags


def test_tables_have_a_row_per_stage(html):
    page = Page(html)
    table_1, _, training = page.tables
    assert [row[0] for row in table_1] == ["stage", "HR1", "HR2", "HR3 selected", "HR4"]
    assert table_1[2] == ["HR2", "1.70", "1.35", "0.85", "0.80", "0.50 ± 0.10", "+0.00", "-0.05", "1.80"]
    assert training[4][:5] == ["4", "300", "0.00120", "1 min 00 s", "9.3 s"]
    assert sum(page.selected) == 2  # stage 3, once in each table


def test_pictures_are_exact(html, strips):
    before, after, *crops = (decode(image["src"]) for image in Page(html).pictures)
    np.testing.assert_array_equal(before, picture(98, 40, 60))
    np.testing.assert_array_equal(after, picture(99, 40, 60))
    np.testing.assert_array_equal(crops, [crop for strip in strips for crop in strip.crops])


def test_crops_are_enlarged_by_a_whole_factor(html):
    assert {(image["width"], image["height"]) for image in Page(html).pictures[2:]} == {("192", "192")}
    assert re.search(r"\.strips img \{[^}]*image-rendering: pixelated", html)


def test_text_is_escaped(html):
    page = Page(html)
    assert not {"b", "i", "u"} & set(page.tags)
    assert page.text.count(NASTY) == 2  # as the name of a strip and as a setting
    assert page.pictures[-1]["alt"] == f"{NASTY}, HR4"
    assert "delta <i>fell</i>" in page.text and "<u>done</u>" in page.text


def test_curve_is_inline_and_takes_the_colour_of_the_page(html):
    svg = html[html.index("<svg") : html.index("</svg>")]
    assert "currentColor" in svg and report.INK not in svg
    for text in ("mean change, % of full scale", "unsharp mask, repeated", "HRn from HR0 (ratio)", "the paper's ratio"):
        assert text in svg


def test_every_column_is_explained(html):
    text = Page(html).text
    assert all(column.meaning in text for column in report.TABLE_1 + report.TRAINING)


def test_one_stage_without_crops(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, summary(stages=1, selected=1), [], picture(1), picture(2))
    table_1, training = Page(path.read_text(encoding="utf-8")).tables
    assert len(table_1) == len(training) == 2


def test_same_run_same_page(tmp_path, html, strips):
    path = tmp_path / "again.html"
    write_report(path, summary(), strips, picture(98, 40, 60), picture(99, 40, 60))
    assert path.read_text(encoding="utf-8") == html


def test_large_pictures_become_jpeg(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "LARGEST_EXACT", 64 * 64 - 1)
    grey = np.full((64, 64, 3), 128, np.uint8)
    write_report(tmp_path / "report.html", summary(), [], grey, grey)
    image = Page((tmp_path / "report.html").read_text(encoding="utf-8")).pictures[0]["src"]
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
            write_report(path, summary(), [], picture(1), picture(2))
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("strips", "before", "after"),
    [
        ([], picture(1), picture(2, 32, 32)),
        ([], picture(1) / 255, picture(2) / 255),
        ([Strip("a", (picture(1), picture(2, 32, 32)))], picture(1), picture(2)),
    ],
)
def test_wrong_arrays_are_refused_and_nothing_is_written(tmp_path, strips, before, after):
    with pytest.raises(ValueError, match="size|uint8"):
        write_report(tmp_path / "report.html", summary(), strips, before, after)
    assert not list(tmp_path.iterdir())


def test_table1_marks_the_selected_stage():
    heading, *rows = table1(summary()).splitlines()
    assert [row.endswith("selected") for row in rows] == [False, False, True, False]
    assert rows[0].split() == ["HR1", "0.85", "0.95", "0.85", "0.80", "0.50", "±", "0.10", "+0.00", "-0.05", "0.90"]
    assert len(heading) == len(rows[0]) == len(rows[1])


def test_table1_beyond_the_stages_of_the_paper():
    rows = table1(summary(stages=9)).splitlines()[1:]
    assert [row.split()[2] for row in rows] == ["0.95", "1.35", "1.47", "1.48", "1.51", "1.55", "1.62", "1.76", "–"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9.26, "9.3 s"), (59.97, "1 min 00 s"), (231.0, "3 min 51 s"), (3599.7, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
