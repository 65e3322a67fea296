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
from rts_tf.data.patches import training_batches
from rts_tf.data.shards import ShardSet
from rts_tf.errors import Interrupted, ShardError, TrainingDiverged, first_line
from rts_tf.training.batch_shares import shared_out
from rts_tf.training.checkpoints import Checkpoints
from rts_tf.training.progress import PhaseAProgress
from rts_tf.training.run import Run
from rts_tf.training.stage import Stage
from rts_tf.training.trainer import Trainer
from rts_tf.workers import ALONE, Workers

REPORT_EVERY = 10  # steps between looks at the loss; each look waits for the device
STATISTICS_STEPS = 50  # with a momentum of 0.9 nothing of the old statistics is left

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
    trainer = run.trainer

    def on_report(step: int, loss: float, rate: float) -> None:
        run.callbacks.steps_done(step, loss, trainer.network)
        report(step, loss, rate)

    run.callbacks.stage_begins(stage.number, steps, start)
    fitted = fit(trainer, start, batches, steps, stage.checkpoints, on_report, workers=workers)
    keras.backend.clear_session()  # else names that Keras counts up would differ by stage

    def write() -> None:
        network = networks.build(config.network)  # the saved network is float32 in every run
        network.set_weights(fitted.weights)
        record = {"steps": steps, "final_loss": fitted.loss, "phase_a_seconds": fitted.seconds}
        stage.write_network(network, record)

    workers.by_chief(write)


def fit(
    trainer: Trainer,
    start: list[np.ndarray],
    batches: Callable[[int], tf.data.Dataset],
    steps: int,
    directory: pathlib.Path,
    on_report: OnReport = lambda step, loss, rate: None,
    *,
    workers: Workers = ALONE,
) -> Fitted:
    """Train a network for ``steps`` steps, from ``start`` or from the last checkpoint.

    Args:
        trainer: What to train with; its strategy is that of ``workers``.
        start: The weights to start from.
        batches: Gives the endless data set from a step on (:mod:`rts_tf.data.patches`).
        directory: Where the checkpoints are.
        on_report: Called at the start and after every few steps. It may raise Interrupted.
        workers: The workers that share out each batch. Every one must make this call.

    Raises:
        TrainingDiverged: The loss or a weight is not finite; the last checkpoint is from before.
        RtsError: The checkpoints cannot be read or written, or another worker failed.
    """
    config, network = trainer.config, trainer.network
    trainer.start(start, steps)
    checkpoints = Checkpoints(pathlib.Path(directory), trainer.state, workers)
    first, began = int(trainer.done), time.monotonic() - float(trainer.seconds)

    def report(number: int) -> None:
        on_report(number, float(trainer.running_loss), float(trainer.learning_rate(number)))

    report(first)
    data = iter(shared_out(batches(first), config.batch, workers))
    for number in range(first + 1, steps + 1):
        trainer.step(*_read(data))
        save = number % config.checkpoint_every == 0 or number == steps
        if save or number % REPORT_EVERY == 0:
            _check_finite(number, float(trainer.running_loss), network if save else None)
            trainer.seconds.assign(time.monotonic() - began)
            if save:
                checkpoints.save(number)
            if workers.any(_is_interrupted(functools.partial(report, number))):
                if not save:  # never write over the newest checkpoint
                    _check_finite(number, float(trainer.running_loss), network)
                    checkpoints.save(number)
                raise Interrupted("stopped")  # every worker, at the same step
    if config.ema:
        trainer.take_averages()
        _settle_statistics(network, trainer.strategy, data)
    return Fitted(network.get_weights(), float(trainer.running_loss), float(trainer.seconds))


def _read(data: Iterator[tuple[tf.Tensor, ...]]) -> tuple[tf.Tensor, ...]:
    """The next batch. Raises ShardError if a shard holds something else than it should."""
    try:
        return next(data)
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        raise ShardError(
            f"a shard holds something else than images of this run ({first_line(error)}); start a"
            " new run in another `workdir`"
        ) from None


def _is_interrupted(report: Callable[[], None]) -> bool:
    try:
        report()
    except Interrupted:
        return True
    return False


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


def _check_finite(step: int, loss: float, network: keras.Model | None) -> None:
    weights = network.get_weights() if network else []
    if not math.isfinite(loss) or not all(np.isfinite(array).all() for array in weights):
        raise TrainingDiverged(
            f"the loss or a weight is not finite at step {step}; the last good state is kept. Start"
            " a run with a lower `learning_rate` in another `workdir`, or with `precision`=float32."
        )
