"""The two parts of the training: with lifted kernels, then with all weights free."""

import dataclasses
import pathlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rts_tf.config import Config
from rts_tf.data.patches import LUMA, training_batches
from rts_tf.data.shards import ShardSet
from rts_tf.distillation.config import DistillationConfig
from rts_tf.errors import RtsError, first_line
from rts_tf.networks.lifting import build_lifted, freed, start_from_filter
from rts_tf.networks.luma import build_luma, shape_of
from rts_tf.pretrained.keras_file import load_keras_file
from rts_tf.storage import atomic_path, read_json, write_json
from rts_tf.training.phase_a import OnReport, fit
from rts_tf.training.trainer import Trainer

LIMITED = 219 / 255, 16 / 255  # from full range in [0, 1] to limited range: factor and offset
LIMITED_SHARE = 0.5  # of the patches
FLAT = 3.0  # levels; the std of luma at which an area counts half as flat
WARMUP = 20  # the learning rate rises in the first 1 / WARMUP of the steps
_RANGE_SALT = 0x52414E47


@dataclasses.dataclass(frozen=True)
class Part:
    """One part of the training.

    Attributes:
        number: 1 or 2.
        name: "lifted" or "free".
        steps: Training steps.
        rate: The learning rate.
        directory: Where its checkpoints and its network are.
    """

    number: int
    name: str
    steps: int
    rate: float
    directory: pathlib.Path

    @property
    def model_file(self) -> pathlib.Path:
        """The network after this part, a network of :mod:`rts_tf.networks.luma`."""
        return self.directory / "model.keras"

    @property
    def is_over(self) -> bool:
        """Whether the network is there."""
        return self.record() != {} and self.model_file.exists()

    def record(self) -> dict:
        """Steps, loss and seconds of a part that is over."""
        return read_json(self.directory / "fitted.json") or {}

    def network(self) -> keras.Model:
        """Load the network. Raises RtsError if the file is damaged."""
        try:
            return load_keras_file(self.model_file)
        except Exception as error:  # Keras raises many types on a file that is not whole
            raise RtsError(
                f"{self.model_file}: cannot be read ({first_line(error)}); delete {self.directory}"
                " and run the command again, which makes it again"
            ) from None


def parts_of(config: DistillationConfig, root: pathlib.Path) -> tuple[Part, Part]:
    """The two parts of a distillation in the directory ``root``."""
    return (
        Part(1, "lifted", config.lifted_steps, config.lifted_rate, root / "lifted"),
        Part(2, "free", config.free_steps, config.free_rate, root / "free"),
    )


def fit_lifted(
    config: DistillationConfig,
    part: Part,
    kernel: np.ndarray,
    shards: tuple[ShardSet, ShardSet],
    on_report: OnReport,
) -> None:
    """Train with kernels that serve every pixel alike, from the best linear filter on.

    Args:
        kernel: The filter, of :func:`rts_tf.distillation.linear.best_filter`.
        shards: Inputs and targets.
        on_report: See :func:`rts_tf.training.phase_a.fit`.
    """

    def build() -> keras.Model:
        return build_lifted(config.network, config.kernel_size, config.seed)

    start = build()
    start_from_filter(start, kernel)
    start.set_weights(_fitted(config, part, start.get_weights(), shards, on_report, build))
    _write(part, freed(start))


def fit_free(
    config: DistillationConfig,
    part: Part,
    before: Part,
    shards: tuple[ShardSet, ShardSet],
    on_report: OnReport,
) -> None:
    """Go on from the network of the part ``before`` with all weights free."""

    def build() -> keras.Model:
        return build_luma(config.network)

    network = before.network()
    network.set_weights(_fitted(config, part, network.get_weights(), shards, on_report, build))
    _write(part, network)


def _fitted(
    config: DistillationConfig,
    part: Part,
    start: list[np.ndarray],
    shards: tuple[ShardSet, ShardSet],
    on_report: OnReport,
    build: Callable[[], keras.Model],
) -> list[np.ndarray]:
    """Train, and note how in the directory of the part."""
    settings = Config(
        network=config.network,
        seed=config.seed,
        precision="float32",
        batch=config.batch,
        learning_rate=part.rate,
        schedule="cosine",
        warmup=part.steps // WARMUP,
        checkpoint_every=config.checkpoint_every,
    )

    def batches(first_step: int) -> tf.data.Dataset:
        return luma_batches(config, shards, part.number, first_step)

    directory = part.directory / "checkpoint"
    trainer = Trainer(settings, build=build)
    fitted = fit(trainer, start, batches, part.steps, directory, on_report)
    record = {"steps": part.steps, "final_loss": fitted.loss, "seconds": fitted.seconds}
    write_json(part.directory / "fitted.json", record)
    return fitted.weights


def _write(part: Part, network: keras.Model) -> None:
    with atomic_path(part.model_file) as temporary:
        network.save(temporary)


def luma_batches(
    config: DistillationConfig, shards: tuple[ShardSet, ShardSet], part: int, first_step: int
) -> tf.data.Dataset:
    """The endless dataset of the batches of a part, a pure function of the seed and the step.

    Half of the patches are brought to the limited range of video, so that the network knows planes
    as videos have them and as JPEG files have them.

    Returns:
        Elements (luma, target, weight): float32 [batch, P, P, 1] and twice [batch, patch, patch,
        1], where P has a margin around the patch, so that no zero of the padding counts.
    """
    margin = shape_of(config.network).margin
    inputs, targets = shards
    dataset = training_batches(
        inputs,
        targets,
        patch=config.patch + 2 * margin,
        batch=config.batch,
        positions=config.patches_per_image,
        seed=config.seed,
        stage=part,
        first_step=first_step,
        arrays=LUMA,
    )
    seed = tf.constant([config.seed, _RANGE_SALT + part], tf.int64)

    def in_ranges(step: tf.Tensor, pair: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        own = tf.random.experimental.stateless_fold_in(seed, step)
        drawn = tf.random.stateless_uniform([config.batch, 1, 1, 1], own) < LIMITED_SHARE
        factor, offset = (tf.where(drawn, value, full) for value, full in zip(LIMITED, (1.0, 0.0)))
        luma, target = (factor * each + offset for each in pair)
        weight = 1 + config.flat_weight * flatness(pair[0])
        inner = (each[:, margin:-margin, margin:-margin] for each in (target, weight))
        return (luma, *inner)

    return dataset.enumerate(first_step).map(in_ranges, num_parallel_calls=1)


def flatness(luma: tf.Tensor) -> tf.Tensor:
    """How flat the surroundings of each pixel are: 1 where nothing varies, near 0 at edges.

    Args:
        luma: [batch, H, W, 1] in [0, 1].

    Returns:
        The same shape: 1 / (1 + (v / FLAT^2)^2), with v the variance in the 5 x 5 pixels around.
    """
    mean, square = (tf.nn.avg_pool2d(x, 5, 1, "SAME") for x in (luma, tf.square(luma)))
    variance = tf.nn.relu(square - tf.square(mean)) * 255**2
    return 1 / (1 + tf.square(variance / FLAT**2))
