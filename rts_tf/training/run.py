"""What the phases of one run share: its settings, its directory, its images and its progress."""

import dataclasses
import functools
import math
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.data.datasets import training_and_validation
from rts_tf.data.degradation import Degradation
from rts_tf.data.shards import ShardSet
from rts_tf.data.source_shards import build_source
from rts_tf.errors import printable
from rts_tf.inference import Enhancer
from rts_tf.networks.precision import instruction_set
from rts_tf.training.callbacks import Callbacks
from rts_tf.training.initial import start_weights
from rts_tf.training.mos_validation import MEASURES_OF_ORIGINALS, images_for_mos
from rts_tf.training.progress import Progress, Silent
from rts_tf.training.run_directory import RunDirectory
from rts_tf.training.selection import choose_criterion
from rts_tf.training.stage import Stage
from rts_tf.training.targets_job import Engine
from rts_tf.training.trainer import Trainer
from rts_tf.training.work_estimate import MEASURE_WORK, NetworkWork
from rts_tf.workers import ALONE, Workers

ANNOUNCED_EVERY = 10.0  # seconds between two lines while LR is made
SMALLEST_VALIDATED = 16  # pixels a side that d() and the anchor need to mean something


@dataclasses.dataclass
class Run:
    """One run of the recurrence. Its state is in the directory.

    Attributes:
        training: Source shards of the training images.
        validation: Source shards of the validation images.
        criterion: How a stage is selected: ``"mos"``, or ``"delta"`` and the reason for it.
        start: The weights that stage 1 starts from.
        parameters: The number of trainable parameters of the network.
        workers: The workers that the run is shared out to.
        engine: What makes the target shards, if other processes than the workers do.
    """

    directory: RunDirectory[Config]
    training: ShardSet
    validation: ShardSet
    criterion: str
    start: list[np.ndarray]
    parameters: int
    work: NetworkWork
    workers: Workers = ALONE
    engine: Engine | None = None
    progress: Progress = dataclasses.field(default_factory=Silent)
    callbacks: Callbacks = dataclasses.field(default_factory=Callbacks)
    _weights: dict[int, list[np.ndarray]] = dataclasses.field(default_factory=dict)

    @property
    def config(self) -> Config:
        return self.directory.config

    def steps(self, number: int) -> int:
        """Training steps of stage ``number``."""
        return self.config.steps(number, len(self.training.sizes))

    def weights(self, stage: Stage) -> list[np.ndarray]:
        """The weights of a trained stage, as the chief reads them. Every worker must call it."""
        if stage.number not in self._weights:
            own = self.start
            with self.workers.together():
                if self.workers.is_chief:
                    own = stage.weights
            self._weights = {stage.number: self.workers.chiefs_arrays(own)}
        return self._weights[stage.number]

    def enhancer(self, stage: Stage) -> Enhancer:
        """The network of a trained stage, in the precision and with the d() of the run.

        Every worker must call it.

        A run has only one, since TensorFlow would trace each anew. So the result is the network of
        the stage that was asked for last.
        """
        self._enhancer.network.set_weights(self.weights(stage))
        return self._enhancer

    @functools.cached_property
    def trainer(self) -> Trainer:
        """What Phase A of all stages trains with, since TensorFlow would trace each anew.

        Every worker must take part in what it does.
        """
        return Trainer(self.config, self.workers.strategy)

    def logs(self) -> tf.summary.SummaryWriter:
        """What writes the logs for TensorBoard."""
        if not self.workers.is_chief:
            return tf.summary.create_noop_writer()
        return tf.summary.create_file_writer(str(self.directory.root / "logs"))

    def untrained_enhancer(self) -> Enhancer:
        """The same with weights that mean nothing, to try how fast it is."""
        return self._enhancer

    @functools.cached_property
    def _enhancer(self) -> Enhancer:
        network = networks.build(self.config.network, precision=self.config.precision)
        return Enhancer(network, self.config.tile, self.config.target_kernel)

    def remaining_work(self) -> dict[str, float]:
        """GFLOP that are left to do, by phase."""
        work = {"Phase A": 0.0, "Phase B": 0.0, "VIQET": 0.0}
        measures = 0 if self.directory.originals_file.exists() else MEASURES_OF_ORIGINALS
        for number in range(1, self.config.stages + 1):
            stage = self.directory.stage(number)
            if stage.is_over:
                continue
            enhanced = self.config.trains_on_enhanced(number)
            if not stage.is_trained:
                work["Phase A"] += self.steps(number) * self.work.of_step(self.config)
                work["Phase B"] += self.work.of_images(self.training) if enhanced else 0
            before = self.directory.stage(number - 1)
            if enhanced and (before.is_over or number == 1):  # else its own Phase B is counted
                is_there = before.shards("validation").exists()
                work["Phase B"] += 0 if is_there else self.work.of_images(self.validation)
            work["Phase B"] += self.work.of_images(self.validation)
            measures += 1
        if self.criterion == "mos":
            work["VIQET"] = measures * len(images_for_mos(self.validation)) * MEASURE_WORK
        return work


def prepare(
    directory: RunDirectory[Config],
    say: Callable[[str], None],
    workers: Workers = ALONE,
    engine: Engine | None = None,
) -> Run:
    """Write the source shards where they are missing, and choose how stages are selected.

    Every worker must call it.

    Raises:
        RtsError: The images or the settings do not allow the run.
    """
    config = directory.config
    network = networks.build(config.network, config.seed)
    training, validation = _sources(directory, say, workers)
    start = network.get_weights()
    with workers.together():
        if workers.is_chief:
            start = start_weights(directory, network, say)
    return Run(
        directory=directory,
        training=training,
        validation=validation,
        criterion=choose_criterion(config.judge, validation, say),
        start=workers.chiefs_arrays(start),
        parameters=networks.parameters(network),
        work=NetworkWork(network),
        workers=workers,
        engine=engine,
    )


def _sources(
    directory: RunDirectory[Config], say: Callable[[str], None], workers: Workers
) -> list[ShardSet]:
    """The source shards of the training and of the validation images."""
    config, sets = directory.config, []
    names = "training", "validation"
    for name, images in zip(names, training_and_validation(config), strict=True):
        say(f"{name}: {len(images.names)} images")
        if images.passed_over:
            say(printable(images.passed_over))
        smallest = config.patch if name == "training" else SMALLEST_VALIDATED
        variants = config.variants if name == "training" else 1  # nothing is trained on the others
        degradation = Degradation.of(dataclasses.replace(config, variants=variants))
        sets.append(
            build_source(
                directory.root / "source" / name,
                images,
                degradation,
                smallest,
                config.images_per_shard,
                say,
                made_on=instruction_set(),
                on_image=_announcer(math.ceil(len(images.names) / workers.count), say),
                workers=workers,
            )
        )
    return sets


def _announcer(count: int, say: Callable[[str], None]) -> Callable[[], None]:
    """Make the function to call after each of ``count`` images, which says the time left at times.

    Codecs take a second for an image, and the progress of the run begins only afterwards.
    """
    began = announced = time.monotonic()
    done = 0

    def on_image() -> None:
        nonlocal done, announced
        done, now = done + 1, time.monotonic()
        if now - announced >= ANNOUNCED_EVERY and done < count:
            announced, left = now, (now - began) / done * (count - done)
            say(f"LR of {done} of {count} images is made, about {left:.0f} s left")

    return on_image
