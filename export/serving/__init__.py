"""TensorFlow Serving for the SavedModel of ``rts_tf.export``: its settings, and the client."""
