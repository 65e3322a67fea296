"""Runs a signature of a SavedModel with the session loader, the one inside TensorFlow Serving."""

import pathlib

import tensorflow as tf

from rts_tf.export.runners.process import Opened, serve


def opened(path: pathlib.Path, signature: str) -> Opened:
    """Open a signature with the input ``images`` and one output."""
    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph)
    with graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], str(path))
    images = loaded.signature_def[signature].inputs["images"].name
    (output,) = (tensor.name for tensor in loaded.signature_def[signature].outputs.values())
    return lambda frame: session.run(output, {images: frame[None]})[0]


if __name__ == "__main__":
    serve(opened)
