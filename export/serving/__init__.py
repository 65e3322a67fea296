"""TensorFlow Serving with the SavedModel of ``rts_tf.export``: the settings of the server, and a client."""
