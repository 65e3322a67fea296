"""Several processes train one network: the same targets, the same weights but for rounding.

Workers that are killed are in tests/faults.
"""

import hashlib
import json
import re
import signal

import numpy as np
import pytest

from rts_tf.inference import load
from rts_tf.training import cluster
from rts_tf.workers import ALONE
from tests.crash import FLAGS, Runner, write_images
from tests.support.worker_runs import WorkerRun

# Stage 0 makes the first targets, so Phase B comes before anything is trained.
SETTINGS = (
    *FLAGS,
    "--init=residual1",
    "--first_targets=enhanced",
    "--stages=1",
    "--batch=4",  # shares of three workers: 1, 1 and 2
    "--images_per_shard=1",
    "--precision=float32",
    "--keep_targets",
    "--judge=mos",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(runner, flags, folder): the folder holds a run of one process, "alone"."""
    folder, runner = tmp_path_factory.mktemp("cluster"), Runner()
    flags = [*SETTINGS, *write_images(folder / "images", count=7, side=64)]
    # The second of the training images, so that it is worker 1 that reads it
    (folder / "images" / "training" / "2_broken.png").write_bytes(b"no image")
    run = WorkerRun(runner, flags, folder / "alone", 1)
    assert run.finish() == [0], run.text()
    return runner, flags, folder


def shards(directory):
    """The hash of each shard of HR_0 and of the targets of stage 0, which no training precedes."""
    files = [*directory.glob("source/*/*.tfrecord"), *directory.glob("stage_0/*/*.tfrecord")]
    assert len(files) == 8 + 8
    return {
        str(file.relative_to(directory)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def weights(directory):
    return np.concatenate(
        [array.ravel() for array in load(directory / "final.keras").network.get_weights()]
    )


def test_two_workers_are_stopped_and_three_continue(lab):
    runner, flags, folder = lab
    run = WorkerRun(runner, flags, folder / "shared", 2)
    run.wait_for("stage_1/checkpoint/*.index")
    run.signal(1, signal.SIGTERM)
    assert run.finish() == [130, 130], run.text()  # the other one stops with it
    assert run.text().count("The same command continues it.") == 2
    assert len(re.findall("skipped .*2_broken.png: is not", run.text(1))) == 1  # whoever finds it
    assert "skipped" not in run.text(0) and "step" not in run.text(1)
    assert not (folder / "shared" / "final.keras").exists()
    run = WorkerRun(runner, flags, folder / "shared", 3)
    assert run.finish() == [0, 0, 0], run.text()
    assert shards(folder / "shared") == shards(folder / "alone")
    alone = weights(folder / "alone")
    difference = np.linalg.norm(weights(folder / "shared") - alone) / np.linalg.norm(alone)
    assert 0 < difference < 1e-6
    quality, expected = (
        json.loads((folder / name / "stage_1" / "quality.json").read_text())
        for name in ("shared", "alone")
    )
    assert list(quality) == list(expected) and len(quality) == 2
    for name, row in expected.items():
        assert quality[name]["mos"] == pytest.approx(row["mos"], abs=1e-3)
    metrics, expected = (
        json.loads((folder / name / "stage_1" / "metrics.json").read_text())
        for name in ("shared", "alone")
    )
    assert metrics.keys() == expected.keys()
    for name in ("validation_psnr_db", "coded_psnr_gain_db", "difference_ratio_percent"):
        assert metrics[name] == pytest.approx(expected[name], abs=1e-3)


def other_version():
    import rts_tf

    rts_tf.__version__ = "0.0.9"


def impatient():
    from rts_tf.training import run_directory

    run_directory.SEEN_WITHIN = 1.0


def test_a_worker_of_another_version(lab):
    runner, flags, folder = lab
    run = WorkerRun(runner, flags, folder / "versions", 2, prepare={1: (other_version,)})
    assert run.finish() == [1, 1]
    for number in range(2):
        (line,) = run.errors(number)
        assert "worker 1 has rts_tf 0.0.9" in line and "install the same versions" in line
    assert not (folder / "versions").exists()


def test_a_worker_with_other_settings(lab):
    runner, flags, folder = lab
    run = WorkerRun(runner, flags, folder / "settings", 2, own={1: ["--patch=48"]})
    assert run.finish() == [1, 1]
    for number in range(2):
        (line,) = run.errors(number)
        assert "worker 1 of 2 has other settings than the chief (patch: 32, here 48)" in line
    assert not (folder / "settings").exists()  # so that the corrected command can use it


def test_a_worker_with_another_directory(lab):
    runner, flags, folder = lab
    elsewhere = [f"--workdir={folder / 'elsewhere'}"]
    run = WorkerRun(
        runner, flags, folder / "here", 2, own={1: elsewhere}, prepare={1: (impatient,)}
    )
    assert run.finish() == [1, 1]
    (line,) = run.errors(1)
    assert "--workdir=" in line and "sees another directory there than the chief" in line
    assert "worker 1 of 2 stopped" in run.errors(0)[0]
    assert not (folder / "elsewhere").exists()


def test_several_gpus_of_one_machine(monkeypatch):
    """They are used without TF_CONFIG, by the strategy that tests/support/replicas.py runs."""
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert cluster.connect() is ALONE
    monkeypatch.setattr(cluster.tf.config, "get_visible_devices", lambda kind: ["GPU:0", "GPU:1"])
    monkeypatch.setattr(cluster.tf.distribute, "MirroredStrategy", lambda: "mirrored")
    workers = cluster.connect()
    assert (workers.strategy, workers.count, workers.is_chief) == ("mirrored", 1, True)


def test_more_workers_than_patches_in_a_batch(lab):
    runner, flags, folder = lab
    run = WorkerRun(runner, [*flags, "--batch=1"], folder / "small", 2)
    assert run.finish() == [1, 1]
    for number in range(2):
        assert "--batch=1: must be at least 2" in run.errors(number)[0]
    assert not (folder / "small").exists()
