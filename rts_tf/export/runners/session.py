"""SavedModels: run a signature with the session loader, which is the one inside TensorFlow Serving."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do

import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rts_tf.export.runners.process import measured


def opened(path: pathlib.Path, signature: str) -> Callable[[np.ndarray], np.ndarray]:
    """What runs a signature with an input ``images`` and one output on a frame, uint8 [H, W, 3]."""
    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph)
    with graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], str(path))
    images = loaded.signature_def[signature].inputs["images"].name
    (output,) = (tensor.name for tensor in loaded.signature_def[signature].outputs.values())
    return lambda frame: session.run(output, {images: frame[None]})[0]


if __name__ == "__main__":
    measured(opened)
