"""Killed, interrupted, out of disk, diverged: the same command continues to the same weights.

The short form of tests/crash.py, which kills at many more moments.
"""

import json
import re
import resource
import shutil
import signal

import numpy as np
import pytest

from rts_tf import networks
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record
from rts_tf.data.source_shards import DTYPES as SOURCE
from rts_tf.errors import RtsError
from rts_tf.inference import Enhancer
from rts_tf.networks.weights import weights_sha256
from rts_tf.training.phase_a import fit
from rts_tf.training.phase_b import DTYPES, build_targets
from tests.crash import FLAGS, Faults, Runner, differences, install_faults, outcome, write_images
from tests.support.training import CONFIG, batches, start, trainer

KILL = signal.SIGKILL
SMALL = (*FLAGS, "--stages=2", "--first_steps=8", "--later_steps=6")


class Lab:
    """One unbroken run, and the means to break others."""

    def __init__(self, folder):
        self.folder, self.runner = folder, Runner()
        self.flags = [*SMALL, *write_images(folder / "images", count=5, side=64)]
        self.points, _ = self.runner.trace(self.flags, folder / "unbroken")
        self.expected = outcome(folder / "unbroken")

    def run(self, name, *flags, prepare=None, arguments=()):
        """(exit code, what this command printed) of the command in the directory ``name``."""
        log = self.folder / f"{name}.log"
        log.unlink(missing_ok=True)
        code = self.runner.run(
            [*self.flags, f"--workdir={self.folder / name}", *flags], log, prepare, arguments
        )
        return code, log.read_text()

    def at(self, name, kind, phase, number=1, mode="before", by=KILL):
        """The same, with a signal at a fault point."""
        fault = {"kind": kind, "phase": phase, "number": number, "mode": mode, "signal": by}
        return self.run(name, prepare=install_faults, arguments=("", fault))

    def difference(self, name):
        return differences(self.expected, outcome(self.folder / name))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("crash"))


KILLS = (
    ("write a record", "sources", 2, "before"),
    ("fsync", "Phase A", 1, "before"),  # phase_a.json
    ("checkpoint", "Phase A", 1, "after"),
    ("save the network", "Phase A", 1, "before"),
    ("write a record", "Phase B", 2, "after"),
    ("rename", "Phase B", 4, "before"),  # a shard's .json
    ("publish", "Phase B", 1, "before"),
    ("publish", "Phase B", 1, "after"),
    ("delete", "finish", 2, "before"),
)


def test_a_run_killed_again_and_again_ends_as_the_unbroken_one(lab):
    """One directory, killed at nine places in turn, among them while it continues."""
    for kill in KILLS:
        assert lab.at("killed", *kill)[0] == -KILL, kill
    assert lab.run("killed")[0] == 0
    assert lab.difference("killed") == ""
    code, output = lab.run("killed")
    assert code == 0 and "finished" in output


def test_every_kind_of_fault_point_is_met(lab):
    met = {(point["kind"], point["phase"]) for point in lab.points}
    assert {kill[:2] for kill in KILLS} <= met


def test_ctrl_c_stops_cleanly_and_the_same_command_continues(lab):
    for place in (
        ("write a record", "sources"),
        ("between steps", "Phase A", 2),
        ("between steps", "Phase B"),
    ):
        code, output = lab.at("stopped", *place, by=signal.SIGINT)
        assert code == 130, output
        assert "The same command continues it." in output and "Traceback" not in output
    assert lab.run("stopped")[0] == 0
    assert lab.difference("stopped") == ""


EXTENSION_KILLS = (
    ("publish", "Phase B", 1, "before"),  # the targets of the stage that was the last
    ("checkpoint", "Phase A", 1, "after"),
    ("delete", "finish", 1, "after"),  # the summary of the earlier end
    ("rename", "finish", 3, "before"),
)


def test_an_extension_that_is_killed_ends_as_a_run_that_began_with_its_stages(lab):
    flags = ("--stages=3", "--nostop_early")
    assert lab.run("three", *flags)[0] == 0
    shutil.copytree(lab.folder / "unbroken", lab.folder / "extended")
    for kind, phase, number, mode in EXTENSION_KILLS:
        fault = {"kind": kind, "phase": phase, "number": number, "mode": mode}
        arguments = ("", fault)
        code, _ = lab.run("extended", *flags, prepare=install_faults, arguments=arguments)
        assert code == -KILL, (kind, phase)
    assert lab.run("extended", *flags)[0] == 0
    expected = outcome(lab.folder / "three")
    assert differences(expected, outcome(lab.folder / "extended")) == ""
    assert len(expected["stages"]) == 3


