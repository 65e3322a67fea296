"""With --json every command prints lines of JSON on standard output, and nothing else there."""

import io
import json
import math

import numpy as np
import pytest

from rts_tf import distill, evaluate, viqet
from rts_tf.cli.json_output import Report
from rts_tf.enhance import __main__ as enhance
from rts_tf.export import __main__ as export
from rts_tf.export import card, pipeline
from tests.support.commands import TINY, command, command_of, photo
from tests.support.distillations import distilled
from tests.support.enhance_command import model_file

__all__ = ["model_file"]


@pytest.fixture
def images(tmp_path):
    """A folder with two images, and a file that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    photo(0, 80, 90).save(folder / "a.png")
    photo(1, 80, 90).save(folder / "b.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


def lines_of(out: str) -> tuple[list[dict], dict]:
    """The items and the summary. Nothing in them is nan or infinite."""

    def refuse(name):
        raise ValueError(name)

    found = [json.loads(line, parse_constant=refuse) for line in out.splitlines()]
    *items, last = found
    assert set(last) == {"summary"}
    assert all("item" in item for item in items)
    summary = last["summary"]
    assert summary["errors"] == sum("error" in item for item in items)
    assert summary["items"] == len(items) - summary["errors"]
    assert summary["seconds"] >= 0
    return items, summary


def test_train(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        photo(i).save(folder / f"{i}.png")
    arguments = (*TINY, f"--data={folder}", f"--workdir={tmp_path / 'run'}", "--json")
    for _ in range(2):  # the second time the run is finished
        code, out, err = command(*arguments)
        assert code == 0, err
        items, summary = lines_of(out)
        assert [item["item"] for item in items] == ["stage 1"]
        assert items[0]["selected"] is True and items[0]["difference_ratio_percent"] >= 0
        assert summary["command"] == "train" and summary["network"].endswith("final.keras")
        assert "ratio %" in err and "--wide adds" in err


def test_distill(tmp_path, monkeypatch):
    monkeypatch.setattr(distill, "train_in", lambda workdir, train: (distilled(), False))
    code, out, err = command_of(distill, f"--workdir={tmp_path / 'small'}", "--json")
    items, summary = lines_of(out)
    assert code == 0 and "above linear" in err
    assert [item["item"] for item in items][-1] == "integers" and items[0]["energy"] == -0.1234
    assert summary["integers"].endswith("final.tflite")


def test_evaluate(images, model_file):
    arguments = (f"--model={model_file}", f"--images={images}", "--nomos", "--json")
    code, out, err = command_of(evaluate, *arguments)
    items, summary = lines_of(out)
    assert code == 1 and "overshoot" in err
    assert [item["item"] for item in items[:2]] == [
        str(images / name) for name in ("a.png", "b.png")
    ]
    assert items[2]["item"] == str(images / "broken.jpg") and "is not a" in items[2]["error"]
    mean = np.mean([item["difference_ratio_percent"] for item in items[:2]])
    assert summary["means"]["difference_ratio_percent"] == pytest.approx(mean)


def test_viqet(images):
    code, out, err = command_of(viqet, images, "--json")
    items, summary = lines_of(out)
    assert code == 1 and "raw MOS" in err
    assert len(items) == 3 and items[0]["texture_acutance"] > 0
    assert items[2]["item"] == str(images / "broken.jpg")
    assert items[0]["flat_region_index"] is None  # it is nan
    assert summary["command"] == "viqet" and "mos_raw" in summary["means"]


def test_export(tmp_path, monkeypatch, model_file):
    entry = {
        "file": "tflite/enhance_int8.tflite",
        "kind": "int8",
        "signature": "enhance",
        **card.shapes("int8", "enhance", 32, 48),
        **{"bytes": 61_880, "operations": ["CONV_2D"], "macs": 2_500_000_000, "max_lsb": 2.125},
        **{"psnr_db": 51.4, "energy_kept": 0.98, "difference_ratio_percent": 1.25},
        **{"network_difference_ratio_percent": 1.3, "mos": 3.5, "network_mos": 3.51},
        **{"milliseconds": 12.0, "peak_memory_mb": math.nan, "measured_at": "48x32", "threads": 2},
    }
    names = ("network", "weights_sha256", "source", "software", "machine", "frame", "calibration")

    def export_network(source, spec, start_progress):
        source.output.mkdir()
        contents = dict.fromkeys(names, "") | {"files": [entry], "withheld": []}
        card.write(source.output, contents)
        return ["a `model` note"]

    monkeypatch.setattr(pipeline, "export_network", export_network)
    arguments = (f"--model={model_file}", f"--output={tmp_path / 'out'}", "--json")
    code, out, err = command_of(export, *arguments)
    items, summary = lines_of(out)
    assert code == 0, err
    assert items[0]["item"] == entry["file"] and items[0]["peak_memory_mb"] is None
    assert "kept %" in err and "98.00" in err and summary["card"].endswith("EXPORT.md")


def test_enhance(images, model_file, tmp_path):
    arguments = (images, f"--output={tmp_path / 'better'}", f"--model={model_file}", "--json")
    code, out, err = command_of(enhance, *arguments)
    items, summary = lines_of(out)
    assert code == 1 and "enhanced 2 of 3 images" in err and summary["command"] == "enhance"
    first, _, broken = items
    assert first["item"] == str(images / "a.png")
    assert first["output"] == str(tmp_path / "better" / "a.png")
    assert first["model"] == str(model_file) and first["seconds"] > 0 and first["notes"] == []
    assert broken["item"] == str(images / "broken.jpg") and "broken.jpg" in broken["error"]
    code, out, _ = command_of(enhance, *arguments)
    items, _ = lines_of(out)
    assert code == 1
    skipped = {item["item"] for item in items if item.get("skipped")}
    assert skipped == {str(images / "a.png"), str(images / "b.png")}


def test_enhance_names_the_weights_and_what_was_converted(tmp_path):
    photo(0, 64, 64).convert("CMYK").save(tmp_path / "inks.tif")
    code, out, err = command_of(
        enhance, tmp_path / "inks.tif", f"--output={tmp_path / 'better.png'}", "--json"
    )
    (item,), _ = lines_of(out)
    assert code == 0, err
    assert item["model"] == "residual3"
    assert len(item["notes"]) == 1 and "CMYK" in item["notes"][0]


def test_a_mistake_is_a_line_too(tmp_path):
    code, out, err = command_of(evaluate, "--model=nothing", "--json")
    (item,), summary = lines_of(out)
    assert code == 1 and err.startswith("error: --model=nothing")
    assert item == {"item": None, "error": err.removeprefix("error: ").strip()}
    assert summary["items"] == 0


def test_json_beside_an_output_on_standard_output_is_refused():
    code, out, err = command_of(enhance, "-", "--output=-", "--json")
    assert code == 1 and not out and "--json: standard output is taken by --output=-" in err


def test_a_number_that_json_has_not_is_null():
    stream = io.StringIO()
    report = Report("train", stream)
    report.item("a", {"x": math.nan, "y": [np.float32(np.inf), np.int64(3)], "z": (1.5,)})
    assert json.loads(stream.getvalue()) == {"item": "a", "x": None, "y": [None, 3], "z": [1.5]}


def test_without_the_flag_there_are_no_lines(images):
    code, out, _ = command_of(viqet, images / "a.png")
    assert code == 0 and "raw MOS" in out and '"item"' not in out
