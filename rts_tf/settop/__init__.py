"""The runner for devices: an exported TFLite file on images and video, with LiteRT and numpy.

``python -m rts_tf.export --bundle=DIR`` copies this folder to a device that has neither TensorFlow
nor the rest of ``rts_tf``. So its modules import each other by relative names, and nothing else of
the package.
"""

__version__ = "0.1.0"  # of rts_tf
