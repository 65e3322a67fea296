"""A run that is continued on another kind of CPU goes on, and says in one line what that means."""

import json

import pytest

from rts_tf.config import preset
from rts_tf.errors import ConfigError
from rts_tf.training import run_directory
from rts_tf.training.run_directory import RunDirectory


@pytest.fixture
def on(monkeypatch, tmp_path):
    """Opens the same run directory on a machine: the lines it says, and the settings of the run."""

    def open_on(instructions: str, auto: str, **changes):
        monkeypatch.setattr(run_directory, "instruction_set", lambda: instructions)
        monkeypatch.setattr(
            run_directory, "resolve_precision", lambda p: auto if p == "auto" else p
        )
        lines = []
        with RunDirectory(tmp_path / "run", preset("quick", **changes), lines.append) as directory:
            return lines, directory.config

    return open_on


def test_the_same_machine_says_nothing(on, tmp_path):
    for _ in range(2):
        lines, config = on("AVX2", "float32")
        assert lines == [] and config.precision == "float32"
    machine = json.loads((tmp_path / "run" / "machine.json").read_text())
    assert machine == {"instruction_sets": ["AVX2"]}


def test_other_instructions_are_recorded_and_reported_once(on, tmp_path):
    on("AVX2", "float32")
    lines, _ = on("AVX512_CORE", "float32")
    assert len(lines) == 1 and "AVX2" in lines[0] and "AVX512_CORE" in lines[0]
    assert "differ by rounding" in lines[0]
    assert on("AVX512_CORE", "float32")[0] == []
    machine = json.loads((tmp_path / "run" / "machine.json").read_text())
    assert machine == {"instruction_sets": ["AVX2", "AVX512_CORE"]}


@pytest.mark.parametrize(
    "began, here", [("mixed_bfloat16", "float32"), ("float32", "mixed_bfloat16")]
)
def test_auto_keeps_the_precision_that_the_run_began_with(on, began, here):
    on("AVX2", began)
    lines, config = on("AVX2", here)
    assert config.precision == began
    assert len(lines) == 1 and began in lines[0] and here in lines[0]


def test_a_precision_that_is_asked_for_is_still_compared(on):
    on("AVX2", "float32")
    with pytest.raises(ConfigError, match="precision: 'float32', here 'mixed_bfloat16'"):
        on("AVX2", "float32", precision="mixed_bfloat16")


def test_a_run_of_an_earlier_version_has_no_record_and_is_continued_in_silence(on, tmp_path):
    on("AVX2", "float32")
    (tmp_path / "run" / "machine.json").unlink()
    lines, _ = on("AVX512_CORE", "float32")
    assert lines == []
