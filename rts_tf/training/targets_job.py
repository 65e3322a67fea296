"""Makes target shards, HR_n = d(SR_n(HR_0)) with its anchor, in whatever process.

A job needs nothing but files on a shared directory, so any machine can do it.
"""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.data.shard_writer import write_shards
from rts_tf.data.shards import Record, ShardSet, open_set
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer
from rts_tf.networks.precision import instruction_set
from rts_tf.training.anchors import anchored
from rts_tf.training.stage import Stage

DTYPES: dict[str, type] = {"target": np.float16}


@dataclasses.dataclass(frozen=True)
class TargetsJob:
    """What a process must know to make target shards of a stage. It can be pickled.

    Attributes:
        directory: The set of shards that :func:`rts_tf.data.shard_writer.build` is building.
        source: The directory of the source shards.
        stage: The number of the stage whose network makes the targets.
        stage_root: The directory of that stage.
        config: The settings of the run, with its precision resolved.
    """

    directory: pathlib.Path
    source: pathlib.Path
    stage: int
    stage_root: pathlib.Path
    config: Config

    def write(self, numbers: Sequence[int]) -> list[str]:
        """Make the shards of these numbers, and return lines to warn with.

        The network is loaded at the first call in a process.

        Raises:
            RtsError: The network or the source shards cannot be read, or see
                :func:`rts_tf.data.shard_writer.build`.
        """
        lines: list[str] = []
        records = target_records(
            open_set(self.source),
            _enhancer(self.stage, self.stage_root, self.config),
            anchor=self.config.anchor,
            eight_bit=self.config.eight_bit_targets,
        )
        made_on = instruction_set()
        write_shards(self.directory, numbers, records, DTYPES, lines.append, made_on=made_on)
        return lines


# Makes the shards of some numbers by a job, in other processes. It calls a function with the number
# of each shard that is done, which may raise Interrupted, and returns lines to warn with.
Engine = Callable[[TargetsJob, Sequence[int], Callable[[int], None]], list[str]]


@functools.lru_cache(maxsize=1)
def _enhancer(number: int, root: pathlib.Path, config: Config) -> Enhancer:
    network = networks.build(config.network, precision=config.precision)
    network.set_weights(Stage(number, root).weights)
    return Enhancer(network, config.tile, config.target_kernel)


def target_records(
    source: ShardSet,
    enhancer: Enhancer,
    *,
    anchor: str,
    eight_bit: bool = False,
    on_image: Callable[[str], None] = lambda name: None,
) -> Callable[[int], Iterable[Record]]:
    """Make the function that yields HR_n of the images of a shard of ``source``.

    The array ``target`` is float16 [H, W, 3]. For each image the record notes
    ``network_drift_levels``, the mean change before the anchor in 8-bit levels, and ``seconds``,
    the time that the image took.

    Args:
        enhancer: The network of the stage.
        anchor: One of :mod:`rts_tf.training.anchors`.
        eight_bit: Clip and round HR_n to 8 bits; float16 holds them to a sixteenth of a level.
        on_image: Called with the name of each image when it is done.
    """
    finished = _finishing(anchor, eight_bit)

    def records(k: int) -> Iterator[Record]:
        for record in source.records(k, {"hr": np.uint8}):
            began, hr_0 = time.monotonic(), record.arrays["hr"]
            hr_n, drift = finished(enhancer.enhance(to_float(hr_0))[None], hr_0[None])
            seconds = time.monotonic() - began
            note = {"network_drift_levels": float(drift), "seconds": seconds}
            yield Record(record.name, record.index, {"target": hr_n.numpy()}, note)
            on_image(record.name)

    return records


@functools.cache  # so that TensorFlow traces it once for all stages
def _finishing(anchor: str, eight_bit: bool) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """The last steps of HR_n, as a function of d(SR_n(HR_0)) and HR_0 in levels."""
    floats, integers = (tf.TensorSpec([1, None, None, 3], t) for t in (tf.float32, tf.uint8))

    @tf.function(input_signature=[floats, integers], autograph=False)
    def finished(hr_n: tf.Tensor, levels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """HR_n with its anchor, and the mean change before it in levels."""
        hr_0 = tf.cast(levels, tf.float32) / 255.0
        target = anchored(hr_n, hr_0, anchor)[0]
        if eight_bit:
            target = tf.round(255 * tf.clip_by_value(target, 0.0, 1.0)) / 255
        return target, 255 * tf.reduce_mean(hr_n - hr_0)

    return finished
