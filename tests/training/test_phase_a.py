import dataclasses
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.local_workers import environment_of, free_addresses
from rts_tf import networks
from rts_tf.errors import Interrupted, ShardError, TrainingDiverged
from rts_tf.networks.precision import resolve_precision
from rts_tf.networks.weights import weights_sha256
from rts_tf.training.learning_rate import LearningRate
from rts_tf.training.phase_a import fit
from rts_tf.training.trainer import Trainer
from tests.support.precisions import PRECISIONS, needs_bfloat16
from tests.support.training import CONFIG, NORMALIZED, batches, start, trainer


def test_the_loss_falls_and_is_the_mean_squared_error(tmp_path):
    losses = []
    fitted = fit(
        trainer(CONFIG),
        start(),
        batches,
        60,
        tmp_path,
        lambda step, loss, rate: losses.append(loss),
    )
    assert losses[-1] == fitted.loss < 0.7 * losses[1]
    lr, target = next(iter(batches(0)))
    first_error = float(np.mean((networks.build("residual1", 1)(lr) - target) ** 2))
    assert fit(trainer(CONFIG), start(), batches, 1, tmp_path / "one").loss == pytest.approx(
        first_error, rel=1e-5
    )


@pytest.mark.parametrize(
    "config",
    [CONFIG, dataclasses.replace(CONFIG, ema=0.9), NORMALIZED],
    ids=["", "ema", "normalized"],
)
def test_an_interrupted_fit_continues_bit_for_bit(tmp_path, config):
    def interrupt(step, loss, rate):
        if step == 10:
            raise Interrupted("stopped")

    unbroken = fit(trainer(config), start(config), batches, 23, tmp_path / "unbroken")
    with pytest.raises(Interrupted):
        fit(trainer(config), start(config), batches, 23, tmp_path / "broken", interrupt)
    continued = fit(trainer(config), start(config), batches, 23, tmp_path / "broken")
    assert weights_sha256(continued.weights) == weights_sha256(unbroken.weights)
    assert continued.loss == unbroken.loss


def test_ema_averages_the_weights(tmp_path):
    plain = fit(trainer(CONFIG), start(), batches, 20, tmp_path / "plain").weights
    averaged = fit(
        trainer(dataclasses.replace(CONFIG, ema=0.9)), start(), batches, 20, tmp_path / "ema"
    ).weights
    moved = [np.abs(weights[0] - start()[0]).mean() for weights in (averaged, plain)]
    assert 0 < moved[0] < moved[1]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_statistics_of_batch_normalisation_are_those_of_the_averaged_weights(
    tmp_path, precision
):
    """After training they are the mean and variance of the outputs with the saved weights."""
    config = dataclasses.replace(NORMALIZED, precision=precision)
    network = networks.build(config.network)
    network.set_weights(fit(trainer(config), start(config), batches, 20, tmp_path).weights)
    kind = keras.layers.Conv2D, keras.layers.BatchNormalization
    convolution, normalization = (
        next(layer for layer in network.layers if isinstance(layer, k)) for k in kind
    )
    lr = tf.concat([lr for lr, _ in batches(30).take(20)], axis=0)
    x = convolution(lr).numpy()
    std = x.std(axis=(0, 1, 2))
    np.testing.assert_allclose(
        normalization.moving_mean, x.mean(axis=(0, 1, 2)), atol=0.1 * std.max()
    )
    np.testing.assert_allclose(np.sqrt(normalization.moving_variance), std, rtol=0.1)


def test_a_loss_that_is_not_finite_keeps_the_last_good_state(tmp_path):
    def poisoned(first):
        return (
            batches(first)
            .enumerate(first)
            .map(lambda k, pair: (pair[0], pair[1] + (np.inf if k >= 12 else 0.0)))
        )

    with pytest.raises(TrainingDiverged, match="learning_rate"):
        fit(trainer(CONFIG), start(), poisoned, 40, tmp_path)
    reached = []
    fit(
        trainer(CONFIG),
        start(),
        batches,
        15,
        tmp_path,
        lambda step, loss, rate: reached.append((step, loss)),
    )
    assert reached[0][0] == 10 and np.isfinite(reached[0][1])


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Hash of the weights of 16 steps."""
    return weights_sha256(
        fit(trainer(CONFIG), start(), batches, 16, tmp_path_factory.mktemp("unbroken")).weights
    )


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A directory with the checkpoints of steps 5 and 10 of 16."""

    def interrupt(step, loss, rate):
        if step == 10:
            raise Interrupted("stopped")

    directory = tmp_path_factory.mktemp("stopped")
    with pytest.raises(Interrupted):
        fit(trainer(CONFIG), start(), batches, 16, directory, interrupt)
    return directory


LISTS = {"no list": b"", "half a list": b"model_check", "zeros for a list": bytes(99)}
# The end of an index says where the list of its blocks is: here in 2^49 bytes, in four integers
HUGE = bytes(3) + b"\x80" * 7 + b"\x01"


def spoil(directory, damage):
    if damage == "a huge index":
        index = directory / "ckpt-10.index"
        raw = index.read_bytes()
        index.write_bytes(raw[:-48] + HUGE.ljust(40, b"\0") + raw[-8:])
    elif damage in LISTS:
        (directory / "checkpoint").write_bytes(LISTS[damage])
    else:
        file, size = damage
        os.truncate(directory / file, size)


