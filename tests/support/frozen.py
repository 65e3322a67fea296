"""Imported last by a server that forks: its children need not look for garbage in what it imported.

The commands do the same when they import TensorFlow (:mod:`rts_tf.cli.tensorflow_import`).
"""

import gc

gc.collect()
gc.freeze()
