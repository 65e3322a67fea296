"""ONNX files, shaders and the page as an export publishes them."""

import json

import numpy as np
import pytest

from rts_tf.export import __main__ as export
from rts_tf.export import limits, program_formats, steps
from rts_tf.export.runners import onnx_runtime
from rts_tf.networks.luma import build_luma
from tests.support.commands import command_of
from tests.support.fake_viqet import fake_measure

FRAME = ("--height=96", "--width=128")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(steps, "SECONDS", 0.0)
    monkeypatch.setattr(limits, "measure", fake_measure)


def exported(folder, *flags):
    code, out, errors = command_of(export, f"--output={folder}", *FRAME, *flags)
    card = folder / "export.json"
    return code, out, errors, json.loads(card.read_text()) if card.exists() else {}


def test_onnx_of_both_kinds_of_networks(tmp_path):
    code, _, errors, card = exported(tmp_path / "luma", "--model=luma-clean", "--formats=onnx")
    (entry,) = card["files"]
    assert code == 0 and not errors
    assert entry["file"] == "onnx/enhance.onnx" and entry["max_lsb"] < 0.01
    assert entry["kind"] == "onnx" and entry["measured_at"] == "128x96"
    assert np.shape(entry["phase_means"]) == (4, 4)
    code, _, _, card = exported(tmp_path / "rgb", "--model=residual1", "--formats=onnx")
    assert code == 0
    assert [entry["file"] for entry in card["files"]] == ["onnx/enhance.onnx", "onnx/upscale.onnx"]
    for entry in card["files"]:
        assert (tmp_path / "rgb" / entry["file"]).stat().st_size == entry["bytes"]
        assert entry["max_lsb"] < 0.01 and entry["energy_kept"] > 0.9999
    readable = (tmp_path / "rgb" / "EXPORT.md").read_text()
    assert "| onnx/enhance.onnx | 174 kB | 0.000" in readable


def test_what_cannot_be_measured_here_is_published_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_runtime, "missing", lambda: "needs the package onnxruntime")
    flags = ["--model=residual1", "--formats=onnx", "--heads=enhance"]
    code, out, _, card = exported(tmp_path, *flags)
    (entry,) = card["files"]
    assert code == 0 and "max_lsb" not in entry
    text = "The files of --formats=onnx are not measured on this machine: needs the package"
    assert text in out
    assert "| onnx/enhance.onnx | 174 kB | not measured |" in (tmp_path / "EXPORT.md").read_text()


def test_what_misses_its_limit_is_withheld(tmp_path, monkeypatch):
    monkeypatch.setitem(limits.MAX_LSB, "onnx", -1.0)
    code, _, errors, card = exported(tmp_path, "--model=luma-small", "--formats=onnx")
    assert code == 1 and "onnx/enhance.onnx differs from the network by " in errors and not card


def skip_without(name):
    if lacks := program_formats.missing(name):
        pytest.skip(lacks)


def test_the_report_links_to_the_page(tmp_path):
    skip_without("page")
    build_luma("luma2-4").save(tmp_path / "final.keras")
    report = tmp_path / "report.html"
    report.write_text("<h1>A run</h1><!-- demo page --><!-- end -->")
    flags = [f"--model={tmp_path / 'final.keras'}", "--formats=page", *FRAME]
    code, out, errors = command_of(export, *flags)
    (entry,) = json.loads((tmp_path / "export" / "export.json").read_text())["files"]
    assert code == 0, errors
    assert entry["file"] == "page/luma2-4.html" and entry["max_lsb"] <= 1
    assert '<a href="export/page/luma2-4.html">' in report.read_text()
    assert "milliseconds" not in entry


def test_a_network_that_a_format_cannot_hold_is_refused_before_anything_is_made(tmp_path):
    code, _, errors, card = exported(tmp_path, "--model=residual3", "--formats=onnx,shader")
    assert code == 1 and errors.startswith("error: ") and "residual3" in errors and not card
    assert errors.count("\n") == 1 and not (tmp_path / "onnx").exists()
