"""Whole runs with the networks that other tests do not run, and with a network of the user."""

import pathlib
import re
import sys

import numpy as np
import pytest

import rts_tf
from rts_tf.config import preset
from rts_tf.errors import ConfigError
from rts_tf.images.resample import halve
from rts_tf.networks import edsr, srresnet, vdsr
from rts_tf.networks.borders import with_repeated_border
from rts_tf.training import recurrence
from tests.support.commands import refused
from tests.support.paths import ROOT
from tests.support.precisions import needs_bfloat16

TINY = {
    "stages": 2,
    "first_steps": 2,
    "later_steps": 2,
    "patch": 32,
    "batch": 2,
    "stop_early": False,
    "warmup": 0,
}
PAGE = ROOT / "docs" / "networks.md"


def run(
    network: str, photographs: pathlib.Path, directory: pathlib.Path, **settings
) -> tuple[dict, rts_tf.inference.Enhancer]:
    """The summary of a tiny run, and its network of the last stage."""
    config = preset("quick", data=str(photographs), network=network, **(TINY | settings))
    summary = recurrence.train(config, directory)
    return summary, rts_tf.load(directory / f"stage_{config.stages}" / "model.keras")


@pytest.mark.parametrize(
    "name, precision, stages",
    [
        ("residual3-wide", "float32", 2),
        ("srcnn", "float32", 1),
        pytest.param("vdsr", "mixed_bfloat16", 1, marks=needs_bfloat16),
        pytest.param("srresnet", "mixed_bfloat16", 2, marks=needs_bfloat16),
        ("edsr", "float32", 1),
    ],
)
def test_a_run(name, precision, stages, small_photographs, tmp_path, photograph, monkeypatch):
    # At their full depth this takes a minute, nearly all of it for tracing graphs.
    monkeypatch.setattr(srresnet, "BLOCKS", 1)
    monkeypatch.setattr(edsr, "BLOCKS", 1)
    monkeypatch.setattr(vdsr, "DEPTH", 3)
    settings = {"precision": precision, "stages": stages}
    summary, model = run(name, small_photographs, tmp_path / "run", **settings)
    assert summary["network"] == name and len(summary["stages"]) == stages
    assert all(np.isfinite(stage["final_loss"]) for stage in summary["stages"])
    changes = {stage["difference_ratio_percent"] for stage in summary["stages"]}
    assert len(changes) == stages
    image = photograph[:30, :40].astype(np.float32) / 255
    np.testing.assert_allclose(
        model.enhance(image), halve(with_repeated_border(model.network)(image[None]))[0], atol=1e-5
    )
    statistics = [w for w in model.network.weights if "moving_mean" in w.name]
    assert bool(statistics) == (name == "srresnet") and all(
        np.abs(w.numpy()).max() > 0 for w in statistics
    )


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes my_network.py, as if the command were started from its folder."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_network", raising=False)
    yield lambda text: (tmp_path / "my_network.py").write_text(text)
    sys.modules.pop("my_network", None)


def test_the_ten_lines_of_the_page(module, small_photographs, tmp_path, photograph):
    text = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[1]
    assert len(text.replace("\n\n", "\n").splitlines()) <= 10
    module(text)
    summary, model = run(
        "my_network:build", small_photographs, tmp_path / "run", first_steps=20, precision="float32"
    )
    assert summary["parameters"] == 3 * 32 * 25 + 32 + 32 * 12 * 9 + 12 == 5900
    assert summary["stages"][0]["difference_ratio_percent"] > 0.05
    better = model.enhance(photograph)
    assert better.shape == photograph.shape and not np.array_equal(better, photograph)
    bordered = with_repeated_border(model.network)
    whole = halve(bordered(photograph[None].astype(np.float32) / 255))[0]
    small = rts_tf.inference.Enhancer(model.network, 64).enhance(
        photograph.astype(np.float32) / 255
    )
    np.testing.assert_allclose(small, whole, atol=1e-5)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("import nothing_of_that_name", "cannot be imported (ModuleNotFoundError"),
        ("", "cannot be imported (AttributeError"),
        ("build = 5", "cannot be built (TypeError"),
        ("def build(seed, precision, conv2d): return 5", "cannot be built"),
        (
            PLAIN := "from keras import Input, Model, layers\n"
            "def build(seed, precision, conv2d):\n  i = Input((None, None, 3))\n"
            "  return Model(i, {})",
            "must double float32",
        ),
        (
            PLAIN.replace("{}", "layers.GlobalAveragePooling2D()(i)"),
            "give GlobalAveragePooling2D an attribute receptive_radius",
        ),
    ],
)
def test_a_function_that_cannot_be_used_is_refused_and_leaves_no_run(
    module, small_photographs, tmp_path, text, reason
):
    module(text.replace("{}", "layers.Conv2D(3, 3, padding='same')(i)"))
    error = refused(
        "--network=my_network:build", f"--workdir={tmp_path / 'run'}", f"--data={small_photographs}"
    )
    assert "network my_network:build: " in error and reason in error
    assert not (tmp_path / "run").exists()


def test_a_module_that_is_not_there(small_photographs, tmp_path):
    with pytest.raises(ConfigError, match="Run from the folder of my_netwrok.py"):
        run("my_netwrok:build", small_photographs, tmp_path / "run")
    assert not (tmp_path / "run").exists()
