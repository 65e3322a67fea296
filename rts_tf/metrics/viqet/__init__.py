"""VIQET, the no-reference image quality tool of the paper's section 4.4, computed on arrays.

The Image Quality Evaluation Tool of the Video Quality Experts Group rates a single image without a
reference, by eleven measures and a mean opinion score (MOS). To follow the computation, read the
modules in this order: preparation; the features tone, warmth, edges (with gabor), texture and
noise; features; model; mos; measures. docs/viqet.md explains what each measure means and where the
MOS must not be trusted. Everything is computed in float64, and the measures agree with the
reference program to better than 1e-6.
"""

from rts_tf.metrics.viqet.measures import Quality, measure
from rts_tf.metrics.viqet.mos import CATEGORIES
from rts_tf.metrics.viqet.preparation import is_measurable

__all__ = ["CATEGORIES", "Quality", "is_measurable", "measure"]
