"""What --engine and --beam_args refuse, and what they add."""

import importlib.util

import pytest

from rts_tf.metrics.resources import cores
from tests.support.beam_work import needs_beam
from tests.support.commands import photo
from tests.support.enhance_command import refused


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "a.png"
    photo().save(path)
    return path


@needs_beam
@pytest.mark.parametrize(
    "beam_args, reason",
    [
        ("--direct_num_workers=two", "direct_num_workers: invalid int value: 'two'"),
        ("--direct_workers=2", "Beam knows no --direct_workers"),
        ("--direct_running_mode=fast", "invalid choice: 'fast'"),
        ("'--a", "No closing quotation"),
        ("workers", "workers is no option"),
        ("--runner=FlinkRunner", "needs --temp_location=FOLDER"),
    ],
)
def test_bad_options_are_refused(image, beam_args, reason):
    line = refused("--engine=beam", f"--beam_args={beam_args}", image)
    assert line.startswith("error: --beam_args") and reason in line


@needs_beam
def test_one_machine_gets_a_process_for_each_core():
    from rts_tf.beam.options import parsed

    options = parsed("")
    assert options.here and options.workers == cores() and not options.folder
    assert f"--direct_num_workers={cores()}" in options.flags
    assert parsed("--direct_num_workers=3 --runner=DirectRunner").workers == 3
    here = parsed("--direct_running_mode=multi_threading --direct_num_workers=3")
    assert here.workers == 0 and here.here


@needs_beam
def test_the_options_of_a_cluster_pass_through():
    from rts_tf.beam.options import parsed

    words = "--runner=FlinkRunner --flink_master=host:8081 --parallelism=8 --temp_location=/mnt/x"
    options = parsed(words)
    assert options.flags[:4] == tuple(words.split())
    assert not options.here and not options.workers and options.folder == "/mnt/x"


def test_a_missing_package_is_named(image, monkeypatch):
    real = importlib.util.find_spec
    hidden = lambda name, *more: None if name == "apache_beam" else real(name, *more)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    line = refused("--engine=beam", image)
    assert line == "error: --engine=beam: needs Apache Beam: pip install 'rts_tf[beam]'"


def test_options_for_another_engine_are_a_mistake(image):
    line = refused("--beam_args=--direct_num_workers=2", image)
    assert line == "error: --beam_args: are for --engine=beam; add that, or leave them out."


@needs_beam
def test_nothing_is_written_over_its_source(image):
    before = image.read_bytes()
    line = refused("--engine=beam", "--overwrite", f"--output={image.parent}/", image.parent)
    assert f"{image}: with --engine=beam nothing is written over its source" in line
    assert image.read_bytes() == before


@needs_beam
def test_a_page_of_crops_needs_no_engine(image):
    assert "--preview" in refused("--engine=beam", "--preview", image)


def test_threads_of_tensorflow_limit_the_cores(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert cores() == 1
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "0")
    assert cores() >= 1
