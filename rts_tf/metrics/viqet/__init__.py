"""VIQET, the quality measures and MOS of the paper's section 4.4, on arrays alone.

The VQEG Image Quality Evaluation Tool judges a single photograph without a reference. The order of reading: preparation,
then the features (tone, warmth, edges with gabor, texture, noise), features, model, mos, measures. docs/viqet.md says what
each measure means and where the MOS must not be trusted. Everything is computed in float64, and the measures agree with
the reference program to better than 1e-6.
"""

from rts_tf.metrics.viqet.measures import Quality, measure
from rts_tf.metrics.viqet.mos import CATEGORIES
from rts_tf.metrics.viqet.preparation import is_measurable

__all__ = ["CATEGORIES", "Quality", "is_measurable", "measure"]
