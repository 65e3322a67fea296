"""Send images to TensorFlow Serving from a checkout: ``python -m export.serving.client``.

It is ``python -m rts_tf.serving_client``.
"""

from rts_tf.serving_client.__main__ import FLAGS, main, run

__all__ = ["FLAGS", "main"]

if __name__ == "__main__":
    run()
