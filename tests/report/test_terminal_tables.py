"""Every table that a command prints fits 80 columns, on one line of headings, with a legend."""

import math

import numpy as np
import pytest
from rich.cells import cell_len

from rts_tf import evaluate, viqet
from rts_tf.enhance.preview_table import preview_table
from rts_tf.export.files_table import files_table
from rts_tf.metrics.viqet import Quality
from rts_tf.report import columns
from rts_tf.report.distillation_page import distillation_table
from rts_tf.report.metric_table import metric_table
from rts_tf.report.preview_page import Candidate, Section
from rts_tf.report.tables import table1, table2
from rts_tf.report.text_table import WIDTH, shortened, text_table
from tests.support.distillations import COST, distilled
from tests.support.summaries import selected_by_mos, summary

NAMES = (
    "holiday in the mountains, first week/IMG_20240131_235959_HDR_edited_final_0001.jpeg",
    "holiday in the mountains, first week/IMG_20240131_235959_HDR_edited_final_0002.jpeg",
    "写真とても長い名前の画像ファイル写真とても長い名前の画像ファイル.png",
    "a.png",
)
MEASURES = dict.fromkeys(Quality._fields, 999.9) | {"mos": 4.5, "mos_raw": -10.123}
ENHANCED = {
    "difference_ratio_percent": 100.0,
    "brightness_drift_levels": -127.55,
    "mos_raw_before": -10.123,
    "mos_raw_after": -10.123,
    "mos_gain": -10.123,
}
UPSCALED = {"psnr_y": 100.12, "ssim_y": -0.1234, "psnr_rgb": math.inf, "ssim_rgb": -0.1234}


def largest_run() -> dict:
    """The summary of a run of eight stages with the largest figures that may be."""
    run = summary(stages=8, selected=8)
    measured = selected_by_mos()["originals"]
    run["originals"] = {name: MEASURES | COST | {"mos_raw": 3.0} for name in measured}
    for stage in run["stages"]:
        stage |= MEASURES | COST | {"mos_gain": -10.123}
        stage |= dict.fromkeys(
            ("difference_ratio_percent", "delta_percent", "step_difference_percent"), -100.0
        )
        stage |= {"unsharp_ratio_percent": 100.0, "alpha_mean": 10.0, "alpha_std": 10.0}
        stage |= {"brightness_drift_levels": -127.5, "network_drift_levels": -127.5}
    return run


def exported(**more) -> list[dict]:
    entry = {
        "bytes": 99_999_000,
        "signature": "upscale",
        "macs": 999_900_000_000,
        "max_lsb": 255.0,
        "psnr_db": 200.0,
        "milliseconds": 99_999.9,
        "peak_memory_mb": math.nan,
        "threads": 128,
    }
    kinds = {"int8_float_residual": "tflite/upscale_int8_float_residual.tflite"}
    kinds["saved_model"] = "saved_model/rts/1234"
    return [{**entry, "kind": kind, "file": file, **more} for kind, file in kinds.items()]


def of_images(shown, metrics, wide):
    return metric_table(list(NAMES), [metrics] * len(NAMES), shown, wide)


def previewed():
    """Sections of a preview: a network of a long name, and one of the package."""
    crop = np.zeros((2, 2, 3), np.uint8)
    candidates = [
        Candidate(name, "in real time, compressed input", "", 1234.5, crop, True)
        for name in (NAMES[0], "luma-clean-xlarge")
    ]
    return [Section("a.png", crop, (2, 2), candidates)] * 4


TABLES = {
    "enhance --preview": lambda wide: preview_table(previewed(), 1e6),
    "table 1": lambda wide: table1(largest_run(), wide),
    "table 2": lambda wide: table2(largest_run(), wide),
    "evaluate": lambda wide: of_images(evaluate.ENHANCED, ENHANCED | COST, wide),
    "evaluate --nomos": lambda wide: of_images(
        evaluate.ENHANCED,
        {key: 99.0 for key in ENHANCED | COST if "mos" not in key and "unsharp" not in key},
        wide,
    ),
    "evaluate --reference": lambda wide: of_images(evaluate.UPSCALED, UPSCALED, wide),
    "viqet": lambda wide: of_images(viqet.QUALITY, MEASURES, wide),
    "viqet --against": lambda wide: of_images(viqet.COST, COST | {"mos_gain": 10.123}, wide),
    "distill": lambda wide: distillation_table(distilled(), wide),
    "export": lambda wide: files_table(
        exported(energy_kept=-1.0, mos=-10.12, network_mos=-10.12), wide
    ),
    "export of luma": lambda wide: files_table(exported(phase_means=[[0.1]]), wide),
}


@pytest.mark.parametrize("name", TABLES)
def test_it_fits_80_columns_with_a_legend(name):
    for table in TABLES[name](False).split("\n\n"):
        lines = table.splitlines()
        assert max(map(cell_len, lines)) <= WIDTH, table
        # The headings stand on one line: the next one is the first row, which has figures.
        assert any(character.isdigit() for character in lines[1]), table
        legend = " ".join(lines).replace("\n", " ")
        shown = [part for part in lines[0].split("  ") if part.strip()]
        for heading in shown[1:]:
            assert f"{heading.strip()}: " in legend, heading


@pytest.mark.parametrize("name", TABLES)
def test_wide_shows_what_else_there_is(name):
    narrow, wide = TABLES[name](False), TABLES[name](True)
    assert "`wide` adds" not in wide
    for few, all_columns in zip(narrow.split("\n\n"), wide.split("\n\n"), strict=True):
        _, found, hidden = " ".join(few.split()).partition("`wide` adds ")
        for heading in hidden.rstrip(".").split(", ") if found else []:
            assert heading in all_columns.splitlines()[0]
            assert heading not in few.splitlines()[0]


def test_a_long_name_is_shortened_in_its_middle_unless_the_table_is_wide():
    lines = TABLES["viqet"](False).splitlines()
    assert lines[1].startswith("holiday in") and "..." in lines[1] and "0001.jpeg  " in lines[1]
    assert lines[2] != lines[1]
    wide = TABLES["viqet"](True).splitlines()
    assert wide[1].startswith(NAMES[0])


def test_shortened_counts_columns_and_not_characters():
    assert shortened("a.png", 12) == "a.png"
    assert shortened("abcdefghijklmnop.png", 12) == "abcd...p.png"
    assert cell_len(shortened(NAMES[2], 21)) <= 21


def test_columns_without_values_are_left_out():
    known = columns.Column("known", lambda row: str(row["a"]), short="a figure", key="a")
    missing = columns.Column("missing", lambda row: str(row["b"]), short="another", key="b")
    name = columns.Column("name", lambda row: row["name"])
    table = text_table((name, known, missing), [{"name": "x", "a": 1}])
    assert table.splitlines() == ["name  known", "x         1", "known: a figure."]
