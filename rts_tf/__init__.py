"""RTS: Image Enhancement by Recurrently-trained Super-resolution Network (arXiv:1907.11341) in TensorFlow.

In Python::

    import rts_tf
    model = rts_tf.load("rts_run")          # a run directory, or a .keras file
    better = model.enhance(picture)         # uint8 or float, HxWx3 or NxHxWx3, same size
    bigger = model.upscale(picture)         # twice the size
"""

__version__ = "0.1.0"


def load(path):
    """Load a trained network; see :func:`rts_tf.inference.load`."""
    from rts_tf.inference import load as load_network  # TensorFlow is imported only when it is needed

    return load_network(path)
