"""Phase B (section 3.1): HR_n = d(SR_n(HR_0)), always from HR_0, written as float16 shards, by default not clipped."""

import pathlib
import time
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from rts_tf.data.shards import Record, ShardSet, build
from rts_tf.images.dtypes import to_float
from rts_tf.images.filters import nyquist_share, wide_gaussian
from rts_tf.inference import Enhancer

DTYPES = {"target": np.float16}
LOW_SIGMA = 4.0  # pixels; what is wider than this is not the stage's to change


def build_targets(
    directory: pathlib.Path,
    source: ShardSet,
    enhancer: Enhancer,
    anchor: str,
    weights: str,
    on_picture: Callable[[str], None] = lambda name: None,
    warn: Callable[[str], None] = print,
    eight_bit: bool = False,
) -> ShardSet:
    """Write HR_n of every picture of ``source``, shard for shard in the same order: ``target`` float16 [H, W, 3].

    Each shard notes by picture ``network_drift_levels``, the mean change before the anchor in 8-bit levels, and
    ``seconds``, what the picture took.

    Args:
        weights: SHA-256 of the network's weights; a set made with others is written afresh.
        on_picture: called with the name of each picture when it is done.
        eight_bit: clip and round HR_n to 8 bits; float16 holds them to a sixteenth of a level.

    Raises:
        ShardError: see :func:`rts_tf.data.shards.build`.
    """

    @tf.function(
        input_signature=[
            tf.TensorSpec([1, None, None, 3], tf.float32),
            tf.TensorSpec([1, None, None, 3], tf.uint8),
        ]
    )
    def finished(hr_n, levels):
        """HR_n with its anchor, and the mean change before it in levels; in TensorFlow, which has all cores."""
        hr_0 = tf.cast(levels, tf.float32) / 255.0
        target = anchored(hr_n, hr_0, anchor)[0]
        target = tf.round(255 * tf.clip_by_value(target, 0.0, 1.0)) / 255 if eight_bit else target
        return target, 255 * tf.reduce_mean(hr_n - hr_0)

    def records(k: int) -> Iterable[Record]:
        for record in source.records(k, {"hr": np.uint8}):
            began, hr_0 = time.monotonic(), record.arrays["hr"]
            hr_n, drift = finished(enhancer.enhance(to_float(hr_0))[None], hr_0[None])
            note = {"network_drift_levels": float(drift), "seconds": time.monotonic() - began}
            yield Record(record.name, record.index, {"target": hr_n.numpy()}, note)
            on_picture(record.name)

    made_from = {"source": source.fingerprint, "weights": weights, "anchor": anchor}
    made_from |= {"kernel": enhancer.kernel, "eight_bit": eight_bit}
    return build(directory, len(source.shards), records, DTYPES, made_from, warn)


def anchored(hr_n: tf.Tensor, hr_0: tf.Tensor, anchor: str) -> tf.Tensor:
    """Keep from HR_0 the bands that the stage has no say in.

    "low" subtracts the blurred change, so that brightness cannot drift from stage to stage; "band" subtracts the change at
    the corner of the spectrum too, where the stages would otherwise grow a pixel-scale weave. Not in the paper.

    Args:
        hr_n, hr_0: float32 [batch, H, W, 3].
        anchor: "none", "low" or "band".
    """
    change = hr_n - hr_0
    if anchor in ("low", "band"):
        change -= wide_gaussian(change, LOW_SIGMA)
    if anchor == "band":
        change -= nyquist_share(change)
    return hr_0 + change
