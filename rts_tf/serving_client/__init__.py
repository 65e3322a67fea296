"""The client of TensorFlow Serving: ``python -m rts_tf.serving_client``; images and folders."""
