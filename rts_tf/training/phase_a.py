"""Phase A (section 3.1): SR_n = argmin ||HR_{n-1} - SR(LR)||^2, in one process or in many.

The whole state (weights, optimizer, step, running loss) goes into a checkpoint every few hundred
steps, and the batches are a pure function of the step. So a run that was killed ends with the same
weights as an unbroken one: to the last bit on CPUs with the same instruction set.
"""

import functools
import itertools
import math
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.data.patches import training_batches
from rts_tf.data.shards import ShardSet
from rts_tf.errors import Interrupted, ShardError, TrainingDiverged, first_line
from rts_tf.networks.precision import convolution
from rts_tf.training.batch_shares import shared_out
from rts_tf.training.checkpoints import Checkpoints
from rts_tf.training.gradients import AdamOfSums, summed
from rts_tf.training.progress import PhaseAProgress
from rts_tf.training.run import Run
from rts_tf.training.stage import Stage
from rts_tf.workers import ALONE, Workers

REPORT_EVERY = 10  # steps between looks at the loss; each look waits for the device
STATISTICS_STEPS = 50  # with a momentum of 0.9 nothing of the old statistics is left
_LOSS_MEMORY = 0.98

OnReport = Callable[[int, float, float], None]  # (steps done, running loss, learning rate)


class Fitted(NamedTuple):
    """The result of Phase A.

    Attributes:
        weights: The weights of the network.
        loss: The running mean of the loss over about the last 50 steps.
        seconds: The time that the steps took, over all calls.
    """

    weights: list[np.ndarray]
    loss: float
    seconds: float


def run_phase_a(run: Run, stage: Stage, targets: ShardSet | None) -> None:
    """Fit the network to HR_{n-1} and write SR_n. Every worker must call it.

    Args:
        targets: Shards of HR_{n-1} of the training images; None if the target is HR_0.
    """
    config, steps = run.config, run.steps(stage.number)

    def batches(first_step: int) -> tf.data.Dataset:
        return training_batches(
            run.training,
            targets,
            patch=config.patch,
            batch=config.batch,
            positions=config.patches_per_image,
            seed=config.seed,
            stage=stage.number,
            first_step=first_step,
            flat_share=config.flat_share,
        )

    workers = run.workers
    warm = config.warm_start and stage.number > 1
    start = run.weights(run.directory.stage(stage.number - 1)) if warm else run.start
    step_work = run.work.of_step(config)
    report = PhaseAProgress(run.progress, stage, config.stages, steps, step_work)
    trained: list[keras.Model] = []

    def build() -> keras.Model:
        conv2d = convolution(config.precision)
        trained.append(networks.build(config.network, config.seed, config.precision, conv2d))
        return trained[-1]

    def on_report(step: int, loss: float, rate: float) -> None:
        run.callbacks.steps_done(step, loss, trained[-1])
        report(step, loss, rate)

    run.callbacks.stage_begins(stage.number, steps, start)
    fitted = fit(
        config, start, batches, steps, stage.checkpoints, on_report, build=build, workers=workers
    )
    keras.backend.clear_session()

    def write() -> None:
        network = networks.build(config.network)  # the saved network is float32 in every run
        network.set_weights(fitted.weights)
        record = {"steps": steps, "final_loss": fitted.loss, "phase_a_seconds": fitted.seconds}
        stage.write_network(network, record)

    workers.by_chief(write)


def fit(
    config: Config,
    start: list[np.ndarray],
    batches: Callable[[int], tf.data.Dataset],
    steps: int,
    directory: pathlib.Path,
    on_report: OnReport = lambda step, loss, rate: None,
    *,
    strategy: tf.distribute.Strategy | None = None,
    build: Callable[[], keras.Model] | None = None,
    workers: Workers = ALONE,
) -> Fitted:
    """Train a network for ``steps`` steps, from ``start`` or from the last checkpoint.

    Args:
        config: The network, precision (resolved, not ``"auto"``), learning rate and so on.
        start: The weights to start from.
        batches: Gives the endless data set from a step on (:mod:`rts_tf.data.patches`).
        directory: Where the checkpoints are.
        on_report: Called at the start and after every few steps. It may raise Interrupted.
        strategy: Where to run; by default that of ``workers``, else TensorFlow's default.
        build: Makes the network, if it is not the one that ``config`` names.
        workers: The workers that share out each batch. Every one must make this call.

    Raises:
        TrainingDiverged: The loss or a weight is not finite; the last checkpoint is from before.
        RtsError: The checkpoints cannot be read or written, or another worker failed.
    """
    strategy = strategy or workers.strategy or tf.distribute.get_strategy()
    schedule = learning_rate_schedule(config, steps)
    with strategy.scope():
        network, optimizer = _at_start(config, start, schedule, build)
    types = tf.int64, tf.float32, tf.float64
    done, running_loss, seconds = (tf.Variable(0, False, dtype=dtype) for dtype in types)
    state = {"done": done, "running_loss": running_loss, "seconds": seconds}
    state |= {"network": network, "optimizer": optimizer}
    checkpoints = Checkpoints(pathlib.Path(directory), state, workers)
    step = _counted(make_step(network, optimizer, config.batch, strategy), done, running_loss)

    first, began = int(done), time.monotonic() - float(seconds)
    on_report(first, float(running_loss), float(schedule(first)))
    data = iter(shared_out(batches(first), config.batch, strategy))
    for number in range(first + 1, steps + 1):
        step(*_read(data))
        save = number % config.checkpoint_every == 0 or number == steps
        if save or number % REPORT_EVERY == 0:
            _check_finite(number, float(running_loss), network if save else None)
            seconds.assign(time.monotonic() - began)
            if save:
                checkpoints.save(number)
            report = functools.partial(on_report, number, float(running_loss))
            if workers.any(_is_interrupted(report, float(schedule(number)))):
                if not save:  # never write over the newest checkpoint
                    _check_finite(number, float(running_loss), network)
                    checkpoints.save(number)
                raise Interrupted("stopped")  # every worker, at the same step
    if config.ema:
        optimizer.finalize_variable_values(network.trainable_variables)
        _settle_statistics(network, strategy, data)
    return Fitted(network.get_weights(), float(running_loss), float(seconds))


