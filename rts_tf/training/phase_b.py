"""Phase B (section 3.1): HR_n = d(SR_n(HR_0)), always from HR_0, as float16 shards.

By default HR_n is neither clipped nor rounded to 8 bits: that would lose a tenth of the effect.
"""

import functools
import pathlib
import time
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record, ShardSet
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer
from rts_tf.networks.precision import instruction_set
from rts_tf.networks.weights import weights_sha256
from rts_tf.training.anchors import anchored
from rts_tf.training.progress import PhaseBProgress
from rts_tf.training.run import Run
from rts_tf.training.stage import Stage

DTYPES: dict[str, type] = {"target": np.float16}


def run_phase_b(run: Run, stage: Stage, images: str = "training") -> ShardSet:
    """Make HR_n of the ``"training"`` or the ``"validation"`` images, and return its shards.

    The training targets of the stage before are removed, unless the settings keep them.
    """
    config = run.config
    source = run.training if images == "training" else run.validation
    directory = stage.shards(images)
    label = f"stage {stage.number}/{config.stages}  Phase B  {directory.name}"
    on_image = PhaseBProgress(run.progress, label, source, run.work)
    shards = build_targets(
        directory,
        source,
        run.enhancer(stage),
        anchor=config.anchor,
        weights=weights_sha256(stage.weights),
        on_image=on_image,
        warn=run.progress.say,
        eight_bit=config.eight_bit_targets,
    )
    on_image.finish()
    stage.write_phase_b_seconds(images, sum(note["seconds"] for note in shards.notes.values()))
    if images == "training" and stage.number > 0 and not config.keep_targets:
        before = run.directory.stage(stage.number - 1)
        before.remove(before.shards(images))
    return shards


def build_targets(
    directory: pathlib.Path,
    source: ShardSet,
    enhancer: Enhancer,
    *,
    anchor: str,
    weights: str,
    on_image: Callable[[str], None] = lambda name: None,
    warn: Callable[[str], None] = print,
    eight_bit: bool = False,
) -> ShardSet:
    """Write HR_n of every image of ``source``, shard for shard in the same order.

    The array ``target`` is float16 [H, W, 3]. For each image the shard notes
    ``network_drift_levels``, the mean change before the anchor in 8-bit levels, and ``seconds``,
    the time that the image took.

    Args:
        anchor: One of :mod:`rts_tf.training.anchors`.
        weights: SHA-256 of the network's weights. Shards made with other weights are made afresh.
        on_image: Called with the name of each image when it is done.
        warn: Called with a line for each shard that is damaged.
        eight_bit: Clip and round HR_n to 8 bits; float16 holds them to a sixteenth of a level.

    Raises:
        ShardError: See :func:`rts_tf.data.shard_writer.build`.
    """
    finished = _finishing(anchor, eight_bit)

    def records(k: int) -> Iterable[Record]:
        for record in source.records(k, {"hr": np.uint8}):
            began, hr_0 = time.monotonic(), record.arrays["hr"]
            hr_n, drift = finished(enhancer.enhance(to_float(hr_0))[None], hr_0[None])
            seconds = time.monotonic() - began
            note = {"network_drift_levels": float(drift), "seconds": seconds}
            yield Record(record.name, record.index, {"target": hr_n.numpy()}, note)
            on_image(record.name)

    made_from = {
        **{"source": source.fingerprint, "weights": weights},
        "anchor": anchor,
        "kernel": enhancer.kernel,
        "eight_bit": eight_bit,
        "border": "repeated",
    }
    shards = len(source.shards)
    return build(directory, shards, records, DTYPES, made_from, warn, made_on=instruction_set())


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
