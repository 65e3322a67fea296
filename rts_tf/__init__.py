"""RTS: Image Enhancement by Recurrently-trained Super-resolution Network (arXiv:1907.11341) in TensorFlow.

In Python::

    import rts_tf
    model = rts_tf.load("residual3")        # weights of the package by name, a run directory, or a .keras file
    better = model.enhance(picture)         # uint8, uint16 or float, HxWx3 or NxHxWx3, same size
    bigger = model.upscale(picture)         # twice the size
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rts_tf.inference import Enhancer

__version__ = "0.1.0"


def load(model: str | os.PathLike, precision: str = "float32", tile: int = 1280) -> Enhancer:
    """Load a trained network; see :func:`rts_tf.inference.load`."""
    from rts_tf.inference import (
        load as load_network,  # TensorFlow is imported only when it is needed
    )

    return load_network(model, precision, tile)
