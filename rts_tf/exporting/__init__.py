"""What the export is made of; ``rts_tf.export`` is the command. The names it takes are here, where TensorFlow is not loaded."""

FORMATS = ("saved_model", "tflite")
HEADS = ("enhance", "upscale")  # d(SR(x)), the size of x; SR(x), twice that
PRECISIONS = ("float32", "float16", "int8", "int8_float_residual", "int16x8", "dynamic")
