"""How well the network of a stage does what Phase A trains it for, on the validation images."""

import numpy as np

from rts_tf.data.shards import ShardSet
from rts_tf.inference import Enhancer
from rts_tf.training.pairs import enhanced, originals, reduced
from rts_tf.workers import ALONE, Workers

_LEAST_LOSS = 1e-12  # of an image of one colour; it keeps the PSNR finite, at 120 dB


def measure_fit(
    enhancer: Enhancer, source: ShardSet, before: ShardSet | None, workers: Workers = ALONE
) -> dict[str, float]:
    """Compare SR_n(LR) with the target HR_{n-1}. Both metrics are means over the images.

    Args:
        enhancer: SR_n.
        source: Shards with ``hr`` and ``lr``.
        before: Shards of HR_{n-1}; None stands for HR_0.
        workers: The workers that share out the images. Every one must make this call.

    Returns:
        ``validation_loss``, the mean squared error in [0, 1], and ``validation_psnr_db``, the PSNR
        of RGB with a peak of 1.
    """

    def rows(names: list[str]) -> dict[str, float]:
        found = {}
        targets = enhanced(before, names) if before else originals(source, names)
        for (name, lr), (_, target) in zip(reduced(source, names), targets, strict=True):
            error = enhancer.upscale(lr) - target
            found[name] = max(_LEAST_LOSS, float(np.mean(np.square(error, dtype=np.float64))))
        return found

    losses = list(workers.rows(list(source.sizes), rows).values())
    psnr = -10 * np.log10(losses)
    return {"validation_loss": float(np.mean(losses)), "validation_psnr_db": float(np.mean(psnr))}