def _read(data: Iterator[tuple[tf.Tensor, ...]]) -> tuple[tf.Tensor, ...]:
    """The next batch. Raises ShardError if a shard holds something else than it should."""
    try:
        return next(data)
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        raise ShardError(
            f"a shard holds something else than images of this run ({first_line(error)}); start a"
            " new run in another `workdir`"
        ) from None


def _is_interrupted(report: Callable[[float], None], rate: float) -> bool:
    try:
        report(rate)
    except Interrupted:
        return True
    return False


def _counted(
    train: Callable[..., tf.Tensor], done: tf.Variable, running_loss: tf.Variable
) -> Callable[..., None]:
    """``train`` with the number of its steps and the running mean of its loss in variables."""

    def step(*batch: tf.Tensor) -> None:
        loss = train(*batch)
        memory = tf.minimum(_LOSS_MEMORY, tf.cast(done / (done + 1), tf.float32))
        running_loss.assign(memory * running_loss + (1 - memory) * loss)
        done.assign_add(1)

    return tf.function(step, autograph=False)


def _at_start(
    config: Config,
    start: list[np.ndarray],
    schedule: Callable,
    build: Callable[[], keras.Model] | None,
) -> tuple[keras.Model, AdamOfSums]:
    """The network with the weights that it starts from, and its optimizer."""
    conv2d = convolution(config.precision)
    network = (
        build() if build else networks.build(config.network, config.seed, config.precision, conv2d)
    )
    network.set_weights(start)
    average = {"use_ema": True, "ema_momentum": config.ema} if config.ema else {}
    optimizer = AdamOfSums(schedule, **average)
    optimizer.build(network.trainable_variables)
    return network, optimizer


def make_step(
    network: keras.Model,
    optimizer: AdamOfSums,
    batch: int,
    strategy: tf.distribute.Strategy,
) -> Callable[..., tf.Tensor]:
    """Make the function that updates ``network`` once.

    Returns:
        A function of (lr, target), or of (lr, target, weight of each pixel), ``batch`` images over
        all replicas, that returns the loss.
    """

    def replica_step(lr: tf.Tensor, target: tf.Tensor, *weight: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            error = tf.square(_middle(network(lr, training=True), target) - target)
            for of_pixel in weight:
                error *= of_pixel
            # The mean over the global batch: the sum over replicas is the loss of section 4.1.
            loss = tf.reduce_sum(tf.reduce_mean(error, axis=[1, 2, 3])) / batch
        loss, gradients = summed(loss, tape.gradient(loss, network.trainable_variables))
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss

    def step(*batch: tf.Tensor) -> tf.Tensor:
        losses = strategy.run(replica_step, args=batch)
        return strategy.experimental_local_results(losses)[0]  # every replica has the same

    return tf.function(step, autograph=False)


def _middle(output: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """The middle of ``output``, where the target is smaller: the rest has seen padding."""
    margin = (output.shape[1] - target.shape[1]) // 2
    return output[:, margin:-margin, margin:-margin] if margin else output


def _settle_statistics(
    network: keras.Model, strategy: tf.distribute.Strategy, data: Iterator
) -> None:
    """Measure the statistics of batch normalization anew, for the averaged weights."""
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers):
        return
    forward = tf.function(
        lambda lr: strategy.run(lambda images: network(images, training=True), args=(lr,))
    )
    for lr, _ in itertools.islice(data, STATISTICS_STEPS):
        forward(lr)


def learning_rate_schedule(config: Config, steps: int) -> Callable:
    """The learning rate over the ``steps`` of a stage.

    It is constant (section 4.1), or it warms up and then falls as a cosine to a hundredth.
    """
    rate = config.learning_rate
    if config.schedule == "constant":
        return keras.optimizers.schedules.PiecewiseConstantDecay([steps], [rate] * 2)
    warmup = min(config.warmup, steps // 2)
    rising = {"warmup_target": rate, "warmup_steps": warmup} if warmup else {}
    first = rate / (warmup + 1) if warmup else rate
    falling = max(1, steps - warmup)
    return keras.optimizers.schedules.CosineDecay(first, falling, 0.01, **rising)


def _check_finite(step: int, loss: float, network: keras.Model | None) -> None:
    weights = network.get_weights() if network else []
    if not math.isfinite(loss) or not all(np.isfinite(array).all() for array in weights):
        raise TrainingDiverged(
            f"the loss or a weight is not finite at step {step}; the last good state is kept. Start"
            " a run with a lower `learning_rate` in another `workdir`, or with `precision`=float32."
        )