@pytest.mark.parametrize(
    ("damage", "continued_from"),
    [
        (("ckpt-10.data-00000-of-00001", 50000), 5),
        (("ckpt-10.data-00000-of-00001", 0), 5),
        (("ckpt-10.index", 0), 5),
        (("ckpt-10.index", 300), 5),
        ("a huge index", 5),
        ("no list", 10),
        ("half a list", 10),
        ("zeros for a list", 10),
    ],
)
def test_a_spoiled_checkpoint_gives_way_to_the_one_before(
    tmp_path, unbroken, stopped, damage, continued_from
):
    reached = []
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    spoil(tmp_path, damage)
    again = fit(
        trainer(CONFIG),
        start(),
        batches,
        16,
        tmp_path,
        lambda step, loss, rate: reached.append(step),
    )
    assert reached[0] == continued_from and weights_sha256(again.weights) == unbroken
    assert {path.name for path in tmp_path.glob("*.index")} == {
        "ckpt-15.index",
        "ckpt-16.index",
    }  # no other is left lying


def test_an_empty_list_of_no_checkpoints_begins_anew(tmp_path, unbroken):
    (tmp_path / "checkpoint").write_bytes(b"")
    assert weights_sha256(fit(trainer(CONFIG), start(), batches, 16, tmp_path).weights) == unbroken


def test_schedules():
    """The reference is that of Keras."""
    rate, schedules = CONFIG.learning_rate, keras.optimizers.schedules

    def of_stage(config, steps):
        ours = LearningRate(config.learning_rate, config.schedule, config.warmup)
        ours.steps.assign(steps)
        return [float(ours(step)) for step in range(steps + 1)]

    for steps, warmup in ((100, 3), (20, 0), (5, 2), (4, 2)):
        rising = {"warmup_target": rate, "warmup_steps": warmup} if warmup else {}
        reference = schedules.CosineDecay(rate / (warmup + 1), steps - warmup, 0.01, **rising)
        config = dataclasses.replace(CONFIG, warmup=3 if warmup else 0)
        expected = [float(reference(step)) for step in range(steps + 1)]
        assert of_stage(config, steps) == pytest.approx(expected, rel=1e-5)
    assert of_stage(CONFIG, 1)[0] == pytest.approx(rate)  # no step to warm up in
    constant = dataclasses.replace(CONFIG, schedule="constant")
    assert of_stage(constant, 50) == pytest.approx([rate] * 51)


@pytest.mark.parametrize(
    "config", [dataclasses.replace(CONFIG, ema=0.9), NORMALIZED], ids=["ema", "normalized"]
)
def test_a_trainer_that_was_used_begins_afresh(tmp_path, config):
    """As the stages of a run do: the bits are those of a new one, and the step is traced once."""
    used = Trainer(config)
    first = fit(used, start(config), batches, 9, tmp_path / "first")
    again = fit(used, first.weights, batches, 14, tmp_path / "again")
    new = fit(Trainer(config), first.weights, batches, 14, tmp_path / "new")
    assert weights_sha256(again.weights) == weights_sha256(new.weights)
    assert again.loss == new.loss
    assert used.step.experimental_get_tracing_count() == 1


@needs_bfloat16
def test_mixed_bfloat16_trains(tmp_path):
    config = dataclasses.replace(CONFIG, precision="mixed_bfloat16", batch=4)
    exact = fit(trainer(CONFIG), start(), batches, 8, tmp_path / "float32")
    mixed = fit(trainer(config), start(), batches, 8, tmp_path / "mixed")
    assert mixed.weights[0].dtype == np.float32
    assert mixed.loss == pytest.approx(exact.loss, rel=0.05)


def test_precision_is_resolved():
    assert resolve_precision("float32") == "float32"
    assert resolve_precision("auto") in ("float32", "mixed_bfloat16")


def test_two_workers_equal_one_process(tmp_path):
    """Two processes (MultiWorkerMirroredStrategy) give the same weights to float32 rounding."""
    alone = fit(trainer(CONFIG), start(), batches, 6, tmp_path / "alone").weights
    alone += fit(
        trainer(NORMALIZED), start(NORMALIZED), batches, 6, tmp_path / "normalized"
    ).weights
    addresses, workers = free_addresses(2), []
    for index in range(2):
        path = str(tmp_path / f"worker_{index}.npz")
        command = [sys.executable, "-m", "tests.support.worker", path]
        environment = {**os.environ, **environment_of(index, addresses)}
        workers.append(subprocess.Popen(command, env=environment))
    assert [worker.wait(timeout=150) for worker in workers] == [0, 0]
    for index in range(2):
        with np.load(tmp_path / f"worker_{index}.npz") as saved:
            for k, array in enumerate(alone):
                np.testing.assert_allclose(saved[f"arr_{k}"], array, atol=2e-6)


def test_two_devices_equal_one(tmp_path):
    """A process with two devices (MirroredStrategy) gives the same weights, likewise."""
    alone = fit(trainer(CONFIG), start(), batches, 6, tmp_path / "alone").weights
    path = tmp_path / "replicas.npz"
    subprocess.run([sys.executable, "-m", "tests.support.replicas", str(path)], check=True)
    with np.load(path) as saved:
        for k, array in enumerate(alone):
            np.testing.assert_allclose(saved[f"arr_{k}"], array, atol=2e-6)


def test_a_shard_of_something_else_is_an_error(tmp_path):
    """Its hash may be right, if somebody made it so."""

    def foreign(first):
        return batches(first).map(
            lambda lr, target: (lr, tf.io.parse_tensor(b"no image", tf.float32))
        )

    with pytest.raises(ShardError, match="a shard holds something else than images of this run"):
        fit(trainer(CONFIG), start(), foreign, 6, tmp_path)
