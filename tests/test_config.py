"""The settings of a run: presets, limits, JSON, and the registry of networks."""

import dataclasses
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rts_tf import config
from rts_tf.config import NETWORKS, PRESETS, Config, preset
from rts_tf.errors import ConfigError


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name):
    assert Config.from_json(PRESETS[name].to_json()) == PRESETS[name]
    assert PRESETS[name].preset == name


def test_paper_preset_is_section_4_1():
    """100 patches of 256x256 from 800 images, batch 8, 20 epochs: 80,000 pairs, 200,000 steps."""
    paper = PRESETS["paper"]
    assert (
        paper.patches_per_image,
        paper.patch,
        paper.batch,
        paper.learning_rate,
        paper.epochs,
    ) == (100, 256, 8, 1e-3, 20)
    assert paper.steps(1, 800) == paper.steps(2, 800) == 200_000
    assert (paper.schedule, paper.anchor) == ("constant", "none")


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_jpeg_range(low, high):
    if 1 <= low <= high:
        assert preset("quick", jpeg_low=low, jpeg_high=high).jpeg_low == low
    else:
        with pytest.raises(ConfigError, match="`jpeg_"):
            preset("quick", jpeg_low=low, jpeg_high=high)


@pytest.mark.parametrize(
    "change",
    [
        {"stages": 0},
        {"patch": 33},
        {"network": "vgg"},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"ema": 1.0},
        {"kernel": "nearest"},
        {"batch": 0},
        {"data": ""},
        {"anchor": "high"},
        {"seed": -1},
        {"target_kernel": "box"},
        {"identity_start": 1},
    ],
)
def test_a_setting_that_cannot_work_is_named(change):
    with pytest.raises(ConfigError, match=f"^`{next(iter(change))}`"):
        preset("quick", **change)


def test_unknown_preset():
    with pytest.raises(ConfigError, match="`preset`=fast.*quick, standard, paper"):
        preset("fast")


def test_unknown_setting():
    with pytest.raises(ConfigError, match="no setting `stage`"):
        preset("quick", stage=3)


def test_every_network_has_a_module():
    folder = pathlib.Path(config.__file__).parent / "networks"
    for module, settings in NETWORKS.values():
        assert (folder / f"{module}.py").exists() and isinstance(settings, dict)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"preset": "quick"}', PRESETS["quick"].to_json()[:-5]]
)
def test_damaged_json_is_refused(text):
    with pytest.raises(ConfigError, match="cannot read"):
        Config.from_json(text)


def test_differences_name_the_fields():
    other = dataclasses.replace(PRESETS["quick"], stages=5)
    assert PRESETS["quick"].differences(other) == ["stages: 4, here 5"]
    assert PRESETS["quick"].differences(PRESETS["quick"]) == []
