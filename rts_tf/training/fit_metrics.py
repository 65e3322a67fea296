"""How well the network of a stage does what Phase A trains it for, on the validation images."""

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.images.dtypes import to_float
from rts_tf.inference import Enhancer
from rts_tf.training.pairs import enhanced, originals

_LEAST_LOSS = 1e-12  # of an image of one colour; it keeps the PSNR finite, at 120 dB


def measure_fit(enhancer: Enhancer, source: ShardSet, before: ShardSet | None) -> dict[str, float]:
    """Compare SR_n(LR) with the target HR_{n-1}. Both metrics are means over the images.

    Args:
        enhancer: SR_n.
        source: Shards with ``hr`` and ``lr``.
        before: Shards of HR_{n-1}; None stands for HR_0.

    Returns:
        ``validation_loss``, the mean squared error in [0, 1], and ``validation_psnr_db``, the PSNR
        of RGB with a peak of 1.
    """
    targets = enhanced(before) if before else originals(source)
    losses = []
    for k in range(len(source.shards)):
        for record in source.records(k, {"lr": np.uint8}):
            _, target = next(targets)
            error = enhancer.upscale(to_float(record.arrays["lr"])) - target
            losses.append(max(_LEAST_LOSS, float(np.mean(np.square(error, dtype=np.float64)))))
    psnr = -10 * np.log10(losses)
    return {"validation_loss": float(np.mean(losses)), "validation_psnr_db": float(np.mean(psnr))}
