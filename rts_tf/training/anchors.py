"""Keeps from HR_0 what a stage must not change. None of this is in the paper.

Phase B writes HR_n = d(SR_n(HR_0)) with an anchor. Each one does what those before it do:

- ``"none"``: HR_n as in the paper.
- ``"low"``: subtracts the blurred change, so that the brightness cannot drift from stage to stage.
- ``"band"``: also subtracts the change on the high-frequency diagonal (the corner of the spectrum),
  where the stages would otherwise grow a weave at the scale of single pixels.
- ``"detail"``: also keeps low-contrast texture and halves the structure of flat areas, which is
  noise, and lets no pixel leave the range of its neighbours in HR_0, so that edges become steeper
  without halos. Texture that a stage has lost would otherwise be missing in all later targets.
"""

import tensorflow as tf

from rts_tf.images.filters import gaussian, nyquist_component, wide_gaussian
from rts_tf.metrics.artifacts import FINE

LOW_SIGMA = 4.0  # pixels; a stage must not change structures that are wider than this
AREA = 9  # pixels a side of the area whose fine structure is looked at
FLAT, TEXTURED = 0.8 / 255, 1.6 / 255  # its std: up to here it is noise, from here on texture
NOISE_KEPT = 0.5  # of the structure of a flat area


def anchored(hr_n: tf.Tensor, hr_0: tf.Tensor, anchor: str) -> tf.Tensor:
    """Keep from HR_0 what a stage must not change.

    Args:
        hr_n: float32 [batch, H, W, 3].
        hr_0: The same shape.
        anchor: ``"none"``, ``"low"``, ``"band"`` or ``"detail"``, see above.
    """
    change = hr_n - hr_0
    if anchor != "none":
        change -= wide_gaussian(change, LOW_SIGMA)
    if anchor in ("band", "detail"):
        change -= nyquist_component(change)
    if anchor == "detail":
        return _with_detail(hr_0 + change, hr_0)
    return hr_0 + change


def _with_detail(hr_n: tf.Tensor, hr_0: tf.Tensor) -> tf.Tensor:
    fine, original = (images - gaussian(images, FINE) for images in (hr_n, hr_0))
    std = tf.sqrt(tf.nn.avg_pool2d(tf.square(original), AREA, 1, "SAME"))
    texture = tf.clip_by_value((std - FLAT) / (TEXTURED - FLAT), 0.0, 1.0)
    # Where both have the same sign, the larger of the two; else that of HR_0
    sign = tf.sign(original)
    kept = sign * tf.maximum(sign * fine, sign * original)
    detailed = hr_n - fine + texture * kept + (1.0 - texture) * NOISE_KEPT * fine
    highest = tf.nn.max_pool2d(hr_0, 3, 1, "SAME")
    lowest = -tf.nn.max_pool2d(-hr_0, 3, 1, "SAME")
    return tf.clip_by_value(detailed, lowest, highest)