def limit_file_size(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def full_at_the_network(phase):
    """No space left where the network is saved."""
    from rts_tf.training.stage import Stage

    def write_network(self, network, phase_a):
        self.root.joinpath(".model.0.tmp.keras").write_bytes(b"half")
        raise OSError(28, "No space left on device", str(self.model_file))

    Stage.write_network = write_network


def test_a_full_disk_is_one_line_and_the_same_command_continues(lab):
    for prepare, argument, where in (
        (limit_file_size, 20_000, r"source.training.*cannot be written"),
        (
            limit_file_size,
            300_000,
            r"checkpoint: the state of step 4 cannot be written \(File too large",
        ),
        (full_at_the_network, "Phase A", "No space left on device"),
    ):
        code, output = lab.run("full", prepare=prepare, arguments=(argument,))
        assert code == 1 and "Traceback" not in output
        (error,) = re.findall("^error: .*", output, re.MULTILINE)
        assert re.search(where, error)
    assert (lab.folder / "full/stage_1/checkpoint/checkpoint").exists()  # what was done is there
    assert lab.run("full")[0] == 0
    assert lab.difference("full") == ""


def test_divergence_is_told_and_the_last_good_state_kept(lab):
    flags = ("--learning_rate=1e30", "--schedule=constant", "--checkpoint_every=1", "--ema=0")
    for _ in range(2):  # the same command meets it again
        code, output = lab.run("diverged", *flags)
        assert code == 1 and "Traceback" not in output
        assert re.search(r"^error: .*not finite at step \d.*--learning_rate", output, re.MULTILINE)
    assert list((lab.folder / "diverged/stage_1/checkpoint").glob("ckpt-*.index"))
    assert not (lab.folder / "diverged/stage_1/model.keras").exists()


def test_another_configuration_is_refused_and_nothing_touched(lab):
    summary = (lab.folder / "unbroken/summary.json").read_bytes()
    code, output = lab.run("unbroken", "--seed=7", "--anchor=none")
    assert code == 1 and "seed: 1, here 7" in output and "anchor: 'low', here 'none'" in output
    assert (lab.folder / "unbroken/summary.json").read_bytes() == summary


# ---- in this process; whole, damaged and refused shards are in test_shards.py


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path):
    def spoil(step):
        path = tmp_path / f"ckpt-{step}.data-00000-of-00001"
        raw = path.read_bytes()
        path.write_bytes(raw[:1000] + bytes(len(raw) - 2000) + raw[-1000:])

    unbroken, reached = fit(trainer(CONFIG), start(), batches, 12, tmp_path).weights, []
    spoil(12)
    again = fit(
        trainer(CONFIG),
        start(),
        batches,
        12,
        tmp_path,
        lambda step, loss, rate: reached.append(step),
    ).weights
    assert reached[0] == 10 and weights_sha256(again) == weights_sha256(unbroken)
    spoil(10), spoil(12)
    with pytest.raises(
        RtsError, match="ckpt-12: cannot be read.* delete .* to train this stage from its beginning"
    ):
        fit(trainer(CONFIG), start(), batches, 12, tmp_path)


def one_image(k):
    pixels = np.random.default_rng(k).integers(0, 256, (24, 20, 3), np.uint8)
    yield Record(f"{k}.png", k, {"hr": pixels, "lr": pixels[::2, ::2]})


@pytest.mark.parametrize("leftover", [".00001.77.tmp.json", ".manifest.77.tmp.json", "00001.tmp"])
def test_what_a_kill_left_is_not_published(tmp_path, leftover):
    """After a kill between a temporary file and its rename, the file must not be in the set."""

    def killed(k):
        if k == 1:
            raise KeyboardInterrupt
        return one_image(k)

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "set", 2, killed, SOURCE, {})
    (tmp_path / "set.partial" / leftover).write_text("{}")
    for _ in range(2):
        build(tmp_path / "set", 2, one_image, SOURCE, {}, pytest.fail)
    assert sorted(path.stem for path in (tmp_path / "set").iterdir()) == [
        *2 * ["00000"],
        *2 * ["00001"],
        "manifest",
    ]


def test_damaged_targets_are_made_again_the_same(tmp_path):
    source = build(tmp_path / "source", 3, one_image, SOURCE, {})
    network = networks.build("residual1", 1)
    network.set_weights([weights + 0.01 for weights in network.get_weights()])
    said = []

    def targets():
        return build_targets(
            tmp_path / "targets",
            source,
            Enhancer(network),
            anchor="low",
            weights="weights",
            warn=said.append,
        )

    made = targets()
    pixels = next(iter(made.records(1, DTYPES))).arrays["target"]
    path = tmp_path / "targets" / "00001.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    again = targets()
    assert len(said) == 1 and str(path) in said[0]
    assert again.fingerprint == made.fingerprint
    np.testing.assert_array_equal(next(iter(again.records(1, DTYPES))).arrays["target"], pixels)


def test_fault_points_are_told_apart(tmp_path):
    """crash.py's own: a call is known by its kind, its phase and its number in both."""

    class Disk:
        def write(self):
            pass

    trace = tmp_path / "trace"
    faults = Faults(str(trace))
    faults.wrap(Disk, "write", "write")
    Disk().write()
    faults.phase.append("Phase A")
    Disk().write(), Disk().write()
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert [(line["phase"], line["number"]) for line in lines] == [
        ("start", 1),
        ("Phase A", 1),
        ("Phase A", 2),
    ]
